"""Holds: bonuses set aside for a sale that is paid a little later."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from pydantic import Field

from admin_web.api.fields import Bonuses, Out
from admin_web.api.operations import Answer, Call, Operation
from admin_web.api.receipts import REPLAY, Receipt, recorded
from admin_web.api.sales import (
    SALE_REFUSALS,
    Basket,
    Fiscal,
    KeyText,
    SaleOfCustomer,
    draft_of,
    fiscal_key,
)
from loyalty.bonuses.queries import HoldView, hold, hold_by_key
from loyalty.bonuses.rules import HoldState
from loyalty.errors import NotFound
from loyalty.receipts.actions.holds import place_hold, void_hold
from loyalty.receipts.actions.sales import record_receipt
from loyalty.receipts.rules.sales import ReceiptDraft, ReceiptSource
from loyalty.staff.rules import Scope


class HoldBody(SaleOfCustomer):
    """The sale that is to come, and what to set aside for it."""

    external_id: KeyText
    burn: Annotated[Bonuses, Field(ge=1, description="Hundredths of a bonus to set aside.")]
    ask: Annotated[
        bool, Field(description="Ask the customer in their chat, who has two minutes to say yes, instead of a code.")
    ] = False


class ConfirmBody(Basket):
    """The sale as it was paid."""

    external_id: KeyText
    burn: Annotated[Bonuses, Field(description="Hundredths of a bonus; all that was set aside by default.")] | None = (
        None
    )
    fiscal: Fiscal | None = None


class Hold(Out):
    """Bonuses set aside, or asked for."""

    id: int
    location_id: int
    external_id: str
    customer_id: int
    total: int = Field(description="Minor units of the sale, after the personal discount.")
    amount: int = Field(description="Hundredths of a bonus.")
    state: str = Field(
        description="asked (the customer is to say yes), held, confirmed, voided, declined or lapsed.",
        examples=["held"],
    )
    created_at: datetime
    expires_at: datetime = Field(description="Until when it can be confirmed, or answered.")
    receipt_id: int | None = Field(description="Of a confirmed one.")


async def create_hold(call: Call) -> Answer:
    """Set bonuses aside once."""
    body: HoldBody = call.body
    call.check_location(body.location_id)
    seen = await hold_by_key(ReceiptSource.API.value, body.location_id, body.external_id)
    draft = await draft_of(
        call,
        body,
        external_id=body.external_id,
        burn=body.burn,
        seen_customer=seen.customer_id if seen else None,
    )
    placed = await place_hold(draft, ask=body.ask, actor=call.key.actor, now=call.now)
    if seen is not None:
        return Answer(_view(placed, call.now), headers=REPLAY)
    return Answer(_view(placed, call.now), status=201)


async def read_hold(call: Call) -> Answer:
    """As it stands now."""
    return Answer(_view(await _hold(call), call.now))


async def confirm_hold(call: Call) -> Answer:
    """Record the sale that the bonuses were set aside for, once."""
    body: ConfirmBody = call.body
    kept = await _hold(call)
    draft = ReceiptDraft(
        ReceiptSource.API,
        kept.location_id,
        body.external_id,
        kept.customer_id,
        body.total,
        kept.amount if body.burn is None else body.burn,
        lines=body.parts(),
        discounts_applied=body.discounts_applied,
        promo_code=body.promo_code,
        hold_id=kept.id,
    )
    draft = replace(draft, fiscal=fiscal_key(body.fiscal))
    return recorded(await record_receipt(draft, actor=call.key.actor, now=call.now))


async def end_hold(call: Call) -> Answer:
    """Let the bonuses go; twice is once."""
    kept = await _hold(call)
    return Answer(_view(await void_hold(kept.id, actor=call.key.actor, now=call.now), call.now))


async def _hold(call: Call) -> HoldView:
    """The hold in the path, of a location that the key speaks for."""
    found = await hold(call.id_in_path("hold"))
    if not call.key.reaches(found.location_id):
        raise NotFound("hold")
    return found


def _view(found: HoldView, now: datetime) -> Hold:
    same = {name: getattr(found, name) for name in Hold.model_fields if name != "state"}
    # The sweep that closes it comes a little after its time; nobody should count on it meanwhile.
    is_over = found.state in {HoldState.ASKED, HoldState.HELD} and now >= found.expires_at
    return Hold(**same, state=(HoldState.LAPSED if is_over else found.state).value)


TAG = "Holds"
OPERATIONS = (
    Operation(
        "POST",
        "/holds",
        "create_hold",
        "Set bonuses aside",
        "For a sale that is paid a little later, or for a customer who is not at the till: with `code` at once, with"
        " `ask` after their yes in the chat. A hold lives as long as the programme says (15 minutes by default), then"
        " it lapses. The same body under the same key gives the hold as it stands.",
        create_hold,
        {201: Hold, 200: Hold},
        TAG,
        scope=Scope.RECEIPTS_WRITE,
        body=HoldBody,
        refusals={
            403: ("location_is_not_yours",),
            404: ("customer", "location"),
            409: ("key_was_used", "no_chat_to_ask", *SALE_REFUSALS),
            429: ("too_many_codes",),
        },
        example={
            "external_id": "order-7781",
            "location_id": 1,
            "customer_id": 4711,
            "total": 184000,
            "burn": 20000,
            "ask": True,
        },
    ),
    Operation(
        "GET",
        "/holds/{id}",
        "read_hold",
        "Read a hold",
        "Ask every second or two whether an `asked` hold has become `held` or `declined`.",
        read_hold,
        {200: Hold},
        TAG,
        scope=Scope.RECEIPTS_READ,
        refusals={404: ("hold",)},
    ),
    Operation(
        "POST",
        "/holds/{id}/confirm",
        "confirm_hold",
        "Record the sale of a hold",
        "Records the receipt and spends what was set aside, even when it has expired meanwhile; the rest of the hold is"
        " free again. Customer and location are the hold's.",
        confirm_hold,
        {201: Receipt, 200: Receipt},
        TAG,
        scope=Scope.RECEIPTS_WRITE,
        body=ConfirmBody,
        refusals={
            404: ("hold",),
            409: ("key_was_used", "fiscal_receipt_was_credited", *SALE_REFUSALS),
        },
        example={"external_id": "till-3-000453", "total": 184000},
    ),
    Operation(
        "POST",
        "/holds/{id}/void",
        "void_hold",
        "Let a hold go",
        "The bonuses are free again. Twice is once; a confirmed hold stays.",
        end_hold,
        {200: Hold},
        TAG,
        scope=Scope.RECEIPTS_WRITE,
        refusals={404: ("hold",), 409: ("hold_is_over",)},
    ),
)
