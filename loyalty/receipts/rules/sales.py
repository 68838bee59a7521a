"""A sale before it is recorded, and what it would move."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NoReturn, Self
from zoneinfo import ZoneInfo

from loyalty.bonuses.earning import Award, Sale, SaleLine, clean_code, earn
from loyalty.bonuses.rules import (
    Held,
    Lot,
    LotDates,
    Taken,
    available,
    burn_limit,
    check_burn,
    earned_lot_dates,
    spending_order,
    take,
)
from loyalty.customers.rules import CardProof, step_began
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.ids import fingerprint
from loyalty.money import MAX_MINOR, money_of, share_of, split
from loyalty.shop.rules import Programme, Tier, TierBasis, clean_line

KEY_LENGTH = 64
CODE_LENGTH = 32
LINES_AT_MOST = 200
PROOF_LIFETIME = timedelta(minutes=10)
"""How long a code that was shown at the till proves presence: as long as a queue and a purse may take."""


class ReceiptSource(StrEnum):
    """Where a receipt came from.

    `till` is the cashier page; `api` a till of the shop's own; `chat` a fiscal receipt that the customer sent.
    """

    TILL = "till"
    API = "api"
    IMPORT = "import"
    CHAT = "chat"


class Presence(StrEnum):
    """What proved that the customer was there for a burn.

    `code`: the card's code of that moment. `chat`: their tap on "Confirm". `relaxed`: the location asks for no proof.
    """

    CODE = "code"
    CHAT = "chat"
    RELAXED = "relaxed"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a sale. `total` in minor units for all of its pieces; `category` and `sku` as the shop calls them."""

    total: int
    name: str = ""
    sku: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class FiscalKey:
    """What tells a fiscal receipt from every other: drive, document, sign of the cash register."""

    fn: str
    i: int
    fp: int


@dataclass(frozen=True, slots=True)
class ReceiptDraft:
    """A sale as a till sends it. `total` in minor units, before bonuses; `burn` in hundredths.

    (source, location, external_id) is the till's own key, made before its first try. `total` and `lines` are what
    they were before the personal discount, unless the till has subtracted it: `discounts_applied`. Without lines a
    receipt is one eligible line. `proof`: the code that the customer showed, if they did; `hold_id`: bonuses that
    were set aside for this sale; `sold_at`: whose day and hour the earning rules go by, where it is not now.
    `named_id`: the card that the till named, where that has become this customer's meanwhile.
    """

    source: ReceiptSource
    location_id: int
    external_id: str
    customer_id: int
    total: int
    burn: int = 0
    proof: CardProof | None = None
    lines: tuple[Line, ...] = ()
    discounts_applied: bool = False
    promo_code: str | None = None
    hold_id: int | None = None
    fiscal: FiscalKey | None = None
    sold_at: datetime | None = None
    named_id: int | None = None

    def body_hash(self) -> str:
        """Tells another body under the same key. The proof is no part of it: codes change, a sale does not."""
        body: dict[str, Any] = {"customer": self.named_id or self.customer_id, "total": self.total, "burn": self.burn}
        added: dict[str, Any] = {
            "lines": [asdict(line) for line in self.lines],
            "discounts_applied": self.discounts_applied,
            "promo_code": self.promo_code,
            "hold": self.hold_id,
            "fiscal": asdict(self.fiscal) if self.fiscal else None,
            "sold_at": self.sold_at,
        }
        return fingerprint(body | {name: value for name, value in added.items() if value})


