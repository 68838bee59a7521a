"""Settings: the language, the birthday, where and of what we write, and leaving."""

from collections.abc import Sequence
from dataclasses import replace

from bot.dialogs import topics
from bot.dialogs.base import CUSTOMER, Dialog, Reply, Turn, button_value, old_button, said
from bot.dialogs.questionnaire import parse_birthday
from bot.texts import say
from loyalty import wording
from loyalty.bonuses.queries import account
from loyalty.clock import business_date
from loyalty.conversations.content import Button
from loyalty.customers.actions.accounts import make_default, set_language, unlink_account
from loyalty.customers.actions.profile import correct_birthday, set_consent
from loyalty.customers.queries import MessengerAccountView, accounts_of, birthday_is_fixed, customer, messenger_account
from loyalty.customers.queries.questions import unanswered
from loyalty.customers.rules import Topic
from loyalty.errors import Refused
from loyalty.staff.rules import LANGUAGES

OTHERS_OFFERED = 3
"""Of a person's other messengers, so many are offered: a list has ten options at most."""


async def show(turn: Turn) -> Reply:
    """What is set, with buttons to change it."""
    person = await customer(turn.customer_id())
    accounts = await accounts_of(person.id)
    birthday = wording.day(person.birthday, turn.language) if person.birthday else "—"
    title = turn.say(
        "settings.title", language=turn.say("language.name"), phone=person.phone or "—", birthday=birthday
    )  # fmt: skip
    lines = [title, _written_to(turn, accounts), _topics(turn)]
    rows = [tuple(Button(say(code, "language.name"), f"lang:{code}:") for code in LANGUAGES if code != turn.language)]
    rows.append((Button(turn.say("settings.birthday"), "birthday_ask::"),))
    if await unanswered(person.id):
        rows.append((Button(turn.say("questions.button"), "questions_ask::"),))
    rows += [
        (Button(turn.say("settings.write_to", channel=_channel(turn, account)), f"write_to:{account.id}:"),)
        for account in accounts[1 : 1 + OTHERS_OFFERED]
        if account.is_active
    ]
    rows.append(tuple(_switch(turn, topic, is_on=is_on) for topic, is_on in _states(turn).items()))
    rows.append((Button(turn.say("settings.leave"), "leave_ask::"),))
    return Reply((said("\n".join(lines), buttons=tuple(rows)),))


def _channel(turn: Turn, account: MessengerAccountView) -> str:
    return turn.say(f"channel.{account.channel}")


def _written_to(turn: Turn, accounts: Sequence[MessengerAccountView]) -> str:
    """Where we write: the default account comes first."""
    first, *others = [_channel(turn, account) for account in accounts]
    if others:
        return turn.say("settings.written_here", channel=first, others=", ".join(others))
    return turn.say("settings.written_to", channel=first)


def _states(turn: Turn) -> dict[Topic, bool]:
    return {Topic.MARKETING: turn.account.takes_marketing, Topic.SURVEYS: turn.account.takes_surveys}


def _topics(turn: Turn) -> str:
    """What comes into this chat; news of purchases always do."""
    words = {
        topic.value: turn.say("settings.on" if is_on else "settings.off") for topic, is_on in _states(turn).items()
    }
    return turn.say("settings.topics", **words)


def _switch(turn: Turn, topic: Topic, *, is_on: bool) -> Button:
    other = "off" if is_on else "on"
    return Button(turn.say(f"settings.{topic.value}_{other}"), f"topic:{topic.value}.{other}:")


async def switch_topic(turn: Turn) -> Reply:
    """Marketing or surveys on or off in this chat; the settings show it."""
    name, _, state = button_value(turn.event).partition(".")
    if name not in {Topic.MARKETING, Topic.SURVEYS} or state not in {"on", "off"}:
        return old_button(turn)
    await topics.answer(turn, Topic(name), granted=state == "on")
    changed = replace(turn, account=await messenger_account(turn.account.id))
    return replace(await show(changed), removes_buttons=True)


async def write_to(turn: Turn) -> Reply:
    """Of several messengers, write to this one from now on."""
    chosen = button_value(turn.event)
    mine = {str(account.id): account for account in await accounts_of(turn.customer_id())}
    if chosen not in mine:
        return old_button(turn)
    await make_default(mine[chosen].id, actor=CUSTOMER, now=turn.now)
    words = turn.say("settings.default_set", channel=_channel(turn, mine[chosen]))
    return Reply((said(words, menu=turn.menu()),), removes_buttons=True)


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
    """Say what leaving means before it is done; with several messengers, ask of which."""
    standing = await account(turn.customer_id(), now=turn.now)
    is_one = len(await accounts_of(turn.customer_id())) == 1
    text = turn.say(
        "settings.leave_ask" if is_one else "settings.leave_ask_where",
        shop=turn.chain.name or "Regulars",
        balance=turn.bonuses(max(0, standing.balance)),
    )
    words = ("yes", "no") if is_one else ("here", "all", "no")
    row = tuple(turn.button(turn.say(f"settings.leave_{word}"), "leave", word) for word in words)
    return Reply((said(text, buttons=(row,)),), "leave", removes_buttons=True)


async def leave(turn: Turn) -> Reply:
    """Leave, or stay. Only the buttons come here: whoever writes something else stays."""
    customer_id, chosen = turn.customer_id(), button_value(turn.event)
    if chosen == "here":
        await unlink_account(turn.account.id, actor=CUSTOMER, now=turn.now)
        return Reply((said(turn.say("settings.left_here"), menu=()),))
    if chosen not in {"yes", "all"}:
        return Reply((said(turn.say("settings.stayed"), menu=turn.menu()),))
    for topic in (Topic.TERMS, Topic.MARKETING):
        await set_consent(
            customer_id,
            topic,
            granted=False,
            source=turn.account.channel,
            text_version=await topics.newest_mark(turn, topic),
            actor=CUSTOMER,
            now=turn.now,
        )
    for one in await accounts_of(customer_id):
        await unlink_account(one.id, actor=CUSTOMER, now=turn.now)
    return Reply((said(turn.say("settings.left"), menu=()),))


DIALOG = Dialog(
    steps={"leave": leave, "own_birthday": keep_birthday},
    commands={"settings": show},
    labels={"menu.settings": "settings"},
    buttons={
        "lang": choose_language,
        "leave_ask": ask_to_leave,
        "birthday_ask": ask_birthday,
        "topic": switch_topic,
        "write_to": write_to,
    },
    typed=frozenset({"own_birthday"}),
)
