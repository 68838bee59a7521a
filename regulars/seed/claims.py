"""Fiscal receipts that made-up people sent in the chat: credited, found at the till, refused, and waiting today."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from loyalty import db
from loyalty.receipts.rules.claims import BY_HAND, ClaimSource, ClaimState, Refusal, Wait
from loyalty.receipts.rules.sales import FiscalKey, ReceiptSource
from regulars.seed.claims_told import photo_of
from regulars.seed.records import ZONE, Receipt, SeedClaim

if TYPE_CHECKING:
    from regulars.seed.life import Seeded

CREDITED, MATCHED, REFUSED, WAITING = 10, 5, 6, 10
"""How many of each, where there are as many people to send them."""
WITHIN = timedelta(days=100)
ALONE = 500_00
"""Up to so much the demo credits without a person."""
ELSEWHERE = "9999078900004321"
"""A cash register of somebody else."""


@dataclass(slots=True)
class _Shop:
    """What claims are made of: cash registers by location and what they have printed, plain sales, who decides."""

    random: Random
    drives: Mapping[int, str]
    sales: list[tuple["Seeded", Receipt]]
    staff: Sequence[int]
    now: datetime
    printed: int = 20_450

    def print(self, location_id: int | None) -> FiscalKey:
        """The numbers of the next fiscal receipt of a location; None: of somebody else."""
        self.printed += self.random.randrange(1, 40)
        fn = ELSEWHERE if location_id is None else self.drives[location_id]
        return FiscalKey(fn, self.printed, self.random.randrange(10**9, 4 * 10**9))

    def location(self) -> int:
        return self.random.choice(list(self.drives))


def send_receipts(made: Sequence["Seeded"], drives: Mapping[int, str], staff: Sequence[int], now: datetime) -> None:
    """Let a few people have sent a receipt each. Their lives are lived; `staff` are those who decide."""
    random = Random(451)
    sales = [
        (one, receipt)
        for one in random.sample(made, len(made))
        for receipt in one.life.receipts
        if receipt.location_id in drives and _may_be_claimed(one, receipt, now)
    ]
    shop = _Shop(random, drives, sales, staff, now)
    _credit(shop)
    _match(shop)
    free = [one for one in made if one.claim is None and _has_been_here(one, now)]
    others = random.sample(free, min(len(free), REFUSED + WAITING))
    for number, one in enumerate(others[:REFUSED]):
        one.claim = _refused(shop, one, number)
    if others:
        _credit_to_another(shop, others[0])
    _wait(shop, others[REFUSED:])
    claims = sorted((one.claim for one in made if one.claim), key=lambda claim: claim.at)
    for number, claim in enumerate(claims, 1):
        claim.id = number


def _may_be_claimed(one: "Seeded", receipt: Receipt, now: datetime) -> bool:
    """Whether a sale could have come by a claim: plain, of the last months, of somebody who had the chat."""
    return (
        receipt.kind == "sale"
        and now - WITHIN < receipt.at
        and not (receipt.burnt or receipt.discount or receipt.lines or receipt.refunded or receipt.hold)
        and receipt.promo_code is None
        and one.life.is_reachable(receipt.at - timedelta(days=1))
        and one.life.is_reachable(now)
    )


def _is_quiet(one: "Seeded", receipt: Receipt) -> bool:
    """Whether it earned the level's percent alone, which an hour or two before earned the same."""
    hour = receipt.at.astimezone(ZoneInfo(ZONE)).hour
    return 10 <= hour <= 13 and len(receipt.awards) == 1 and one.life.invitation is None


def _has_been_here(one: "Seeded", now: datetime) -> bool:
    return one.life.is_reachable(now) and one.life.is_reachable(now - timedelta(days=30))


def _first(shop: _Shop, count: int, fits: Callable[["Seeded", Receipt], bool]) -> Iterator[tuple["Seeded", Receipt]]:
    """So many sales that fit, of people without a claim."""
    for one, receipt in shop.sales:
        if count and one.claim is None and receipt.fiscal is None and fits(one, receipt):
            count -= 1
            yield one, receipt


