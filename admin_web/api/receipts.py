"""Receipts: what a sale would move, recording it once, reading it back, taking it back."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from admin_web.api.fields import Bonuses, Id, In, LocationId, Out
from admin_web.api.operations import Answer, Call, Operation
from admin_web.api.sales import (
    SALE_REFUSALS,
    Fiscal,
    KeyText,
    SaleOfCustomer,
    draft_of,
    fiscal_key,
)
from loyalty.errors import NotFound
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.receipts.actions.sales import record_receipt
from loyalty.receipts.queries import ReceiptView, lines_of, quote_for, receipt, receipt_by_key
from loyalty.receipts.rules.refunds import LineRefund
from loyalty.receipts.rules.sales import LINES_AT_MOST, ReceiptSource, Recorded
from loyalty.staff.rules import Scope

REPLAY = {"Idempotent-Replay": "true"}


class QuoteBody(SaleOfCustomer):
    """A sale that is being thought about."""

    burn: Annotated[Bonuses, Field(description="Hundredths of a bonus to pay with; 0 to be told the limit.")] = 0


class ReceiptBody(SaleOfCustomer):
    """A sale to record."""

    external_id: KeyText
    burn: Annotated[Bonuses, Field(description="Hundredths of a bonus that pay a part of it.")] = 0
    hold_id: Annotated[Id, Field(description="Bonuses that were set aside for this sale.")] | None = None
    fiscal: Fiscal | None = None


class RefundLine(In):
    """A line to take back."""

    position: Annotated[int, Field(ge=1, le=LINES_AT_MOST, description="Its place in the receipt, from 1.")]
    amount: Annotated[int, Field(ge=1, le=10**13, description="Minor units of it; all that is left by default.")] | (
        None
    ) = None


class RefundBody(In):
    """What to take back: a sum, some lines, or with neither all that is left."""

    key: Annotated[
        KeyText, Field(description="The till's own key of this refund, unique among receipts and refunds there.")
    ]
    amount: Annotated[int, Field(ge=1, le=10**13, description="Minor units.")] | None = None
    lines: Annotated[tuple[RefundLine, ...], Field(max_length=LINES_AT_MOST)] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.amount is not None and self.lines:
            raise PydanticCustomError("sum_or_lines", "a sum or lines")
        return self


class ReceiptQuery(In):
    """The key that the till gave."""

    location_id: LocationId
    external_id: KeyText


class Award(Out):
    """What one rule gives, and on what."""

    rule: str = Field(examples=["tier_percent"])
    name: str = Field(description="As the owner calls it; empty for the level's own percent.")
    base: int = Field(description="Minor units.")
    rate_bp: int = Field(description="Hundredths of a percent; 0 for a fixed sum.")
    bonuses: int = Field(description="Hundredths of a bonus.")


class LineShare(Out):
    """A line with its shares."""

    total: int = Field(description="Minor units, after the discount.")
    discount: int = Field(description="Minor units.")
    burnt: int = Field(description="Hundredths of a bonus.")
    earned: int = Field(description="Hundredths of a bonus.")


class Quote(Out):
    """What a sale would move. Nothing has moved."""

    customer_id: int
    total: int = Field(description="Minor units, after the personal discount, before bonuses.")
    discount: int = Field(description="Minor units of personal discount.")
    burn: int = Field(description="Hundredths of a bonus.")
    burn_limit: int = Field(description="The most that may be burnt, in hundredths; 0 without proof of presence.")
    burn_limit_with_proof: int = Field(
        description="The most that could be burnt once the customer's presence is proved, in hundredths."
    )
    presence: str | None = Field(description="What lets this sale burn: code, chat or relaxed; null: nothing does.")
    pay: int = Field(description="Minor units to take in money.")
    earned: int = Field(description="Hundredths of a bonus.")
    spendable_from: datetime | None = Field(description="When they can be spent; null: at once.")
    balance_after: int = Field(description="Hundredths of a bonus, pending ones too.")
    tier_id_after: int = Field(description="The level after the sale.")
    tier_name_after: str
    awards: list[Award]
    lines: list[LineShare] = Field(description="In the order they were sent; one at least.")


class Receipt(Out):
    """The answer to a recorded sale or refund; the same again for the same key and body.

    Of a refund `burnt` came back to the customer and `earned` was taken back.
    """

    id: int
    total: int = Field(description="Minor units, after the personal discount, before bonuses.")
    discount: int = Field(description="Minor units of personal discount.")
    paid: int = Field(description="Minor units: the money to take, or of a refund to give back.")
    burnt: int = Field(description="Hundredths of a bonus.")
    earned: int = Field(description="Hundredths of a bonus.")
    balance_after: int = Field(description="Hundredths of a bonus, pending ones too.")
    spendable_from: datetime | None = Field(description="When the earned can be spent; null: at once.")
    forgiven: int = Field(description="Of a refund: earned bonuses that were due and not taken back, in hundredths.")
    kept_back: int = Field(description="Of a refund: minor units the till keeps for bonuses that were spent.")


class StoredLine(Out):
    """A line of a receipt, or what a refund took back of it."""

    position: int
    name: str
    sku: str
    category: str
    total: int = Field(description="Minor units, after discounts.")
    discount: int = Field(description="Minor units.")
    burnt: int = Field(description="Hundredths of a bonus.")
    earned: int = Field(description="Hundredths of a bonus.")
    refunded: int = Field(description="Minor units that refunds by line took so far.")


class StoredReceipt(Out):
    """A receipt as it stands."""

    id: int
    kind: str = Field(description="sale or refund.")
    source: str = Field(description="till (the cashier page), api, import or chat (sent by the customer).")
    external_id: str
    at: datetime
    location_id: int
    customer_id: int
    total: int = Field(description="Minor units, after discounts, before bonuses.")
    discount: int = Field(description="Minor units.")
    paid: int = Field(description="Minor units.")
    burnt: int = Field(description="Hundredths of a bonus.")
    earned: int = Field(description="Hundredths of a bonus.")
    refunded: int = Field(description="Minor units taken back so far.")
    forgiven: int = Field(description="Of a refund: hundredths of a bonus that were due and not taken back.")
    kept_back: int = Field(description="Of a refund: minor units that the till kept back.")
    original_id: int | None = Field(description="Of a refund: the sale.")
    tier_id: int = Field(description="By whose rate it earned.")
    promo_code: str | None
    lines: list[StoredLine] = Field(description="Empty for a receipt that came without lines.")


class ReceiptList(Out):
    """The receipt under a key, or nothing."""

    receipts: list[StoredReceipt]


async def make_quote(call: Call) -> Answer:
    """What the sale would move."""
    body: QuoteBody = call.body
    call.check_location(body.location_id)
    draft = await draft_of(call, body, external_id="quote", burn=body.burn)
    found = await quote_for(draft, now=call.now)
    return Answer(
        Quote(
            customer_id=draft.customer_id,
            total=found.total,
            discount=found.discount,
            burn=found.burn,
            burn_limit=found.burn_limit,
            burn_limit_with_proof=found.with_proof,
            presence=found.presence.value if found.presence else None,
            pay=found.pay,
            earned=found.earn,
            spendable_from=found.dates.activates_at if found.earn and found.dates.activates_at > call.now else None,
            balance_after=found.balance_after,
            tier_id_after=found.tier_after.id,
            tier_name_after=found.tier_after.name,
            awards=[
                Award(rule=one.rule, name=one.name, base=one.base, rate_bp=one.rate_bp, bonuses=one.bonuses)
                for one in found.awards
            ],
            lines=[
                LineShare(total=line.total, discount=line.discount, burnt=line.burnt, earned=line.earned)
                for line in found.lines
            ],
        )
    )


async def create_receipt(call: Call) -> Answer:
    """Record the sale once."""
    body: ReceiptBody = call.body
    call.check_location(body.location_id)
    seen = None
    if body.code is not None:
        seen = await receipt_by_key(ReceiptSource.API, body.location_id, body.external_id)
    draft = await draft_of(
        call,
        body,
        external_id=body.external_id,
        burn=body.burn,
        seen_customer=seen.customer_id if seen else None,
    )
    draft = replace(draft, hold_id=body.hold_id, fiscal=fiscal_key(body.fiscal))
    return recorded(await record_receipt(draft, actor=call.key.actor, now=call.now))


async def create_refund(call: Call) -> Answer:
    """Take a sale back, or a part of it, once."""
    body: RefundBody = call.body
    sale = await _receipt(call)
    done = await refund_receipt(
        sale.id,
        body.amount,
        lines=[LineRefund(line.position, line.amount) for line in body.lines],
        key=body.key,
        source=ReceiptSource.API,
        actor=call.key.actor,
        now=call.now,
    )
    return recorded(done)


async def read_receipt(call: Call) -> Answer:
    """One receipt by id."""
    return Answer(await _stored(await _receipt(call)))


async def find_receipt(call: Call) -> Answer:
    """The receipt that a till of the API recorded under its key."""
    query: ReceiptQuery = call.query
    call.check_location(query.location_id)
    found = await receipt_by_key(ReceiptSource.API, query.location_id, query.external_id)
    return Answer(ReceiptList(receipts=[await _stored(found)] if found else []))


def recorded(done: Recorded) -> Answer:
    """The answer to what was recorded now, or before under the same key."""
    body = Receipt(
        id=done.receipt_id,
        total=done.total,
        discount=done.discount,
        paid=done.paid,
        burnt=done.burnt,
        earned=done.earned,
        balance_after=done.balance,
        spendable_from=datetime.fromisoformat(done.spendable_from) if done.spendable_from else None,
        forgiven=done.forgiven,
        kept_back=done.kept_back,
    )
    return Answer(body, status=200, headers=REPLAY) if done.repeated else Answer(body, status=201)


async def _receipt(call: Call) -> ReceiptView:
    """The receipt in the path, of a location that the key speaks for."""
    found = await receipt(call.id_in_path("receipt"))
    if not call.key.reaches(found.location_id):
        raise NotFound("receipt")
    return found


async def _stored(found: ReceiptView) -> StoredReceipt:
    same = {name: getattr(found, name) for name in StoredReceipt.model_fields if name != "lines"}
    lines = [
        StoredLine(**{name: getattr(line, name) for name in StoredLine.model_fields})
        for line in await lines_of(found.id)
    ]
    return StoredReceipt(**same, lines=lines)


TAG = "Receipts"
SALE = {"location_id": 1, "customer_id": 4711, "code": "482913", "total": 184000, "burn": 20000}
OPERATIONS = (
    Operation(
        "POST",
        "/quote",
        "make_quote",
        "Ask what a sale would move",
        "Nothing moves. `code` proves that the customer is there, which burning needs: the six digits on the card with"
        " `customer_id`, or alone, or the fourteen of its QR code. Wrong codes are counted by key.",
        make_quote,
        {200: Quote},
        TAG,
        scope=Scope.RECEIPTS_READ,
        body=QuoteBody,
        refusals={
            403: ("location_is_not_yours",),
            404: ("customer", "location"),
            409: SALE_REFUSALS,
            429: ("too_many_codes",),
        },
        example=SALE,
    ),
    Operation(
        "POST",
        "/receipts",
        "create_receipt",
        "Record a sale",
        "Earns, burns and counts in one step, once for each `external_id` of a location: the same body again gives the"
        " first answer with 200 and `Idempotent-Replay: true`. What may be burnt is computed again, whatever a quote"
        " said. With `hold_id` the burn takes what was set aside.",
        create_receipt,
        {201: Receipt, 200: Receipt},
        TAG,
        scope=Scope.RECEIPTS_WRITE,
        body=ReceiptBody,
        refusals={
            403: ("location_is_not_yours",),
            404: ("customer", "location", "hold"),
            409: ("key_was_used", "fiscal_receipt_was_credited", *SALE_REFUSALS),
            429: ("too_many_codes",),
        },
        example={
            "external_id": "till-3-000451",
            **SALE,
            "lines": [
                {"total": 150000, "name": "Coffee beans", "sku": "CB-1", "category": "coffee"},
                {"total": 34000, "name": "Cake", "sku": "CK-7", "category": "bakery"},
            ],
        },
    ),
    Operation(
        "GET",
        "/receipts",
        "find_receipt",
        "Read a receipt back by its key",
        "What the till recorded under its `external_id`; an empty list when nothing was.",
        find_receipt,
        {200: ReceiptList},
        TAG,
        scope=Scope.RECEIPTS_READ,
        query=ReceiptQuery,
        refusals={403: ("location_is_not_yours",)},
        example="location_id=1&external_id=till-3-000451",
    ),
    Operation(
        "GET",
        "/receipts/{id}",
        "read_receipt",
        "Read a receipt",
        "A sale or a refund, with its lines.",
        read_receipt,
        {200: StoredReceipt},
        TAG,
        scope=Scope.RECEIPTS_READ,
        refusals={404: ("receipt",)},
    ),
    Operation(
        "POST",
        "/receipts/{id}/refunds",
        "create_refund",
        "Refund a sale",
        "By `amount`, by `lines`, or with neither all that is left. Burnt bonuses return with their old dates; earned"
        " ones are taken back. `paid` is the money to give back, less `kept_back`.",
        create_refund,
        {201: Receipt, 200: Receipt},
        TAG,
        scope=Scope.RECEIPTS_WRITE,
        body=RefundBody,
        refusals={
            404: ("receipt",),
            409: ("key_was_used", "not_a_sale", "already_refunded", "refund_over_original"),
        },
        example={"key": "till-3-000452", "amount": 34000},
    ),
)
