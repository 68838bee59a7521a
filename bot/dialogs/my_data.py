"""My data: what is held about a person, all of it as a file, and erasing it, which is asked twice."""

from bot.dialogs.base import CUSTOMER, Dialog, Reply, Turn, button_value, said
from loyalty import wording
from loyalty.bonuses.queries import account
from loyalty.clock import business_date
from loyalty.conversations.content import Button
from loyalty.customers.queries import consents, customer
from loyalty.errors import Refused
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.own_data import attach_own_data


async def show(turn: Turn) -> Reply:
    """The profile and what was agreed to; buttons for the rest."""
    person = await customer(turn.customer_id())
    since = business_date(person.created_at, turn.chain.time_zone)
    lines = [
        turn.say(
            "my_data.title",
            name=person.name,
            phone=person.phone or "—",
            email=person.email or "—",
            birthday=wording.day(person.birthday, turn.language) if person.birthday else "—",
            card=f"{person.card_number[:4]} {person.card_number[4:]}",
            since=wording.day(since, turn.language),
        )
    ]
    for word in await consents(person.id):
        state = turn.say("my_data.yes" if word.granted else "my_data.no")
        day = wording.day(business_date(word.at, turn.chain.time_zone), turn.language)
        lines.append(turn.say("my_data.consent", topic=turn.say(f"my_data.{word.topic}"), state=state, day=day))
    lines.append(turn.say("my_data.held"))
    rows = (
        (Button(turn.say("my_data.send"), "my_data_file::"),),
        (Button(turn.say("my_data.erase"), "my_data_erase::"),),
    )
    return Reply((said("\n".join(lines), buttons=rows),))


async def send_file(turn: Turn) -> Reply:
    """The file, once an hour at most."""
    try:
        attachment = await attach_own_data(turn.customer_id(), actor=CUSTOMER, now=turn.now)
    except Refused as refused:
        if refused.reason != "own_data_again_later":
            raise
        words = turn.say("my_data.again_later", minutes=str(refused.details["minutes"]))
        return Reply((said(words, menu=turn.menu()),))
    return Reply((said(turn.say("my_data.file"), attachment=attachment),))


async def ask(turn: Turn) -> Reply:
    """Say what is lost before it is."""
    standing = await account(turn.customer_id(), now=turn.now)
    text = turn.say("my_data.erase_ask", balance=turn.bonuses(max(0, standing.balance)))
    row = tuple(turn.button(turn.say(f"my_data.erase_{word}"), "erase_ask", word) for word in ("yes", "no"))
    return Reply((said(text, buttons=(row,)),), "erase_ask", removes_buttons=True)


async def ask_again(turn: Turn) -> Reply:
    """Ask once more; whoever writes something else keeps all."""
    if button_value(turn.event) != "yes":
        return _kept(turn)
    row = (
        turn.button(turn.say("my_data.erase_really"), "erase_sure", "yes"),
        turn.button(turn.say("my_data.erase_no"), "erase_sure", "no"),
    )
    return Reply((said(turn.say("my_data.erase_sure"), buttons=(row,)),), "erase_sure")


async def erase(turn: Turn) -> Reply:
    """Erase the person; the chat is nobody's, and hears so once."""
    if button_value(turn.event) != "yes":
        return _kept(turn)
    await erase_customer(turn.customer_id(), farewell=turn.account.id, actor=CUSTOMER, now=turn.now)
    return Reply((said(turn.say("my_data.erased"), menu=()),), is_nobodys=True)


def _kept(turn: Turn) -> Reply:
    return Reply((said(turn.say("my_data.kept"), menu=turn.menu()),))


DIALOG = Dialog(
    steps={"erase_ask": ask_again, "erase_sure": erase},
    commands={"my_data": show},
    labels={"menu.my_data": "my_data"},
    buttons={"my_data_file": send_file, "my_data_erase": ask},
)
