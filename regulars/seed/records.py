"""What is to be written of made-up lives: accounts, receipts, entries, lots. Ids are numbered at the end."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from loyalty.bonuses.rules import HoldState, Kind, Source
from loyalty.ids import fingerprint
from loyalty.receipts.rules.claims import ClaimSource, ClaimState
from loyalty.receipts.rules.sales import FiscalKey, Line, ReceiptDraft, ReceiptSource, Recorded

ZONE = "Europe/Moscow"


class Place(NamedTuple):
    """A location and who sells there. `is_relaxed`: a burn needs no proof that the customer is present."""

    id: int
    cashier_id: int
    name: str
    is_relaxed: bool


class OptOut(NamedTuple):
    """What somebody wants no more of in a chat. by_word: STOP was written; else a button in the settings."""

    at: datetime
    topic: str
    by_word: bool


@dataclass(slots=True)
class Account:
    """Somebody's account in a messenger. `moments`: the steps of the registration there, each with its time.

    blocked_at: since then they hear nothing from us and show no card; `reason` says why. `lost`: the sale whose news
    found that out. `outs`: what they want no more of. `id` is numbered at the end.
    """

    channel: str
    address: str
    name: str
    username: str | None
    moments: tuple[tuple[str, datetime], ...]
    blocked_at: datetime | None
    reason: str = "blocked"
    alias: str | None = None
    phone: str | None = None
    is_default: bool = True
    outs: tuple[OptOut, ...] = ()
    lost: "Receipt | None" = None
    id: int = 0

    @property
    def linked_at(self) -> datetime:
        """When the account became theirs: at the last step."""
        return self.moments[-1][1]

    def is_open(self, at: datetime) -> bool:
        """Whether its person could be written to, and could show the card, at that moment."""
        return self.linked_at <= at and (self.blocked_at is None or at < self.blocked_at)


@dataclass(slots=True)
class SeedLot:
    """A lot to be written. `expired`: what of it the sweep took."""

    amount: int
    remaining: int
    activates_at: datetime
    expires_at: datetime | None
    source: Source
    expired: int = 0
    id: int = 0


@dataclass(slots=True)
class Entry:
    """A ledger entry to be written. `receipt` and `corrects` are numbered with it, at the end.

    operation_id: of what is given once; the others are called by their number.
    """

    at: datetime
    amount: int
    balance_after: int
    kind: Kind
    event: str
    staff_id: int | None
    location_id: int | None
    receipt: "Receipt | None" = None
    corrects: "Entry | None" = None
    comment: str | None = None
    lot: SeedLot | None = None
    taken: list[tuple[SeedLot, int]] = field(default_factory=list)
    operation_id: str | None = None
    id: int = 0


@dataclass(slots=True)
class SeedLine:
    """A line of a sale with its shares, or what a refund took of one. `line.total` is after the discount."""

    position: int
    line: Line
    discount: int = 0
    burnt: int = 0
    earned: int = 0
    refunded: int = 0


@dataclass(slots=True)
class SeedHold:
    """Bonuses that were set aside, to be written. `parts`: from which lots; of an unanswered question, from none."""

    at: datetime
    expires_at: datetime
    decided_at: datetime | None
    state: HoldState
    presence: str | None
    code_step: int | None
    draft: ReceiptDraft
    total: int
    place: Place
    parts: list[tuple[SeedLot, int]]
    by_chat: bool = False
    receipt: "Receipt | None" = None
    id: int = 0


@dataclass(slots=True)
class Receipt:
    """A sale or refund to be written. The last block is of sales: what refunds need to know of them."""

    at: datetime
    kind: str
    location_id: int
    staff_id: int | None
    total: int
    paid: int
    burnt: int
    earned: int
    awards: list[dict[str, Any]]
    balance: int
    presence: str | None = None
    tier: str = ""  # the name of the one that it brought
    refunded: int = 0
    original: "Receipt | None" = None
    id: int = 0
    lines: list[SeedLine] = field(default_factory=list)
    by_sum: int | None = None  # of a refund: the sum that was named
    discount: int = 0
    tier_id: int = 0
    programme_id: int | None = None
    promo_code: str | None = None
    code_step: int | None = None
    hold: SeedHold | None = None
    source: ReceiptSource = ReceiptSource.TILL
    external_id: str = ""  # of one that did not come by the cashier page
    fiscal: FiscalKey | None = None

    draft: ReceiptDraft | None = None
    entries: dict[Kind, Entry] = field(default_factory=dict)
    restored: int = 0
    reversed: int = 0
    paid_back: int = 0

    def body_hash(self) -> str:
        if self.original is not None:
            body: dict[str, Any] = {"refund_of": self.original.id, "amount": self.by_sum}
            if self.lines:
                body["lines"] = [[part.position, part.line.total] for part in self.lines]
            return fingerprint(body)
        assert self.draft is not None, "a sale has one"
        draft = replace(self.draft, hold_id=self.hold.id) if self.hold else self.draft
        return draft.body_hash()

    def answer(self) -> dict[str, Any]:
        recorded = Recorded(
            self.id, self.total, self.paid, self.burnt, self.earned, self.balance, None, discount=self.discount
        )
        return recorded.to_answer()


@dataclass(slots=True)
class SeedClaim:
    """A fiscal receipt that was sent in the chat, to be written. `reported`: the sum that a provider told of.

    Ids are numbered: its own when all are chosen, that of its message with the chats.
    """

    customer_id: int
    key: FiscalKey
    total: int
    sold_at: datetime
    at: datetime
    source: ClaimSource
    location_id: int | None
    state: ClaimState
    reason: str | None = None
    receipt: Receipt | None = None
    staff_id: int | None = None
    decided_at: datetime | None = None
    reported: int | None = None
    message_id: int = 0
    media_id: int | None = None
    id: int = 0
