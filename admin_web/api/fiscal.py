"""Fiscal receipts that a till or a fiscal data provider tells of without knowing the customer."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from admin_web.api.fields import LocationId, Moment, Out
from admin_web.api.operations import Answer, Call, Operation
from admin_web.api.receipts import REPLAY, TAG
from admin_web.api.sales import Fiscal
from loyalty.receipts.actions.claims import report_fiscal_receipt
from loyalty.receipts.rules.sales import FiscalKey
from loyalty.staff.rules import Scope


class FiscalReceiptBody(Fiscal):
    """A fiscal receipt as it was printed."""

    location_id: LocationId
    total: Annotated[int, Field(ge=1, le=10**13, description="Minor units, as printed.", examples=[50000])]
    sold_at: Annotated[Moment, Field(description="When it was printed.")]


class FiscalReceipt(Out):
    """A fiscal receipt as it was told of."""

    id: int
    fn: str
    i: int
    fp: int
    location_id: int
    total: int = Field(description="Minor units.")
    sold_at: datetime
    created_at: datetime = Field(description="When it was told of first.")


async def tell_fiscal_receipt(call: Call) -> Answer:
    """Keep it once, and decide on the customer's claim that waits for it."""
    body: FiscalReceiptBody = call.body
    call.check_location(body.location_id)
    report, is_new = await report_fiscal_receipt(
        FiscalKey(body.fn, body.i, body.fp),
        location_id=body.location_id,
        total=body.total,
        sold_at=body.sold_at,
        actor=call.key.actor,
        now=call.now,
    )
    told = FiscalReceipt(
        id=report.id,
        fn=report.key.fn,
        i=report.key.i,
        fp=report.key.fp,
        location_id=report.location_id,
        total=report.total,
        sold_at=report.sold_at,
        created_at=report.created_at,
    )
    return Answer(told, status=201) if is_new else Answer(told, headers=REPLAY)


OPERATIONS = (
    Operation(
        "POST",
        "/fiscal-receipts",
        "tell_fiscal_receipt",
        "Tell of a fiscal receipt",
        "For a till or a fiscal data provider that does not know the customer. Whoever sends the QR code of this"
        " receipt in the chat is credited without a person looking at it, when the sums agree and nothing like it was"
        " credited already; a customer who has sent it and waits is credited now. Told once for each `fn`, `i` and"
        " `fp`: the same body again is answered with 200 and `Idempotent-Replay: true`.",
        tell_fiscal_receipt,
        {201: FiscalReceipt, 200: FiscalReceipt},
        TAG,
        scope=Scope.RECEIPTS_WRITE,
        body=FiscalReceiptBody,
        refusals={403: ("location_is_not_yours",), 404: ("location",), 409: ("key_was_used",)},
        example={
            "fn": "9960440300123456",
            "i": 451,
            "fp": 3915461783,
            "location_id": 1,
            "total": 50000,
            "sold_at": "2026-11-22T15:30:00+03:00",
        },
    ),
)
