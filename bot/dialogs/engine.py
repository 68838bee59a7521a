"""Which step answers an event. The session comes in and goes out with the turn, in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from datetime import datetime

from bot.channels.base import Event, EventKind
from bot.dialogs import balance, card, fiscal, history, holds, invite, join, menu, registration, settings, support
from bot.dialogs.base import Dialog, Handler, Reply, Session, Turn
from bot.texts import keys_said, say
from loyalty.conversations.actions.turns import OpenTurn
from loyalty.conversations.rules import Heard, Outcome
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
    holds.DIALOG,
    fiscal.DIALOG,
    support.DIALOG,
)
STEPS: dict[str, Handler] = {name: step for dialog in DIALOGS for name, step in dialog.steps.items()}
COMMANDS: dict[str, Handler] = {name: step for dialog in DIALOGS for name, step in dialog.commands.items()}
LABELS: dict[str, str] = {key: name for dialog in DIALOGS for key, name in dialog.labels.items()}
TYPED: frozenset[str] = frozenset().union(*(dialog.typed for dialog in DIALOGS))
BUTTONS: dict[str, Handler] = {name: step for dialog in DIALOGS for name, step in dialog.buttons.items()}

SHOWN = ("card", "balance", "history", "invite", "settings", "support")
COMMANDS_SHOWN = {
    "" if language == "en" else language: [(name, say(language, f"command.{name}")) for name in SHOWN]
    for language in LANGUAGES
}
"""What a messenger offers as commands, by language; English is for all the others."""

LOGGED_TEXT = 4096
HEARD_KINDS = {EventKind.BLOCKED, EventKind.UNBLOCKED}


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
            now=now,
            language=opened.account.language,
        )
        reply = await _reply(turn)
        answer(reply)
        if reply.is_silent:
            return Outcome(session=dict(opened.session), waiting=reply.waiting)
        after = Session(step=reply.step, data=dict(reply.data), turn=session.turn + 1)
        return Outcome(heard=_heard(event), replies=reply.said, session=asdict(after), waiting=reply.waiting)

    return step


async def _reply(turn: Turn) -> Reply:
    """Find the handler of an event and run it."""
    event = turn.event
    if event.kind in HEARD_KINDS:
        await set_account_active(turn.account.id, is_active=event.kind is EventKind.UNBLOCKED, now=turn.now)
        return Reply(is_silent=True)
    if not turn.account.is_active:
        # Whoever writes to us has not blocked us, whatever we were told last.
        await set_account_active(turn.account.id, is_active=True, now=turn.now)
        turn = replace(turn, account=replace(turn.account, is_active=True))
    if event.kind is EventKind.BUTTON:
        return await _button(turn)
    if turn.account.customer_id is None:
        turn = join.remembering_sale(invite.remembering_invitation(turn))
        return await (STEPS.get(turn.session.step) or registration.begin)(turn)
    if event.kind is EventKind.START:
        return await join.hello(turn)
    if (command := _command(event)) is not None:
        return await command(turn)
    if fiscal.is_meant(turn):
        return await fiscal.take(turn)
    if event.kind is EventKind.TEXT and turn.session.step in TYPED:
        return await STEPS[turn.session.step](turn)
    return await support.pass_on(turn)


async def _button(turn: Turn) -> Reply:
    """A button of the step the dialog stands at, or one that works at any time; others are old."""
    name, _, rest = turn.event.data.partition(":")
    _, _, shown_in = rest.rpartition(":")
    if name == turn.session.step:
        if shown_in == str(turn.session.turn):
            return replace(await STEPS[name](turn), removes_buttons=True)
    elif name in BUTTONS and turn.account.customer_id is not None:
        return await BUTTONS[name](turn)
    return Reply(notice=turn.say("button.old"), removes_buttons=True, is_silent=True)


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
