"""Fiscal receipts from the chat in words: where they stand, why they wait, why they were refused."""

from admin_web.i18n import gettext, mark
from loyalty.receipts.rules.claims import ClaimState

STATES = {
    ClaimState.WAITING: (mark("Waits"), "warn"),
    ClaimState.APPROVED: (mark("Credited"), "good"),
    ClaimState.MATCHED: (mark("Credited at the till"), "good"),
    ClaimState.REFUSED: (mark("Refused"), "bad"),
}
"""State -> (its name, the tint of its badge)."""

WAITS = {
    "unknown_drive": mark("No location of yours has this cash register. Was it sold by you?"),
    "looks_credited": mark("It looks like a receipt that was credited already."),
    "sum_differs": mark("The till told of another sum for this receipt."),
    "over_limit": mark("The sum is above what is credited without a look."),
    "receipts_of_day": mark("The customer had as many receipts that day as the programme credits."),
    "receipt_too_soon": mark("It came too soon after the customer's last receipt."),
    "location_is_closed": mark("The location is closed."),
    "fiscal_receipt_was_credited": mark("It was being credited at a till at the same moment."),
}
REFUSED = {
    "credited_to_another": mark("The till credited it to another customer"),
    "not_confirmed": mark("Our cash registers know of no such sale"),
    "credited_before": mark("Credited at the till already"),
    "returned": mark("What was bought was returned"),
    "not_ours": mark("Not a receipt of ours"),
}


def why_text(state: ClaimState, reason: str | None) -> str:
    """Why a claim waits, or why it was refused; empty for one that was credited."""
    if state is ClaimState.WAITING:
        return gettext(WAITS.get(reason or "", mark("It could not be credited by itself.")))
    return gettext(REFUSED[reason]) if state is ClaimState.REFUSED and reason in REFUSED else ""
