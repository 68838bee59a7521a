"""Coming for a purchase: the link that the till shows to somebody who is not registered yet."""

from collections.abc import Sequence
from dataclasses import replace

from bot.channels.base import Event, EventKind
from bot.dialogs import menu
from bot.dialogs.base import Reply, Turn, said
from loyalty.receipts.actions.waiting import credit_waiting_sales
from loyalty.receipts.queries.waiting import came_in_vain
from loyalty.receipts.rules.waiting import is_token

PAYLOAD = "j_"
"""What stands before the token in a link; the till draws it."""
SALES_AT_MOST = 10
"""Of how many purchases a registration keeps the links; whoever breaks it off may come by another one."""


async def hello(turn: Turn) -> Reply:
    """A greeting; and whoever comes by the link of a purchase is credited for it."""
    token = token_in(turn.event)
    in_vain = token != "" and await credit_in_vain(turn, turn.customer_id(), [token])
    greeting = await menu.hello(turn)
    return replace(greeting, said=(said(turn.say("join.over")), *greeting.said)) if in_vain else greeting


async def credit_in_vain(turn: Turn, customer_id: int, tokens: Sequence[str]) -> bool:
    """Credit what waits for a customer and the purchases of their links; whether one of these was gone."""
    await credit_waiting_sales(customer_id, tokens=tokens, now=turn.now)
    return bool(tokens) and await came_in_vain(customer_id, tokens)


def token_in(event: Event) -> str:
    """The token of the link by which somebody comes; empty without one."""
    words = event.text.split() if event.kind is EventKind.START else []
    if len(words) != 2 or not words[1].startswith(PAYLOAD):
        return ""
    token = words[1].removeprefix(PAYLOAD)
    return token if is_token(token) else ""


def remembering_sale(turn: Turn) -> Turn:
    """The turn whose session knows for which purchases its person came."""
    token, known = token_in(turn.event), turn.session.data.get("sales", [])
    if not token or token in known or len(known) >= SALES_AT_MOST:
        return turn
    return replace(turn, session=replace(turn.session, data={**turn.session.data, "sales": [*known, token]}))
