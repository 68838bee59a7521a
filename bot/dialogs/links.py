"""Is it you who writes there? Whoever has the old chat says whose the new one is."""

from bot.dialogs.base import CUSTOMER, Dialog, Reply, Turn, button_value, old_button, said
from loyalty.customers.queries.links import link_request
from loyalty.errors import NotFound, Refused
from loyalty.office.actions.links import accept_link, refuse_link


async def answer(turn: Turn) -> Reply:
    """Yes gives that chat the card; no keeps it, and staff look at who that was."""
    word, _, number = button_value(turn.event).partition(".")
    if word not in {"yes", "no"} or not (number.isascii() and number.isdigit() and len(number) < 19):
        return old_button(turn)
    try:
        request = await link_request(int(number))
    except NotFound:
        return old_button(turn)
    if request.customer_id != turn.customer_id():
        return old_button(turn)
    try:
        if word == "no":
            await refuse_link(request.id, actor=CUSTOMER, now=turn.now)
            return Reply((said(turn.say("link.refused")),), waiting=True, removes_buttons=True)
        await accept_link(request.id, actor=CUSTOMER, now=turn.now)
    except Refused as refused:
        if refused.reason == "cards_must_be_merged":
            return Reply((said(turn.say("link.merge")),), waiting=True, removes_buttons=True)
        return Reply((said(turn.say("link.closed")),), removes_buttons=True)
    return Reply((said(turn.say("link.accepted")),), removes_buttons=True)


DIALOG = Dialog(buttons={"link": answer})
