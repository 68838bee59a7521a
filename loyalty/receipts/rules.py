"""A sale before it is recorded, what it would move, and what a refund undoes. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from loyalty.bonuses.earning import Award, Sale, earn
from loyalty.bonuses.rules import Lot, LotDates, available, burn_limit, check_burn, earned_lot_dates
from loyalty.customers.rules import CardProof, step_began
from loyalty.errors import Invalid, Refused
from loyalty.ids import fingerprint
from loyalty.money import MAX_MINOR, money_of, proportion
from loyalty.shop.rules import Programme, Tier

UNDO_WINDOW = timedelta(minutes=5)
KEY_LENGTH = 64
PROOF_LIFETIME = timedelta(minutes=10)
"""How long a code that was shown at the till proves presence: as long as a queue and a purse may take."""


class ReceiptSource(StrEnum):
    """Where a receipt came from. `till` is the cashier page; `api` a till of the shop's own."""

    TILL = "till"
    API = "api"
    IMPORT = "import"


class Presence(StrEnum):
    """What proved that the customer was there for a burn.

    `code`: the card's code of that moment. `relaxed`: the location asks for no proof.
    """

    CODE = "code"
    RELAXED = "relaxed"


@dataclass(frozen=True, slots=True)
class ReceiptDraft:
    """A sale as a till sends it. `total` in minor units, after discounts, before bonuses; `burn` in hundredths.

    (source, location, external_id) is the till's own key, made before its first try. `proof`: the code that the
    customer showed, if they did.
    """

    source: ReceiptSource
    location_id: int
    external_id: str
    customer_id: int
    total: int
    burn: int = 0
    proof: CardProof | None = None

    def body_hash(self) -> str:
        """Tells another body under the same key."""
        return fingerprint({"customer": self.customer_id, "total": self.total, "burn": self.burn})


@dataclass(frozen=True, slots=True)
class Till:
    """Everything a quote needs to know, read at one moment.

    window_paid: minor units paid within the tier window. visited: whether this day and location count already.
    code_used: the code that was shown has paid already. account_id: where the customer is written to.
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
    code_used: bool
    balance: int
    debt: int
    tier_id: int
    lots: tuple[Lot, ...]
    window_paid: int
    burnt_today: int
    visited: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """What a sale would move; nothing has moved. Money in minor units, bonuses in hundredths.

    presence: what lets this sale burn; None: nothing does. burn_limit: the most it may burn.
    repaid: what of the earned goes to an old debt. balance_after counts pending bonuses too.
    """

    total: int
    burn: int
    burn_limit: int
    presence: Presence | None
    pay: int
    earn: int
    awards: list[Award]
    repaid: int
    dates: LotDates
    balance_after: int
    tier_after: Tier


def check_draft(draft: ReceiptDraft) -> None:
    """Raise Invalid for a sum or a key that no till can mean."""
    if not 0 < draft.total <= MAX_MINOR:
        raise Invalid("total", "must_be_positive" if draft.total <= 0 else "too_large")
    if not draft.external_id or len(draft.external_id) > KEY_LENGTH or not draft.external_id.isprintable():
        raise Invalid("external_id", "not_a_key")
    if not 0 <= draft.burn <= MAX_MINOR:
        raise Invalid("burn", "must_not_be_negative" if draft.burn < 0 else "too_large")


def presence_of(till: Till, proof: CardProof | None, now: datetime) -> Presence | None:
    """What proves that the customer is there: a code shown lately that has not paid yet, or a location's trust."""
    if proof is not None and not till.code_used and now < step_began(proof.step) + PROOF_LIFETIME:
        return Presence.CODE
    return Presence.RELAXED if till.burns_without_code else None


def quote(till: Till, *, total: int, burn: int, now: datetime, proof: CardProof | None = None) -> Quote:
    """What a sale of `total` would earn, with `burn` of bonuses paid.

    Raises Refused: `burn_needs_presence`, `code_was_used`, `code_is_old`, `burn_not_a_step`, `burn_over_limit`.
    """
    programme = till.programme
    limit = burn_limit(
        programme,
        available_now=available(till.lots, now) - till.debt,
        total=total,
        burnt_today=till.burnt_today,
    )
    presence = presence_of(till, proof, now)
    if burn and presence is None:
        if proof is None:
            raise Refused("burn_needs_presence")
        raise Refused("code_was_used" if till.code_used else "code_is_old")
    check_burn(burn, limit, programme.bonus_step)
    pay = total - money_of(burn, programme.bonus_value)
    earned, awards = earn(Sale(base=pay, tier_id=till.tier_id), programme)
    reached = programme.tier_for(till.window_paid + pay)
    current = programme.tier(till.tier_id)
    return Quote(
        total=total,
        burn=burn,
        burn_limit=limit if presence else 0,
        presence=presence,
        pay=pay,
        earn=earned,
        awards=awards,
        repaid=min(till.debt, earned),
        dates=earned_lot_dates(programme, now, till.zone),
        balance_after=till.balance - burn + earned,
        # Up at once, from the next receipt on; the way down is not a receipt's business.
        tier_after=reached if reached.threshold > current.threshold else current,
    )


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer to a recorded sale; the same again for the same key and body.

    balance: after the sale. repeated: this key was answered before and nothing moved now.
    """

    receipt_id: int
    total: int
    paid: int
    burnt: int
    earned: int
    balance: int
    spendable_from: str | None
    repeated: bool = False

    @classmethod
    def from_answer(cls, answer: dict[str, Any]) -> Self:
        """The first answer, marked as repeated."""
        return cls(**{**answer, "repeated": True})

    def to_answer(self) -> dict[str, Any]:
        """As stored on the receipt."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "repeated"}


@dataclass(frozen=True, slots=True)
class Original:
    """A sale as a refund sees it. `refunded`, `restored`, `reversed` and `paid_back`: what refunds did so far.

    expired: what of its own lot has expired unspent.
    """

    total: int
    paid: int
    burnt: int
    earned: int
    refunded: int
    restored: int
    reversed: int
    paid_back: int
    expired: int


@dataclass(frozen=True, slots=True)
class Undone:
    """What one refund moves: bonuses back to the customer, bonuses taken back, money returned."""

    amount: int
    restore: int
    reverse: int
    pay_back: int


def undo(original: Original, amount: int, programme: Programme) -> Undone:
    """What a refund of `amount` minor units of a sale moves.

    Counted on the refunded total so far, so that two refunds of 20 % undo exactly what one of 40 % does.
    What of the earned expired unspent counts as taken back. Raises Invalid("amount") beyond the original.
    """
    if amount <= 0:
        raise Invalid("amount", "must_be_positive")
    left = original.total - original.refunded
    if amount > left:
        raise Refused("refund_over_original", left=left)
    after = original.refunded + amount
    restored = proportion(original.burnt, after, original.total)
    reversed_ = max(original.reversed, proportion(original.earned, after, original.total) - original.expired)
    paid_back = after - money_of(restored, programme.bonus_value)
    if after == original.total:
        paid_back = original.paid
    return Undone(
        amount=amount,
        restore=restored - original.restored,
        reverse=reversed_ - original.reversed,
        pay_back=paid_back - original.paid_back,
    )
