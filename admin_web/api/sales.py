"""What quotes, receipts and holds share: a sale as a till sends it, and whose it is."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from admin_web.api.customers import guesser_of
from admin_web.api.fields import STORABLE, Bonuses, Code, Id, In, LocationId, Money
from admin_web.api.operations import Call
from admin_web.card_codes import CARD_DIGITS, held_card, proof_by
from loyalty.customers.queries import find_by_card_number
from loyalty.customers.rules import CODE_DIGITS, CardProof
from loyalty.errors import Conflict, Refused
from loyalty.receipts.rules.sales import KEY_LENGTH, LINES_AT_MOST, FiscalKey, Line, ReceiptDraft, ReceiptSource

KeyText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=KEY_LENGTH,
        description="The till's own key, made before its first try and unique in the location.",
        examples=["till-3-000451"],
    ),
    STORABLE,
]

SALE_REFUSALS = (
    "location_is_closed",
    "card_was_merged",
    "burn_needs_presence",
    "burn_not_a_step",
    "burn_over_limit",
    "code_is_unknown",
    "code_is_ambiguous",
    "code_is_old",
    "code_was_used",
    "hold_of_another",
    "hold_is_over",
    "nothing_to_pay",
    "receipts_of_day",
    "burns_of_day",
    "receipt_too_soon",
    "promo_code_unknown",
    "promo_code_not_now",
    "promo_code_was_used",
    "promo_code_is_over",
)


class SaleLine(In):
    """A line of a receipt. `total` is for all of its pieces."""

    total: Money
    name: Annotated[str, Field(max_length=200), STORABLE] = ""
    sku: Annotated[str, Field(max_length=64), STORABLE] = ""
    category: Annotated[str, Field(max_length=64, description="Rules of the programme may name it."), STORABLE] = ""


class Fiscal(In):
    """What tells a fiscal receipt from every other."""

    fn: Annotated[str, Field(pattern=r"^[0-9]{1,16}$", description="Number of the fiscal drive.")]
    i: Annotated[int, Field(ge=0, lt=10**10, description="Number of the document.")]
    fp: Annotated[int, Field(ge=0, lt=10**10, description="Fiscal sign.")]


class Basket(In):
    """What is sold."""

    total: Annotated[
        int,
        Field(
            ge=1,
            le=10**13,
            description="Minor units, before bonuses and before the personal discount, unless `discounts_applied`.",
            examples=[184000],
        ),
    ]
    lines: Annotated[
        tuple[SaleLine, ...],
        Field(
            max_length=LINES_AT_MOST,
            description="Their totals add up to `total`. Without lines the receipt is one line.",
        ),
    ] = ()
    discounts_applied: Annotated[
        bool, Field(description="The till has subtracted the personal discount itself; none is taken again.")
    ] = False
    promo_code: Annotated[str, Field(min_length=1, max_length=32), STORABLE] | None = None

    def parts(self) -> tuple[Line, ...]:
        """The lines as the house knows them."""
        return tuple(Line(line.total, line.name, line.sku, line.category) for line in self.lines)


class SaleOfCustomer(Basket):
    """What is sold, where and to whom."""

    location_id: LocationId
    customer_id: Annotated[Id, Field(description="Whose sale it is; without it `code` says so.")] | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if self.customer_id is None and self.code is None:
            raise PydanticCustomError("nobody_named", "nobody named")
        return self


async def draft_of(
    call: Call, sale: SaleOfCustomer, *, external_id: str, burn: Bonuses, seen_customer: int | None = None
) -> ReceiptDraft:
    """The sale as the house takes it. `seen_customer`: whose the operation was when its key was used before.

    A code is looked at only for a new operation: the one that comes again after a lost answer carries the same code,
    which may have paid already. Raises Refused("code_is_unknown" | "code_is_ambiguous" | "too_many_codes").
    """
    if seen_customer is not None:
        await _check_same_card(sale, seen_customer)
        customer_id, proof = sale.customer_id or seen_customer, None
    else:
        customer_id, proof = await _holder(call, sale)
    return ReceiptDraft(
        ReceiptSource.API,
        sale.location_id,
        external_id,
        customer_id,
        sale.total,
        burn,
        proof,
        lines=sale.parts(),
        discounts_applied=sale.discounts_applied,
        promo_code=sale.promo_code,
    )


def fiscal_key(fiscal: Fiscal | None) -> FiscalKey | None:
    """The fiscal key as the house knows it."""
    return FiscalKey(fiscal.fn, fiscal.i, fiscal.fp) if fiscal is not None else None


async def _check_same_card(sale: SaleOfCustomer, seen_customer: int) -> None:
    """Raise Conflict when a QR code names somebody else than whom the key was used for."""
    if sale.code is None or len(sale.code) == CODE_DIGITS:
        return
    if await find_by_card_number(sale.code[:CARD_DIGITS]) != seen_customer:
        raise Conflict("key_was_used")


async def _holder(call: Call, sale: SaleOfCustomer) -> tuple[int, CardProof | None]:
    """Whose sale it is, and what proves that they are there."""
    if sale.code is None:
        assert sale.customer_id is not None, "the model asks for one of them"
        return sale.customer_id, None
    if sale.customer_id is not None and len(sale.code) == CODE_DIGITS:
        proof = await proof_by(call.request, sale.customer_id, sale.code, guesser=guesser_of(call))
        if proof is None:
            raise Refused("code_is_unknown")
        return sale.customer_id, proof
    card = await held_card(call.request, sale.code, guesser=guesser_of(call))
    if card is None or sale.customer_id not in (None, card.customer_id):
        raise Refused("code_is_unknown")
    if card.proof is None:
        raise Refused("code_is_old")
    return card.customer_id, card.proof