def _credit(shop: _Shop) -> None:
    """Turn sales of the till into sales by the chat: small ones at once, the others by a person."""
    random = shop.random
    for one, receipt in _first(shop, CREDITED, _is_quiet):
        alone = receipt.total <= ALONE
        sent_at = receipt.at if alone else receipt.at - timedelta(minutes=random.randrange(20, 60))
        sold_at = (sent_at - timedelta(minutes=random.randrange(5, 30))).replace(second=0)
        one.claim = SeedClaim(
            one.id,
            shop.print(receipt.location_id),
            receipt.total,
            sold_at,
            sent_at,
            random.choice(list(ClaimSource)),
            receipt.location_id,
            ClaimState.APPROVED,
            receipt=receipt,
            staff_id=None if alone else random.choice(shop.staff),
            decided_at=receipt.at,
        )
        _become(receipt, ReceiptSource.CHAT, one.claim.key, sold_at=sold_at)


def _match(shop: _Shop) -> None:
    """Let a till of the shop's own have credited what was sent a little before."""
    for one, receipt in _first(shop, MATCHED, lambda _one, _receipt: True):
        one.claim = SeedClaim(
            one.id,
            shop.print(receipt.location_id),
            receipt.total,
            (receipt.at - timedelta(minutes=11)).replace(second=0),
            receipt.at - timedelta(minutes=6),
            ClaimSource.TEXT,
            receipt.location_id,
            ClaimState.MATCHED,
            receipt=receipt,
            decided_at=receipt.at + timedelta(seconds=40),
        )
        _become(receipt, ReceiptSource.API, one.claim.key)


def _refused(shop: _Shop, one: "Seeded", number: int) -> SeedClaim:
    """A claim that a colleague refused some days ago."""
    random, reason = shop.random, BY_HAND[number % len(BY_HAND)]
    location_id = None if reason is Refusal.NOT_OURS else shop.location()
    at = (shop.now - timedelta(days=3 + 3 * number, minutes=random.randrange(300))).replace(microsecond=0)
    return SeedClaim(
        one.id,
        shop.print(location_id),
        random.randrange(300, 2500) * 100,
        _by_day(random, at - timedelta(days=1)),
        at,
        random.choice(list(ClaimSource)),
        location_id,
        ClaimState.REFUSED,
        reason=reason.value,
        staff_id=random.choice(shop.staff),
        decided_at=at + timedelta(minutes=random.randrange(30, 600)),
    )


def _credit_to_another(shop: _Shop, one: "Seeded") -> None:
    """Let the till have credited to another card what this one sent, if there is such a sale."""
    for _other, receipt in _first(shop, 1, lambda _one, receipt: one.life.is_reachable(receipt.at - timedelta(days=1))):
        assert one.claim is not None, "it was refused"
        sent_at = receipt.at - timedelta(minutes=3)
        one.claim = replace(
            one.claim,
            key=shop.print(receipt.location_id),
            total=receipt.total,
            sold_at=(sent_at - timedelta(minutes=4)).replace(second=0),
            at=sent_at,
            location_id=receipt.location_id,
            reason=Refusal.CREDITED_TO_ANOTHER.value,
            staff_id=None,
            decided_at=receipt.at + timedelta(seconds=30),
        )
        _become(receipt, ReceiptSource.API, one.claim.key)


def _wait(shop: _Shop, people: Sequence["Seeded"]) -> None:
    """What lies there today, for each reason something."""
    lately = [
        receipt
        for one, receipt in shop.sales
        if one.claim is None and receipt.fiscal is None and shop.now - receipt.at < timedelta(days=12)
    ]
    reasons = (Wait.OVER_LIMIT, Wait.UNKNOWN_DRIVE, Wait.LOOKS_CREDITED, Wait.OVER_LIMIT, Wait.SUM_DIFFERS)
    for number, one in enumerate(people):
        claim = _waiting(shop, one, number, reasons[number % len(reasons)])
        if claim.reason == Wait.LOOKS_CREDITED:
            like = next((receipt for receipt in lately if receipt.at < claim.at - timedelta(minutes=10)), None)
            if like is None:
                claim.reason = Wait.OVER_LIMIT.value
            else:
                lately.remove(like)
                claim.key, claim.location_id, claim.total = shop.print(like.location_id), like.location_id, like.total
                claim.sold_at = like.at.replace(second=0)
        one.claim = claim