@dataclass(frozen=True, slots=True)
class Till:
    """Everything a quote needs to know, read at one moment.

    window_paid, window_visits: progress within the tier window, the latter only where visits count.
    visited: whether this day and location count already. code_used: the code that was shown has paid already.
    account_id: where the customer is told of sales, own_texts: in which words of the shop's own.
    lots: with what other holds keep of them. held: what was set aside
    for this sale. seen: hash and answer of the receipt that has this draft's key. version: of the customer's facts,
    which change with everything that a sale decides on. earned_*, burnt_today, receipts_today, burns_today: filled
    where the programme limits them. is_late: a later day with a visit is counted already. is_deleted: the customer is
    hidden from the base. merged_into_id: the card is another one now. is_erased: nobody is behind it any more.
    """

    programme: Programme
    currency: str
    exponent: int
    location_name: str
    zone: str
    is_open: bool
    burns_without_code: bool
    business_date: date
    customer_name: str
    customer_phone: str | None
    language: str
    account_id: int | None
    account_channel: str | None
    code_used: bool
    balance: int
    debt: int
    tier_id: int
    lots: tuple[Lot, ...]
    window_paid: int
    burnt_today: int
    visited: bool
    location_id: int = 0
    programme_id: int | None = None
    discount_bp: int = 0
    tier_until: datetime | None = None
    birthday: date | None = None
    is_first: bool = False
    window_visits: int = 0
    earned_today: int = 0
    earned_month: int = 0
    receipts_today: int = 0
    burns_today: int = 0
    last_receipt_at: datetime | None = None
    promo_uses: tuple[int, int] = (0, 0)
    held: Held | None = None
    seen: tuple[str, str] | None = None
    version: str = ""
    is_late: bool = False
    is_deleted: bool = False
    merged_into_id: int | None = None
    is_erased: bool = False
    own_texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """A line with its shares. Money in minor units after the discount, bonuses in hundredths."""

    line: Line
    discount: int
    burnt: int
    earned: int

    @property
    def total(self) -> int:
        return self.line.total


@dataclass(frozen=True, slots=True)
class Quote:
    """What a sale would move; nothing has moved. Money in minor units, bonuses in hundredths.

    total: after the personal `discount`, before bonuses. presence: what lets this sale burn; None: nothing does.
    burn_limit: the most it may burn; with_proof: the most it could if presence were proved. repaid: what of the earned
    goes to an old debt. balance_after counts pending bonuses too. taken: the lots that the burn takes. lines: one at
    least.
    """

    total: int
    discount: int
    burn: int
    burn_limit: int
    with_proof: int
    presence: Presence | None
    pay: int
    earn: int
    awards: list[Award]
    repaid: int
    dates: LotDates
    balance_after: int
    tier_after: Tier
    taken: tuple[Taken, ...]
    lines: tuple[QuoteLine, ...]


def check_card(till: Till) -> None:
    """Raise NotFound("customer") for a card that is nobody's any more, Refused("card_was_merged") for a merged one.

    Its details name the `customer_id` of the card that it is now.
    """
    if till.is_erased:
        raise NotFound("customer")
    if till.merged_into_id is not None:
        raise Refused("card_was_merged", customer_id=till.merged_into_id)


def checked(draft: ReceiptDraft) -> ReceiptDraft:
    """The draft with its texts as they are kept. Raises Invalid for what no till can mean."""
    if not 0 < draft.total <= MAX_MINOR:
        raise Invalid("total", "must_be_positive" if draft.total <= 0 else "too_large")
    if not draft.external_id or len(draft.external_id) > KEY_LENGTH or not draft.external_id.isprintable():
        raise Invalid("external_id", "not_a_key")
    if not 0 <= draft.burn <= MAX_MINOR:
        raise Invalid("burn", "must_not_be_negative" if draft.burn < 0 else "too_large")
    if draft.fiscal is not None:
        check_fiscal(draft.fiscal)
    code = clean_code(draft.promo_code)[:CODE_LENGTH] if draft.promo_code else None
    return replace(draft, lines=_checked_lines(draft), promo_code=code or None)


def _checked_lines(draft: ReceiptDraft) -> tuple[Line, ...]:
    if len(draft.lines) > LINES_AT_MOST:
        raise Invalid("lines", "too_many", limit=LINES_AT_MOST)
    if draft.lines and sum(line.total for line in draft.lines) != draft.total:
        raise Invalid("lines", "lines_differ_from_total")
    if any(not 0 <= line.total <= MAX_MINOR for line in draft.lines):
        raise Invalid("lines", "must_not_be_negative")
    return tuple(
        Line(
            line.total,
            clean_line("lines", line.name, 200, required=False),
            clean_line("lines", line.sku, 64, required=False),
            clean_line("lines", line.category.lower(), 64, required=False),
        )
        for line in draft.lines
    )


