"""Settings: the language, the birthday, and leaving."""

from dataclasses import replace

from bot.dialogs.base import CUSTOMER, Dialog, Reply, Turn, button_value, said
from bot.dialogs.registration import parse_birthday
from bot.texts import TERMS_VERSION, say
from loyalty import wording
from loyalty.bonuses.queries import account
from loyalty.clock import business_date
from loyalty.conversations.content import Button
from loyalty.customers.actions.accounts import set_language, unlink_account
from loyalty.customers.actions.profile import correct_birthday, set_consent
from loyalty.customers.queries import birthday_is_fixed, customer
from loyalty.customers.rules import Topic
from loyalty.errors import Refused
from loyalty.staff.rules import LANGUAGES


async def show(turn: Turn) -> Reply:
    """What is set, with buttons to change it."""
    person = await customer(turn.customer_id())
    others = tuple(Button(say(code, "language.name"), f"lang:{code}:") for code in LANGUAGES if code != turn.language)
    birthday = wording.day(person.birthday, turn.language) if person.birthday else "—"
    text = turn.say(
        "settings.title", language=turn.say("language.name"), phone=person.phone or "—", birthday=birthday
    )  # fmt: skip
    own = Button(turn.say("settings.birthday"), "birthday_ask::")
    return Reply((said(text, buttons=(others, (own,), (Button(turn.say("settings.leave"), "leave_ask::"),))),))


async def ask_birthday(turn: Turn) -> Reply:
    """Ask for the birthday; of a known one, say first that it can be changed only once."""
    person = await customer(turn.customer_id())
    if await birthday_is_fixed(person.id):
        return Reply((said(turn.say("settings.birthday_was_changed"), menu=turn.menu()),))
    key = "settings.birthday_change" if person.birthday else "settings.birthday_name"
    return Reply((said(turn.say(key)),), "own_birthday")


async def keep_birthday(turn: Turn) -> Reply:
    """Keep what was typed, if it is a date."""
    birthday = parse_birthday(turn.event.text, business_date(turn.now, turn.chain.time_zone))
    if birthday is None:
        return Reply((said(turn.say("registration.birthday_wrong")),), "own_birthday")
    try:
        await correct_birthday(turn.customer_id(), birthday, actor=CUSTOMER, now=turn.now)
    except Refused:
        return Reply((said(turn.say("settings.birthday_was_changed"), menu=turn.menu()),))
    return Reply((said(turn.say("settings.birthday_set"), menu=turn.menu()),))


async def choose_language(turn: Turn) -> Reply:
    """Speak another language from now on."""
    chosen = button_value(turn.event)
    if chosen not in LANGUAGES:
        return Reply(is_silent=True)
    await set_language(turn.account.id, chosen, actor=CUSTOMER, now=turn.now)
    turned = replace(turn, language=chosen)
    return Reply((said(turned.say("settings.language_set"), menu=turned.menu()),), removes_buttons=True)


async def ask_to_leave(turn: Turn) -> Reply:
    """Say what leaving means before it is done."""
    standing = await account(turn.customer_id(), now=turn.now)
    text = turn.say(
        "settings.leave_ask", shop=turn.chain.name or "Regulars", balance=turn.bonuses(max(0, standing.balance))
    )
    yes, no = (turn.button(turn.say(f"settings.leave_{word}"), "leave", word) for word in ("yes", "no"))
    return Reply((said(text, buttons=((yes, no),)),), "leave", removes_buttons=True)


async def leave(turn: Turn) -> Reply:
    """Leave, or stay. Only the buttons come here: whoever writes something else stays."""
    if button_value(turn.event) != "yes":
        return Reply((said(turn.say("settings.stayed"), menu=turn.menu()),))
    customer_id = turn.customer_id()
    for topic in (Topic.TERMS, Topic.MARKETING):
        await set_consent(
            customer_id,
            topic,
            granted=False,
            source=turn.account.channel,
            text_version=f"{TERMS_VERSION} {turn.language}",
            actor=CUSTOMER,
            now=turn.now,
        )
    await unlink_account(turn.account.id, actor=CUSTOMER, now=turn.now)
    return Reply((said(turn.say("settings.left"), menu=()),))


DIALOG = Dialog(
    steps={"leave": leave, "own_birthday": keep_birthday},
    commands={"settings": show},
    labels={"menu.settings": "settings"},
    buttons={"lang": choose_language, "leave_ask": ask_to_leave, "birthday_ask": ask_birthday},
    typed=frozenset({"own_birthday"}),
)
