"""Refunds of made-up sales, counted by the shop's own arithmetic."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from loyalty.bonuses.rules import Kind, Lot, Source, Taken, gift_lot_dates, restore, reverse, still_held
from loyalty.receipts.rules.refunds import LineRefund, Original, OriginalLine, undo
from regulars.seed.records import ZONE, Entry, Receipt, SeedLine, SeedLot

if TYPE_CHECKING:
    from regulars.seed.life import Life

WHOLE = 0.006
IN_PART = 0.01
BROUGHT_BACK = 0.4
"""Shares: of sales taken back at once; of sales of which a part is; of chances to bring back what is spent."""
RETURNED_WITHIN = timedelta(days=45)


def plan_refund(life: "Life", sale: Receipt) -> None:
    """Decide whether something of a sale, or of one before it, comes back today."""
    chance = life.random.random()
    whole = len(life.receipts) > 1 and not sale.tier
    if whole and chance < WHOLE:
        life.plan(sale.at + timedelta(minutes=3), partial(_take_back, life, sale))
    elif WHOLE <= chance < WHOLE + IN_PART:
        later = timedelta(minutes=life.random.randrange(15, 300))
        if len(sale.lines) > 1:
            line = LineRefund(life.random.randrange(len(sale.lines)) + 1)
            life.plan(sale.at + later, partial(_take_back, life, sale, lines=(line,)))
        else:
            life.plan(sale.at + later, partial(_take_back, life, sale, amount=sale.total // 200 * 100))
    elif sale.burnt and life.random.random() < BROUGHT_BACK:
        spent = _spent(life, sale)
        if spent is not None:
            life.plan(sale.at + timedelta(minutes=12), partial(_take_back, life, spent))


def _spent(life: "Life", last: Receipt) -> Receipt | None:
    """A sale of late whose bonuses are gone, so that taking it back leaves a debt."""
    for sale in life.receipts[1:-1]:
        earn = sale.entries.get(Kind.EARN)
        is_late = sale.kind == "sale" and last.at - sale.at < RETURNED_WITHIN
        is_spent = earn is not None and earn.lot is not None and not earn.lot.remaining
        is_whole = not sale.refunded and not sale.tier
        if is_late and is_spent and is_whole and sale.earned > life.balance + sale.burnt:
            return sale
    return None


def _take_back(
    life: "Life", sale: Receipt, at: datetime, *, amount: int | None = None, lines: Sequence[LineRefund] = ()
) -> None:
    """Refund a sum, some lines, or all that is left, at the same till."""
    undone = undo(_original(sale), amount, life.rules.at(at).programme, lines=lines)
    balance = life.balance + undone.restore - undone.reverse
    refund = Receipt(
        at,
        "refund",
        sale.location_id,
        sale.staff_id,
        undone.amount,
        undone.pay_back,
        undone.restore,
        undone.reverse,
        [],
        balance,
        original=sale,
        by_sum=amount,
        lines=_parts(sale, undone.lines),
    )
    life.receipts.append(refund)
    held = _still_held(sale)
    sale.refunded += undone.amount
    sale.restored += undone.restore
    sale.reversed += undone.reverse
    sale.paid_back += undone.pay_back
    if undone.restore:
        _restore(life, refund, held)
    if undone.reverse:
        _reverse(life, refund)
    life.standing.give_back(at, sale, undone.pay_back)


def _original(sale: Receipt) -> Original:
    earn = sale.entries.get(Kind.EARN)
    return Original(
        total=sale.total,
        paid=sale.paid,
        burnt=sale.burnt,
        earned=sale.earned,
        refunded=sale.refunded,
        restored=sale.restored,
        reversed=sale.reversed,
        paid_back=sale.paid_back,
        expired=earn.lot.expired if earn and earn.lot else 0,
        lines=tuple(
            OriginalLine(part.position, part.line.total, part.burnt, part.earned, part.refunded) for part in sale.lines
        ),
    )


def _parts(sale: Receipt, taken: Sequence[tuple[int, int]]) -> list[SeedLine]:
    """The parts of lines that a refund took, which the sale's lines remember."""
    parts = []
    for position, amount in taken:
        line = sale.lines[position - 1]
        line.refunded += amount
        part = line.line.__class__(amount, line.line.name, line.line.sku, line.line.category)
        parts.append(SeedLine(position, part))
    return parts


def _still_held(sale: Receipt) -> list[tuple[Lot, int]]:
    """What the burn still holds of each lot, called by its place in the burn."""
    burn = sale.entries.get(Kind.BURN)
    lots = burn.taken if burn else []
    return still_held([(_as_lot(place, lot), part) for place, (lot, part) in enumerate(lots)], sale.restored)


def _restore(life: "Life", refund: Receipt, held: list[tuple[Lot, int]]) -> None:
    """Give burnt bonuses back; what came from expired lots gets some days of grace."""
    assert refund.original is not None
    burn = refund.original.entries[Kind.BURN]
    back = restore(held, refund.burnt, refund.at)
    lot = None
    if back.as_new_lot:
        dates = gift_lot_dates(life.rules.at(refund.at).programme.refund_grace_days, refund.at, ZONE)
        lot = SeedLot(back.as_new_lot, back.as_new_lot, dates.activates_at, dates.expires_at, Source.GRACE)
    taken = [(burn.taken[part.lot_id][0], part.amount) for part in back.to_lots]
    _keep(life, [one for one, _ in taken])
    life.post(_entry(refund, refund.burnt, Kind.RESTORE_BURN, burn, taken=taken, lot=lot))


def _reverse(life: "Life", refund: Receipt) -> None:
    """Take earned bonuses back: from the sale's own lot, from others, then as debt."""
    assert refund.original is not None
    earn = refund.original.entries[Kind.EARN]
    lots = life.rule_lots()
    own = next((lot for lot in lots if life.lots[lot.id] is earn.lot), None)
    taken = _taken(life, reverse(own, lots, refund.earned, refund.at).taken)
    life.post(_entry(refund, -refund.earned, Kind.REVERSE_EARN, earn, taken=taken))


def _entry(
    refund: Receipt,
    amount: int,
    kind: Kind,
    corrects: Entry,
    *,
    taken: list[tuple[SeedLot, int]],
    lot: SeedLot | None = None,
) -> Entry:
    return Entry(
        refund.at,
        amount,
        0,
        kind,
        "refund",
        refund.staff_id,
        refund.location_id,
        receipt=refund,
        corrects=corrects,
        taken=taken,
        lot=lot,
    )


def _taken(life: "Life", parts: Sequence[Taken]) -> list[tuple[SeedLot, int]]:
    return [(life.lots[part.lot_id], part.amount) for part in parts]


def _keep(life: "Life", lots: list[SeedLot]) -> None:
    """Lots that were empty at the last sweep are looked at again."""
    for lot in lots:
        if all(lot is not known for known in life.lots):
            life.lots.append(lot)


def _as_lot(place: int, lot: SeedLot) -> Lot:
    return Lot(place, lot.remaining, lot.activates_at, lot.expires_at)