def check_fiscal(key: FiscalKey) -> None:
    """Raise Invalid for numbers that no cash register prints."""
    if not (key.fn.isascii() and key.fn.isdigit() and len(key.fn) <= 16):
        raise Invalid("fiscal.fn", "not_a_number")
    for name in ("i", "fp"):
        if not 0 <= getattr(key, name) < 10**10:
            raise Invalid(f"fiscal.{name}", "not_in_range", low=0, high=10**10 - 1)


def presence_of(till: Till, proof: CardProof | None, now: datetime) -> Presence | None:
    """What proves that the customer is there: what set bonuses aside, a code shown lately, or a location's trust."""
    if till.held is not None:
        return Presence(till.held.presence)
    if proof is not None and not till.code_used and now < step_began(proof.step) + PROOF_LIFETIME:
        return Presence.CODE
    return Presence.RELAXED if till.burns_without_code else None


def quote(till: Till, draft: ReceiptDraft, *, now: datetime) -> Quote:
    """What a sale would move, with `draft.burn` of bonuses paid. The draft is `checked`; its key is not looked at.

    Raises Refused: `burn_needs_presence`, `code_was_used`, `code_is_old`, `burn_not_a_step`, `burn_over_limit`,
    `receipts_of_day`, `burns_of_day`, `receipt_too_soon`, `nothing_to_pay`, and what `earn` says of a promo code.
    """
    programme, burn = till.programme, draft.burn
    lines, discounts = _discounted(draft, till)
    total = sum(line.total for line in lines)
    if not total:
        raise Refused("nothing_to_pay")
    _check_frequency(till, draft, now)
    limit = _burn_limit(till, lines, total, now)
    presence = presence_of(till, draft.proof, now)
    if burn and presence is None:
        _refuse_without_presence(till, draft.proof)
    check_burn(burn, limit, programme.bonus_step)
    pay = total - money_of(burn, programme.bonus_value)
    earned = earn(_sale(till, draft, lines, now), programme)
    burnt = split(burn, [eligible_total(line, programme) for line in lines])
    return Quote(
        total=total,
        discount=sum(discounts),
        burn=burn,
        burn_limit=limit if presence else 0,
        with_proof=limit,
        presence=presence,
        pay=pay,
        earn=earned.bonuses,
        awards=earned.awards,
        repaid=min(till.debt, earned.bonuses),
        dates=earned_lot_dates(programme, now, till.zone),
        balance_after=till.balance - burn + earned.bonuses,
        tier_after=_tier_after(till, pay, now),
        taken=tuple(take(_parts(till, now), burn)),
        lines=tuple(map(QuoteLine, lines, discounts, burnt, earned.lines)),
    )


def eligible_total(line: Line, programme: Programme) -> int:
    """What of a line takes part: nothing of categories that neither earn nor can be paid with bonuses."""
    return 0 if line.category in programme.excluded_categories else line.total


def sale_lines(lines: Sequence[Line], burn: int, programme: Programme) -> tuple[SaleLine, ...]:
    """Lines as the earning rules see them: eligible money, less what `burn` pays of it."""
    eligible = [eligible_total(line, programme) for line in lines]
    paid = split(money_of(burn, programme.bonus_value), eligible)
    return tuple(
        SaleLine(total - by_bonuses, line.category, line.sku)
        for line, total, by_bonuses in zip(lines, eligible, paid, strict=True)
    )


def _discounted(draft: ReceiptDraft, till: Till) -> tuple[list[Line], list[int]]:
    """The lines after the personal discount, and what it took of each. Excluded categories have none."""
    lines = list(draft.lines) or [Line(draft.total)]
    if draft.discounts_applied or not till.discount_bp:
        return lines, [0] * len(lines)
    eligible = [eligible_total(line, till.programme) for line in lines]
    discounts = split(share_of(sum(eligible), till.discount_bp), eligible)
    return [replace(line, total=line.total - off) for line, off in zip(lines, discounts, strict=True)], discounts


