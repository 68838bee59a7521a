"""The customer's yes or no to a cashier who asks to pay with bonuses."""

from bot.dialogs.base import CUSTOMER, Dialog, Reply, Turn, button_value, old_button, said
from loyalty.bonuses.rules import HoldState
from loyalty.errors import NotFound, Refused
from loyalty.receipts.actions.holds import decide_hold


async def answer(turn: Turn) -> Reply:
    """One tap decides; the second tap, or a tap after the two minutes, changes nothing and says so."""
    word, _, number = button_value(turn.event).partition(".")
    if word not in {"yes", "no"} or not (number.isascii() and number.isdigit() and len(number) < 19):
        return old_button(turn)
    try:
        decided = await decide_hold(int(number), turn.customer_id(), agreed=word == "yes", actor=CUSTOMER, now=turn.now)
    except NotFound:
        return old_button(turn)
    except Refused as refused:
        key = "hold.gone" if refused.reason == "burn_over_limit" else "hold.late"
        return Reply((said(turn.say(key)),), removes_buttons=True)
    if decided.state is HoldState.DECLINED:
        return Reply((said(turn.say("hold.declined")),), removes_buttons=True)
    return Reply((said(turn.say("hold.agreed", amount=turn.bonuses(decided.amount))),), removes_buttons=True)


DIALOG = Dialog(buttons={"hold": answer})
