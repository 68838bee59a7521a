"""A number that changes: one that a customer shares later on, and one of which the messenger says so."""

from bot.channels.base import EventKind
from bot.dialogs.base import CUSTOMER, Dialog, Reply, Turn, button_value, said
from loyalty.customers.actions.links import move_account
from loyalty.customers.actions.phones import change_phone
from loyalty.customers.queries import customer
from loyalty.customers.queries.links import phone_owner
from loyalty.customers.rules import normalise_phone
from loyalty.errors import Invalid, Refused
from loyalty.office.actions.links import ask_link, free_phone


def is_own(turn: Turn) -> bool:
    """Whether a customer shows a number that is proven to be their own."""
    return turn.event.kind is EventKind.CONTACT and turn.event.is_own_phone


async def take(turn: Turn) -> Reply:
    """Another number than the card's: ask whether it is to be changed. One on another card is for people."""
    try:
        phone = normalise_phone(turn.event.phone, turn.chain.region)
    except Invalid:
        return Reply((said(turn.say("registration.phone_wrong"), menu=turn.menu()),))
    person = await customer(turn.customer_id())
    if person.phone == phone:
        if person.phone_verified_at is None:
            await change_phone(person.id, phone, actor=CUSTOMER, now=turn.now)
        return Reply((said(turn.say("contact.same"), menu=turn.menu()),))
    owner = await phone_owner(phone)
    if owner is not None and not owner.is_claimed:
        await ask_link(turn.account.id, owner.customer_id, actor=CUSTOMER, now=turn.now)
        return Reply((said(turn.say("contact.taken"), menu=turn.menu()),), waiting=True)
    yes, no = (turn.button(turn.say(f"registration.offers_{word}"), "new_phone", word) for word in ("yes", "no"))
    question = said(turn.say("contact.change", phone=phone), buttons=((yes, no),))
    return Reply((question,), "new_phone", {"phone": phone})


async def change(turn: Turn) -> Reply:
    """Change the card's number, or leave it."""
    phone = str(turn.session.data["phone"])
    if button_value(turn.event) != "yes":
        return Reply((said(turn.say("contact.kept"), menu=turn.menu()),))
    claimants = await free_phone(phone, actor=CUSTOMER, now=turn.now)
    try:
        await change_phone(turn.customer_id(), phone, actor=CUSTOMER, now=turn.now)
    except Refused:
        return Reply((said(turn.say("contact.taken"), menu=turn.menu()),), waiting=True)
    for account_id in claimants:
        await ask_link(account_id, turn.customer_id(), actor=CUSTOMER, now=turn.now)
    return Reply((said(turn.say("contact.changed", phone=phone), menu=turn.menu()),))


async def move(turn: Turn) -> Reply:
    """The messenger says that this account has another number or name: it keeps its chat and its card."""
    name = turn.event.data
    phone: str | None = None
    if name.isascii() and name.isdigit():
        try:
            phone = normalise_phone(f"+{name}", turn.chain.region)
        except Invalid:
            phone = f"+{name[:15]}"
    is_settled = not name or await move_account(turn.account.id, name, phone, actor=CUSTOMER, now=turn.now)
    return Reply(is_aside=True, waiting=None if is_settled else True)


DIALOG = Dialog(steps={"new_phone": change})