def _check_frequency(till: Till, draft: ReceiptDraft, now: datetime) -> None:
    programme = till.programme
    if programme.receipts_day and till.receipts_today >= programme.receipts_day:
        raise Refused("receipts_of_day", limit=programme.receipts_day)
    if draft.burn and programme.burns_day and till.burns_today >= programme.burns_day:
        raise Refused("burns_of_day", limit=programme.burns_day)
    gap = timedelta(minutes=programme.receipt_gap_minutes)
    if gap and till.last_receipt_at is not None and now < till.last_receipt_at + gap:
        raise Refused("receipt_too_soon", minutes=programme.receipt_gap_minutes)


def _burn_limit(till: Till, lines: Sequence[Line], total: int, now: datetime) -> int:
    spendable = available(till.lots, now) - till.debt if till.held is None else till.held.amount
    return burn_limit(
        till.programme,
        available_now=spendable,
        total=total,
        burnt_today=till.burnt_today,
        base=sum(eligible_total(line, till.programme) for line in lines),
    )


def _parts(till: Till, now: datetime) -> list[tuple[int, int]]:
    """The lots a burn may take from, in order: those set aside for this sale, else whatever is free."""
    if till.held is not None:
        return [(part.lot_id, part.amount) for part in till.held.parts]
    return [(lot.id, lot.free) for lot in spending_order(till.lots, now)]


def _refuse_without_presence(till: Till, proof: CardProof | None) -> NoReturn:
    if proof is None:
        raise Refused("burn_needs_presence")
    raise Refused("code_was_used" if till.code_used else "code_is_old")


def _sale(till: Till, draft: ReceiptDraft, lines: Sequence[Line], now: datetime) -> Sale:
    local = (draft.sold_at or now).astimezone(ZoneInfo(till.zone))
    return Sale(
        lines=sale_lines(lines, draft.burn, till.programme),
        tier_id=till.tier_id,
        location_id=till.location_id,
        day=local.date(),
        minute=local.hour * 60 + local.minute,
        birthday=till.birthday,
        is_first=till.is_first,
        promo_code=draft.promo_code,
        promo_uses=till.promo_uses,
        earned_today=till.earned_today,
        earned_month=till.earned_month,
    )


def _tier_after(till: Till, pay: int, now: datetime) -> Tier:
    """Up at once, from the next receipt on; down is not a receipt's business, nor is a tier set by hand."""
    programme = till.programme
    current = programme.tier(till.tier_id)
    if till.tier_until is not None and now < till.tier_until:
        return current
    reached = programme.tier_for(tier_progress(till, pay, int(not till.visited)))
    return reached if reached.threshold > current.threshold else current


def tier_progress(till: Till, paid: int = 0, visits: int = 0) -> int:
    """What the window holds in the programme's own measure, with `paid` and `visits` more."""
    if till.programme.tier_basis is TierBasis.VISITS:
        return till.window_visits + visits
    return till.window_paid + paid


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer to a recorded sale; the same again for the same key and body.

    balance: after the sale. discount: personal, subtracted to come to `total`. Of a refund: `burnt` is what came
    back, `earned` what was taken back, `forgiven` what was due and not taken, `kept_back` the minor units that the
    till keeps for it. repeated: this key was answered before and nothing moved now.
    """

    receipt_id: int
    total: int
    paid: int
    burnt: int
    earned: int
    balance: int
    spendable_from: str | None
    discount: int = 0
    forgiven: int = 0
    kept_back: int = 0
    repeated: bool = False

    @classmethod
    def from_answer(cls, answer: dict[str, Any]) -> Self:
        """The first answer, marked as repeated."""
        return cls(**{**answer, "repeated": True})

    def to_answer(self) -> dict[str, Any]:
        """As stored on the receipt."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "repeated"}
