"""A fiscal receipt that was not credited at the till: its code as text, or in a photo that is read once it is here."""

from collections.abc import Sequence
from datetime import datetime

from bot.channels.base import EventKind
from bot.codes import PICTURES
from bot.dialogs import support
from bot.dialogs.base import CUSTOMER, Dialog, Reply, Turn, said
from bot.texts import say
from loyalty.conversations.actions.media import OpenMedia
from loyalty.conversations.kinds.claim_refused import WHY
from loyalty.conversations.rules import Outcome
from loyalty.errors import Invalid, Refused
from loyalty.receipts.actions.claims import claim_receipt
from loyalty.receipts.queries.claims import claims_are_taken
from loyalty.receipts.rules.claims import ClaimSource, ClaimState, FiscalQr, read_qr
from loyalty.shop.queries import shop

REFUSED = {
    "claimed_by_another": "fiscal.claimed_by_another",
    "fiscal_receipt_was_credited": "fiscal.credited_before",
    "claims_of_day": "fiscal.enough_today",
    "claims_not_taken": "fiscal.not_taken",
    "claim_not_a_sale": "fiscal.not_a_sale",
    "claim_in_future": "fiscal.in_future",
    "claim_too_old": "fiscal.too_old",
}
"""What is said when a receipt is not taken, by the reason."""


async def how(turn: Turn) -> Reply:
    """How to send a receipt."""
    key = "fiscal.how" if turn.programme.claim_days else "fiscal.not_taken"
    return Reply((said(turn.say(key), menu=turn.menu()),))


def is_meant(turn: Turn) -> bool:
    """Whether a registered customer sends a receipt, or what may hold the code of one."""
    event = turn.event
    if event.kind is EventKind.TEXT:
        try:
            return read_qr(event.text, turn.chain.exponent) is not None
        except Invalid:
            return True
    return event.kind is EventKind.PHOTO or (event.kind is EventKind.FILE and event.mime in PICTURES)


async def take(turn: Turn) -> Reply:
    """Claim the receipt of a text; of a picture say that it is looked into, unless its words are for people."""
    if turn.event.kind is EventKind.TEXT:
        return await _take_text(turn)
    if turn.event.text or turn.is_waiting or turn.is_staffed or not turn.programme.claim_days:
        return await support.pass_on(turn)
    return Reply((said(turn.say("fiscal.looking"), menu=turn.menu()),))


async def _take_text(turn: Turn) -> Reply:
    try:
        qr = read_qr(turn.event.text, turn.chain.exponent)
    except Invalid:
        return Reply((said(turn.say("fiscal.unreadable"), menu=turn.menu()),))
    assert qr is not None, "the engine asked whether it is one"
    words = await _claim(turn.customer_id(), qr, turn.language, source=ClaimSource.TEXT, media_id=None, now=turn.now)
    return Reply((said(words, menu=turn.menu()),) if words else ())


async def end_picture(chat: OpenMedia, *, media_id: int, texts: Sequence[str], now: datetime) -> Outcome:
    """What comes of a customer's picture, with the texts of the codes in it: a claim, or a look by people.

    While staff are waited for, a picture without a receipt is none of the bot's business.
    """
    if chat.customer_id is None or not await claims_are_taken(now):
        return Outcome()
    qr = _first_receipt(texts, (await shop()).exponent)
    if qr is not None:
        words = await _claim(chat.customer_id, qr, chat.language, source=ClaimSource.PHOTO, media_id=media_id, now=now)
        return Outcome(replies=(said(words),) if words else ())
    if chat.is_waiting:
        return Outcome()
    return Outcome(replies=(said(say(chat.language, "fiscal.no_code")),), waiting=True)


def _first_receipt(texts: Sequence[str], exponent: int) -> FiscalQr | None:
    for text in texts:
        try:
            qr = read_qr(text, exponent)
        except Invalid:
            continue
        if qr is not None:
            return qr
    return None


async def _claim(
    customer_id: int, qr: FiscalQr, language: str, *, source: ClaimSource, media_id: int | None, now: datetime
) -> str:
    """Claim a receipt; returns what to say of it, nothing when the news of the purchase says it."""
    try:
        claim, is_new = await claim_receipt(customer_id, qr, source=source, media_id=media_id, actor=CUSTOMER, now=now)
    except Refused as refused:
        details = {name: str(value) for name, value in refused.details.items()}
        return say(language, REFUSED[refused.reason], **details)
    if claim.state is ClaimState.WAITING:
        return say(language, "fiscal.waiting")
    if claim.state is ClaimState.REFUSED:
        why = WHY[claim.reason or "not_confirmed"]
        return say(language, "fiscal.refused", why=why.get(language, why["en"]))
    return "" if is_new else say(language, "fiscal.credited_before")


DIALOG = Dialog(commands={"receipt": how})
