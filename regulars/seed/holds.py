"""Bonuses that made-up people had set aside: for sales that followed, in vain, and just now."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from loyalty.bonuses.rules import Held, HoldState, Taken, allocate, available
from loyalty.customers.rules import CardProof, code_step
from loyalty.money import floor_to_step
from loyalty.receipts.actions.holds import ASK_LIFETIME
from loyalty.receipts.rules.sales import Presence, ReceiptDraft, ReceiptSource
from regulars.seed.records import Place, SeedHold, SeedLot

if TYPE_CHECKING:
    from regulars.seed.life import Life, Seeded

BEFORE = timedelta(seconds=70)
"""So long before its sale bonuses are set aside."""
ANSWERED_AFTER = timedelta(seconds=20)
IN_VAIN = (HoldState.VOIDED, HoldState.DECLINED, HoldState.LAPSED)
LIVE_TOTAL = 760_00


def set_aside(life: "Life", draft: ReceiptDraft, place: Place, total: int, sold_at: datetime) -> SeedHold | None:
    """A hold that the sale confirms: by the card's code, or by the customer's yes in the chat.

    None for bonuses that came only just now, or a chat.
    """
    hold = _hold(life, draft, place, total, sold_at - BEFORE, by_chat=life.random.random() < 0.5)
    if not _is_possible(life, hold):
        return None
    hold.state, hold.decided_at = HoldState.CONFIRMED, sold_at
    life.holds.append(hold)
    return hold


def as_held(life: "Life", hold: SeedHold) -> Held:
    """The hold as the till sees it."""
    places = {id(lot): place for place, lot in enumerate(life.lots)}
    parts = tuple(Taken(places[id(lot)], part) for lot, part in hold.parts)
    return Held(0, hold.draft.burn, hold.presence or "", hold.code_step, parts)


def set_aside_in_vain(life: "Life", draft: ReceiptDraft, place: Place, total: int, sold_at: datetime) -> None:
    """Before the sale, bonuses were set aside or asked for, and then not spent."""
    state = IN_VAIN[life.rules.holds_in_vain % len(IN_VAIN)]
    by_chat = state is HoldState.DECLINED or (state is HoldState.LAPSED and life.random.random() < 0.5)
    hold = _hold(life, draft, place, total, sold_at - timedelta(minutes=17), by_chat=by_chat)
    if not _is_possible(life, hold):
        return
    hold.state = state
    life.rules.holds_in_vain += 1
    if by_chat:
        # Nobody said yes: no lot was named, and the question waited for its two minutes.
        hold.parts, hold.presence, hold.expires_at = [], None, hold.at + ASK_LIFETIME
    hold.decided_at = hold.expires_at if state is HoldState.LAPSED else hold.at + ANSWERED_AFTER
    life.holds.append(hold)


def set_aside_now(made: list["Seeded"], now: datetime) -> None:
    """One hold that waits for its sale, and one question that waits for its answer."""
    able = [one for one in made if one.life.is_reachable(now - timedelta(hours=1)) and one.life.is_reachable(now)]
    rich = [one for one in able if one.life.debt == 0 and one.life.balance >= 100_00]
    for one, by_chat in zip(rich[:2], (False, True), strict=False):
        life = one.life
        place = next(place for place in life.places if not place.is_relaxed)
        at = now - (timedelta(seconds=30) if by_chat else timedelta(minutes=4))
        burn = floor_to_step(min(LIVE_TOTAL * 3 // 10, available(life.rule_lots(), at)), 100)
        proof = CardProof(life.customer_id, code_step(at))
        draft = ReceiptDraft(ReceiptSource.TILL, place.id, "", life.customer_id, LIVE_TOTAL, burn, proof)
        hold = _hold(life, draft, place, LIVE_TOTAL, at, by_chat=by_chat)
        if by_chat:
            hold.parts, hold.presence, hold.state = [], None, HoldState.ASKED
            hold.expires_at = at + ASK_LIFETIME
        life.holds.append(hold)


def _is_possible(life: "Life", hold: SeedHold) -> bool:
    """Whether the customer had the chat and all of the bonuses already."""
    if not life.is_reachable(hold.at):
        return False
    return sum(part for _, part in hold.parts) == hold.draft.burn


def _hold(life: "Life", draft: ReceiptDraft, place: Place, total: int, at: datetime, *, by_chat: bool) -> SeedHold:
    parts: list[tuple[SeedLot, int]] = [
        (life.lots[part.lot_id], part.amount) for part in allocate(life.rule_lots(), draft.burn, at)
    ]
    since = at + ANSWERED_AFTER if by_chat else at
    return SeedHold(
        at,
        since + timedelta(minutes=life.rules.at(at).programme.hold_minutes),
        None,
        HoldState.HELD,
        (Presence.CHAT if by_chat else Presence.CODE).value,
        None if by_chat else code_step(at),
        draft,
        total,
        place,
        parts,
        by_chat=by_chat,
    )
