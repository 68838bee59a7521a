"""The menu: what /start and /menu show to somebody who is registered."""

from bot.dialogs.base import Dialog, Reply, Turn, said
from loyalty.customers.queries import customer


async def hello(turn: Turn) -> Reply:
    """A greeting with the keyboard."""
    person = await customer(turn.customer_id())
    return Reply((said(turn.say("menu.hello", name=person.name.split()[0]), menu=turn.menu()),))


DIALOG = Dialog(commands={"menu": hello})
