"""Settings: the language, and leaving."""

from dataclasses import replace

from bot.dialogs.base import CUSTOMER, Dialog, Reply, Turn, button_value, said
from bot.texts import TERMS_VERSION, say
from loyalty.bonuses.queries import account
from loyalty.conversations.content import Button
from loyalty.customers.actions import set_consent, set_language, unlink_account
from loyalty.customers.queries import customer
from loyalty.customers.rules import Topic
from loyalty.staff.rules import LANGUAGES


async def show(turn: Turn) -> Reply:
    """What is set, with buttons to change it."""
    person = await customer(turn.customer_id())
    others = tuple(Button(say(code, "language.name"), f"lang:{code}:") for code in LANGUAGES if code != turn.language)
    text = turn.say("settings.title", language=turn.say("language.name"), phone=person.phone or "—")
    return Reply((said(text, buttons=(others, (Button(turn.say("settings.leave"), "leave_ask::"),))),))


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
    steps={"leave": leave},
    commands={"settings": show},
    labels={"menu.settings": "settings"},
    buttons={"lang": choose_language, "leave_ask": ask_to_leave},
)
