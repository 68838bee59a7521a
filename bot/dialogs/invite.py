"""Invite a friend: the link, what both get, how many came. Link and code are drawn when the message is sent."""

from dataclasses import replace

from bot.channels.base import Event, EventKind
from bot.dialogs.base import Dialog, Reply, Turn
from loyalty.bonuses.queries import invited_count
from loyalty.conversations.content import INVITATION, Content
from loyalty.conversations.rules import Said
from loyalty.customers.actions.profile import referral_code_of
from loyalty.customers.rules import REFERRAL_LENGTH

PAYLOAD = "r_"
"""What stands before the code in a link."""


async def show(turn: Turn) -> Reply:
    """The customer's own link, with what it brings."""
    customer_id = turn.customer_id()
    await referral_code_of(customer_id)
    programme, (came, paid) = turn.programme, await invited_count(customer_id)
    lines = [turn.say("invite.title")]
    if programme.referral_bonus:
        lines.append(turn.say("invite.mine", bonuses=turn.bonuses(programme.referral_bonus)))
    if programme.referral_invitee_bonus:
        lines.append(turn.say("invite.theirs", bonuses=turn.bonuses(programme.referral_invitee_bonus)))
    if came:
        lines.append(turn.say("invite.came", came=str(came), paid=str(paid)))
    # A list under a picture is more than messengers without a keyboard can show.
    content = Content(text="\n".join(lines), picture=INVITATION, menu=turn.menu() if turn.can.has_menu else None)
    return Reply((Said(content, kind="invitation"),))


def code_in(event: Event) -> str:
    """The code of the invitation by which somebody comes; empty without one."""
    words = event.text.split() if event.kind is EventKind.START else []
    if len(words) != 2 or not words[1].startswith(PAYLOAD):
        return ""
    code = words[1].removeprefix(PAYLOAD)
    return code if len(code) == REFERRAL_LENGTH and code.isascii() and code.isalnum() else ""


def remembering_invitation(turn: Turn) -> Turn:
    """The turn whose session knows by whose invitation its person came: the first one, if there were several."""
    code = code_in(turn.event)
    if not code or "invited_with" in turn.session.data:
        return turn
    return replace(turn, session=replace(turn.session, data={**turn.session.data, "invited_with": code}))


DIALOG = Dialog(commands={"invite": show}, labels={"menu.invite": "invite"})
