"""Which step answers an event. The session comes in and goes out with the turn, in one transaction."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.channels.base import Event, EventKind
from bot.dialogs import (
    balance,
    card,
    contact,
    entry,
    fiscal,
    history,
    holds,
    invite,
    join,
    links,
    menu,
    my_data,
    questionnaire,
    registration,
    settings,
    staff_tasks,
    support,
    survey,
    topics,
)
from bot.dialogs.base import Dialog, Handler, Reply, Session, Turn, old_button
from bot.texts import keys_said, say
from loyalty.conversations.actions.turns import OpenTurn
from loyalty.conversations.content import SAID
from loyalty.conversations.rules import Heard, Outcome, Said
from loyalty.customers.actions.accounts import set_account_active
from loyalty.staff.rules import LANGUAGES

DIALOGS: tuple[Dialog, ...] = (
    registration.DIALOG,
    menu.DIALOG,
    card.DIALOG,
    balance.DIALOG,
    history.DIALOG,
    invite.DIALOG,
    settings.DIALOG,
    my_data.DIALOG,
    questionnaire.DIALOG,
    contact.DIALOG,
    holds.DIALOG,
    links.DIALOG,
    fiscal.DIALOG,
    survey.DIALOG,
    support.DIALOG,
)
STEPS: dict[str, Handler] = {name: step for dialog in DIALOGS for name, step in dialog.steps.items()}
COMMANDS: dict[str, Handler] = {name: step for dialog in DIALOGS for name, step in dialog.commands.items()}
LABELS: dict[str, str] = {key: name for dialog in DIALOGS for key, name in dialog.labels.items()}
TYPED: frozenset[str] = frozenset().union(*(dialog.typed for dialog in DIALOGS))
BUTTONS: dict[str, Handler] = {name: step for dialog in DIALOGS for name, step in dialog.buttons.items()}

SHOWN = ("card", "balance", "history", "invite", "my_data", "settings", "support")
COMMANDS_SHOWN = {
    "" if language == "en" else language: [(name, say(language, f"command.{name}")) for name in SHOWN]
    for language in LANGUAGES
}
"""What a messenger offers as commands, by language; English is for all the others."""

LOGGED_TEXT = 4096
REACH_KINDS = {EventKind.BLOCKED, EventKind.UNBLOCKED}
ALWAYS_HEARD = {EventKind.START, EventKind.CONTACT}
"""What the bot answers, beside buttons and commands, while a person does."""


def step_for(event: Event, now: datetime, answer: Callable[[Reply], None]) -> Callable[[OpenTurn], Awaitable[Outcome]]:
    """The step of this event for `conversations.take_turn`; `answer` hears the reply that was decided."""

    async def step(opened: OpenTurn) -> Outcome:
        session = Session(**opened.session)
        turn = Turn(
            event=event,
            account=opened.account,
            session=session,
            is_waiting=opened.is_waiting,
            chain=opened.chain,
            programme_body=opened.programme,
            now=now,
            language=opened.account.language,
            is_staffed=opened.is_staffed,
        )
        # What is typed in answer to a question of a step is that step's.
        score = None if session.step in TYPED else await survey.typed(turn)
        turn = replace(turn, event=score or _meant(event, session.choices))
        reply = await _reply(turn)
        answer(reply)
        if reply.is_silent:
            return Outcome(session=dict(opened.session), waiting=reply.waiting)
        return Outcome(
            heard=None if reply.is_nobodys else _heard(staff_tasks.without_code(event)),
            replies=reply.said,
            session=_after(turn, reply).to_body(),
            waiting=reply.waiting,
            is_nobodys=reply.is_nobodys,
        )

    return step


def _after(turn: Turn, reply: Reply) -> Session:
    """Where the dialog stands after a reply."""
    session = turn.session
    if reply.is_aside:
        return session
    choices = _choices(turn, reply) if reply.said else session.choices
    return Session(step=reply.step, data=dict(reply.data), turn=session.turn + 1, choices=choices)


def _choices(turn: Turn, reply: Reply) -> list[tuple[str, str]]:
    """What a reply offers, for messengers in which people answer by typing: lines with numbers, or a list to open."""
    if turn.can.has_menu:
        return []
    asked = [message.content.buttons for message in reply.said if message.content.buttons]
    return [(button.text, button.data) for row in asked[-1] for button in row] if asked else []


def _meant(event: Event, choices: Sequence[Sequence[str]]) -> Event:
    """The event as the dialogs know it: an option of the menu is its label, a typed choice is its button."""
    if event.kind is EventKind.BUTTON and event.data.startswith(SAID):
        return replace(event, kind=EventKind.TEXT, text=event.data.removeprefix(SAID), data="")
    if event.kind is not EventKind.TEXT:
        return event
    typed = event.text.strip().casefold()
    found = next((data for label, data in choices if label.casefold() == typed), None)
    number = typed.rstrip(".)")
    if found is None and number.isascii() and number.isdigit() and 0 < int(number[:3]) <= len(choices):
        found = choices[int(number[:3]) - 1][1]
    return replace(event, kind=EventKind.BUTTON, data=found) if found is not None else event


async def _reply(turn: Turn) -> Reply:
    """Find the handler of an event and run it."""
    event = turn.event
    if event.kind in REACH_KINDS:
        await set_account_active(turn.account.id, is_active=event.kind is EventKind.UNBLOCKED, now=turn.now)
        return Reply(is_silent=True)
    if not turn.account.is_active:
        # Whoever writes to us has not blocked us, whatever we were told last.
        await set_account_active(turn.account.id, is_active=True, now=turn.now)
        turn = replace(turn, account=replace(turn.account, is_active=True))
    if event.kind is EventKind.BUTTON:
        return await _button(turn)
    if (news := _news(event)) is not None:
        return await news(turn)
    if topics.is_stop(event):
        return await topics.stop(turn)
    if staff_tasks.is_meant(event):
        return await staff_tasks.link(turn)
    if not topics.is_start(event) and (hint := await staff_tasks.hint(turn)) is not None:
        return hint
    turn = await entry.opened(turn)
    return await (_newcomer(turn) if turn.account.customer_id is None else _customer(turn))


def _news(event: Event) -> Handler | None:
    """The handler of what happens in a chat without anything being said."""
    if event.kind in {EventKind.STOPPED, EventKind.RESUMED}:
        return topics.note
    if event.kind is EventKind.MOVED:
        return contact.move
    return _overhear if event.kind is EventKind.REACTION else None


async def _overhear(turn: Turn) -> Reply:
    """Something that wants no answer."""
    del turn
    return Reply(is_aside=True)


async def _newcomer(turn: Turn) -> Reply:
    """Whoever has not registered: the next step of the way in, unless they talk with a person."""
    if turn.is_staffed and turn.event.kind not in ALWAYS_HEARD and not topics.is_start(turn.event):
        return Reply(is_aside=True, waiting=True)
    resumed: tuple[Said, ...] = ()
    if topics.is_start(turn.event) and not turn.account.takes_marketing:
        resumed = (await topics.resume(turn)).said
    turn = join.remembering_sale(invite.remembering_invitation(turn))
    reply = await (STEPS.get(turn.session.step) or registration.begin)(turn)
    return replace(reply, said=(*resumed, *reply.said))


async def _customer(turn: Turn) -> Reply:
    """A customer: a command, a receipt, the answer to a question, or else words for people."""
    event = turn.event
    if event.kind is EventKind.START:
        return await join.hello(turn)
    if topics.is_start(event):
        return await (menu.hello(turn) if turn.account.takes_marketing else topics.resume(turn))
    if (command := _command(event)) is not None:
        return await command(turn)
    if contact.is_own(turn):
        return await contact.take(turn)
    if fiscal.is_meant(turn):
        return await fiscal.take(turn)
    if event.kind is EventKind.TEXT and turn.session.step in TYPED:
        return await STEPS[turn.session.step](turn)
    return await survey.take_comment(turn) or await support.pass_on(turn)


async def _button(turn: Turn) -> Reply:
    """A button of the step the dialog stands at, or one that works at any time; others are old."""
    name, _, rest = turn.event.data.partition(":")
    _, _, shown_in = rest.rpartition(":")
    if name == staff_tasks.BUTTON:
        return await staff_tasks.finish(turn)
    if name == turn.session.step:
        if shown_in == str(turn.session.turn):
            return replace(await STEPS[name](turn), removes_buttons=True)
    elif name in BUTTONS and turn.account.customer_id is not None:
        return await BUTTONS[name](turn)
    return old_button(turn)


def _command(event: Event) -> Handler | None:
    """The handler of a command or of a label of the menu, in whatever language it was shown."""
    if event.kind is not EventKind.TEXT:
        return None
    if event.text.startswith("/"):
        word = event.text[1:].split(maxsplit=1)[0].partition("@")[0].lower() if len(event.text) > 1 else ""
        return COMMANDS.get(word)
    name = keys_said(event.text, LABELS)
    return COMMANDS[name] if name is not None else None


def _heard(event: Event) -> Heard:
    return Heard(
        kind=event.kind.value,
        text=event.text.replace("\x00", "")[:LOGGED_TEXT],
        external_id=event.message_id,
        file_id=event.file_id if len(event.file_id) <= 200 and event.file_id.isprintable() else "",
        file_name=event.file_name,
        mime=event.mime if event.mime.isprintable() else "application/octet-stream",
        size=event.size,
    )
