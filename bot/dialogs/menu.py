"""The menu: what /start and /menu show to somebody who is registered."""

from bot.channels.base import EventKind
from bot.dialogs.base import Dialog, Reply, Turn, said
from loyalty.customers.queries import customer


async def hello(turn: Turn) -> Reply:
    """A greeting with the keyboard; whoever gets no offers any more is told how to have them again."""
    person = await customer(turn.customer_id())
    lines = [turn.say("menu.hello", name=person.name.split()[0])]
    if turn.event.kind is EventKind.START and not turn.account.takes_marketing:
        lines.append(turn.say("topics.how_back"))
    return Reply((said("\n\n".join(lines), menu=turn.menu()),))


DIALOG = Dialog(commands={"menu": hello}, labels={"menu.word": "menu"})