def _waiting(shop: _Shop, one: "Seeded", number: int, reason: Wait) -> SeedClaim:
    random = shop.random
    at = (shop.now - timedelta(hours=1 + 4 * number, minutes=random.randrange(50))).replace(microsecond=0)
    location_id = None if reason is Wait.UNKNOWN_DRIVE else shop.location()
    total = random.randrange(700, 3200) * 100
    return SeedClaim(
        one.id,
        shop.print(location_id),
        total,
        _by_day(random, at - timedelta(days=1)),
        at,
        ClaimSource.TEXT if number % 3 == 2 else ClaimSource.PHOTO,
        location_id,
        ClaimState.WAITING,
        reason=reason.value,
        reported=total - 150_00 if reason is Wait.SUM_DIFFERS else None,
    )


def _by_day(random: Random, at: datetime) -> datetime:
    """A moment of that day while the doors were open."""
    local = at.astimezone(ZoneInfo(ZONE)).replace(hour=random.randrange(9, 20), minute=random.randrange(60), second=0)
    return local.astimezone(at.tzinfo)


def _become(receipt: Receipt, source: ReceiptSource, key: FiscalKey, *, sold_at: datetime | None = None) -> None:
    """Let a sale have come by another way than the cashier page: by no person's hands."""
    assert receipt.draft is not None, "a sale has one"
    by_chat = source is ReceiptSource.CHAT
    receipt.draft = replace(
        receipt.draft, source=source, fiscal=key, proof=None, discounts_applied=by_chat, sold_at=sold_at
    )
    receipt.source, receipt.fiscal, receipt.staff_id = source, key, None
    receipt.external_id = f"{key.fn}-{key.i}-{key.fp}" if by_chat else f"pos-{key.i}"
    for entry in receipt.entries.values():
        entry.staff_id = None


async def write_claims(made: Sequence["Seeded"]) -> None:
    """COPY the claims, their photos, and what a provider told of them. The chats are written."""
    claims = sorted((one.claim for one in made if one.claim), key=lambda claim: claim.id)
    if not claims:
        return
    await db.copy_rows(
        "media",
        ["id", "message_id", "file_id", "mime", "size", "body", "state", "due_at", "attempts"],
        list(_photos(claims)),
    )
    columns = ["id", "customer_id", "fn", "i", "fp", "total", "sold_at", "source", "media_id", "location_id"]
    columns += ["state", "reason", "receipt_id", "staff_id", "created_at", "decided_at"]
    await db.copy_rows("fiscal_claim", columns, [_row(claim) for claim in claims])
    await db.copy_rows(
        "fiscal_report",
        ["fn", "i", "fp", "location_id", "total", "sold_at", "created_at"],
        [
            (c.key.fn, c.key.i, c.key.fp, c.location_id, c.reported, c.sold_at, c.sold_at + timedelta(minutes=2))
            for c in claims
            if c.reported is not None
        ],
    )
    for table in ("media", "fiscal_claim"):
        highest = f"(SELECT max(id) FROM {table})"  # noqa: S608  tables of ours
        await db.execute(f"SELECT setval('{table}_id_seq', {highest}) WHERE {highest} IS NOT NULL")


def _photos(claims: Sequence[SeedClaim]) -> Iterator[tuple[object, ...]]:
    for claim in claims:
        if claim.source is ClaimSource.PHOTO and claim.message_id:
            body, claim.media_id = photo_of(claim), claim.id
            yield claim.id, claim.message_id, "seed", "image/jpeg", len(body), body, "stored", claim.at, 1


def _row(claim: SeedClaim) -> tuple[object, ...]:
    return (
        claim.id,
        claim.customer_id,
        claim.key.fn,
        claim.key.i,
        claim.key.fp,
        claim.total,
        claim.sold_at,
        claim.source.value,
        claim.media_id,
        claim.location_id,
        claim.state.value,
        claim.reason,
        claim.receipt.id if claim.receipt else None,
        claim.staff_id,
        claim.at,
        claim.decided_at,
    )
