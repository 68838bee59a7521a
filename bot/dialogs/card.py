"""My card: a QR and a code that change each half minute. Both are drawn when the message is sent."""

from bot.dialogs.base import Dialog, Reply, Turn
from loyalty.conversations.content import CARD, Content
from loyalty.conversations.rules import Said


async def show(turn: Turn) -> Reply:
    """Open the card; one that is open further up closes."""
    turn.customer_id()
    return Reply((Said(Content(picture=CARD), kind="card"),))


DIALOG = Dialog(commands={"card": show}, labels={"menu.card": "card"}, buttons={"card": show})
