"""The last purchases and other movements, newest first, a page at a time."""

from datetime import UTC, datetime

from bot.dialogs.base import Dialog, Reply, Turn, button_value, said
from bot.texts import TEXTS
from loyalty import wording
from loyalty.clock import business_date
from loyalty.conversations.content import Button
from loyalty.receipts.queries import Movement, movements


async def show(turn: Turn) -> Reply:
    """A page of the history, the first or the one that a button asks for."""
    found, following = await movements(turn.customer_id(), before=_place(button_value(turn.event)))
    # Here one looks for a purchase that is missing.
    hint = [turn.say("fiscal.hint")] if turn.programme.claim_days else []
    if not found:
        return Reply((said("\n\n".join([turn.say("history.empty"), *hint]), menu=turn.menu()),))
    lines = [_line(turn, movement) for movement in found]
    text = "\n\n".join([turn.say("history.title"), *lines, *hint])
    if following is None:
        return Reply((said(text, menu=turn.menu()),))
    earlier = Button(turn.say("history.earlier"), f"history:{int(following.timestamp() * 1_000_000)}:")
    return Reply((said(text, buttons=((earlier,),)),))


def _line(turn: Turn, movement: Movement) -> str:
    day = wording.day(business_date(movement.at, turn.chain.time_zone), turn.language)
    if movement.location_name is None:
        key = f"event.{movement.event}" if f"event.{movement.event}" in TEXTS["en"] else "event.other"
        sign = "+" if movement.amount > 0 else ""
        return turn.say("history.entry", day=day, event=turn.say(key), amount=sign + turn.bonuses(movement.amount))
    is_sale = movement.kind == "sale"
    what = turn.say(
        "history.sale" if is_sale else "history.refund",
        day=day,
        location=movement.location_name,
        total=turn.money(movement.total),
    )
    plus, minus = (movement.earned, movement.burnt) if is_sale else (movement.burnt, movement.earned)
    amounts = [turn.say("history.earned", bonuses=turn.bonuses(plus))] if plus else []
    amounts += [turn.say("history.burnt", bonuses=turn.bonuses(minus))] if minus else []
    return "\n".join([what, ", ".join(amounts)]) if amounts else what


def _place(value: str) -> datetime | None:
    if not (value.isascii() and value.isdigit() and len(value) < 18):
        return None
    return datetime.fromtimestamp(int(value) / 1_000_000, UTC)


DIALOG = Dialog(commands={"history": show}, labels={"menu.history": "history"}, buttons={"history": show})
