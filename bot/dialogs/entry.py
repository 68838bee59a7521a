"""Coming by an entry link: a code on a table, a flyer, a page. Who opened it is kept, and whom it brought."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.channels.base import Event, EventKind
from bot.dialogs.base import CUSTOMER, Turn
from loyalty.customers.actions.entry_links import keep_entry_link, open_entry_link
from loyalty.customers.rules import REFERRAL_LENGTH

PAYLOAD = "e_"
"""What stands before the code in a link; the panel draws it."""


def code_in(event: Event) -> str:
    """The code of the entry link by which somebody comes; empty without one."""
    words = event.text.split() if event.kind is EventKind.START else []
    if len(words) != 2 or not words[1].startswith(PAYLOAD):
        return ""
    code = words[1].removeprefix(PAYLOAD)
    return code.upper() if len(code) == REFERRAL_LENGTH and code.isascii() and code.isalnum() else ""


async def opened(turn: Turn) -> Turn:
    """Keep that the chat was opened by a link; a registration remembers the first one by which its person came."""
    code = code_in(turn.event)
    if not code:
        return turn
    link_id = await open_entry_link(code, turn.account.id, now=turn.now)
    if link_id is None or turn.account.customer_id is not None or "entry_link" in turn.session.data:
        return turn
    return replace(turn, session=replace(turn.session, data={**turn.session.data, "entry_link": link_id}))


async def keep(turn: Turn, customer_id: int, data: Mapping[str, Any]) -> None:
    """Keep by which link this newcomer came, if by any."""
    if "entry_link" in data:
        await keep_entry_link(customer_id, data["entry_link"], actor=CUSTOMER, now=turn.now)
