"""Colleagues in the chat: linking it by a code from the panel, and marking done what they are reminded of.

They may be customers of the shop as well, and need not be: what happens here leaves any other dialog where it stands.
"""

from dataclasses import replace
from datetime import timedelta

from bot.channels.base import Event, EventKind
from bot.dialogs.base import Reply, Turn, button_value, old_button, said
from bot.texts import say
from loyalty.conversations.channels import TELEGRAM
from loyalty.conversations.queries.heard import heard_lately
from loyalty.errors import NotFound, Refused
from loyalty.staff.queries import staff_member
from loyalty.tasks.actions import finish_task
from loyalty.tasks.actions.chats import link_chat
from loyalty.tasks.queries import LinkedStaff, TaskView, staff_in_chat, task, task_for, viewer_of
from loyalty.tasks.rules import is_code

PAYLOAD = "s_"
"""What stands before the code in a link; the panel draws it."""
BUTTON = "task"
"""What the data of a reminder's button begins with."""
HIDDEN = f"/start {PAYLOAD}…"
"""What the log keeps of such a message: a code is a key."""
TRIES = 5
TRIES_WITHIN = timedelta(minutes=15)
REFUSALS = {"link_code_is_wrong": "staff.code_wrong", "account_of_colleague": "staff.of_colleague"}


def is_meant(event: Event) -> bool:
    """Whether somebody comes by the link of a colleague, or has typed what stands in it."""
    words = event.text.split() if event.kind is EventKind.START else []
    return len(words) == 2 and words[1].startswith(PAYLOAD)


def without_code(event: Event) -> Event:
    """The event as it may be written down."""
    return replace(event, text=HIDDEN) if is_meant(event) else event


async def link(turn: Turn) -> Reply:
    """Link the chat to whoever made the code. Tries are counted by the log, right ones too."""
    if turn.account.channel != TELEGRAM:
        return _aside(turn.say("staff.only_telegram"))
    if await heard_lately(turn.account.id, HIDDEN, since=turn.now - TRIES_WITHIN) >= TRIES:
        return _aside(turn.say("staff.tries"))
    code = turn.event.text.split()[1].removeprefix(PAYLOAD).upper()
    if not is_code(code):
        return _aside(turn.say("staff.code_wrong"))
    try:
        person = await link_chat(code, turn.account.id, now=turn.now)
    except Refused as refused:
        return _aside(turn.say(REFUSALS[refused.reason]))
    return _aside(say(_language(person, turn), "staff.linked", name=person.name))


async def hint(turn: Turn) -> Reply | None:
    """What a colleague reads who is no customer and writes something; None for everybody else."""
    is_other = turn.account.customer_id is not None or turn.event.kind is EventKind.START
    if is_other or turn.session.step or turn.is_staffed:
        return None
    person = await staff_in_chat(turn.account.id)
    return _aside(say(_language(person, turn), "staff.here")) if person is not None else None


async def finish(turn: Turn) -> Reply:
    """One tap marks a task done; the next one, by whomever, says whose it was."""
    word, _, number = button_value(turn.event).partition(".")
    person = await staff_in_chat(turn.account.id)
    if person is None or word != "done" or not (number.isascii() and number.isdigit() and len(number) < 19):
        return old_button(turn)
    language = _language(person, turn)
    colleague = await staff_member(person.id)
    try:
        found = await task_for(viewer_of(colleague), int(number))
        is_first = await finish_task(found.id, actor=colleague.actor, now=turn.now)
    except NotFound:
        text = say(language, "task.gone")
    except Refused:
        text = say(language, "task.cancelled")
    else:
        text = say(language, "task.done") if is_first else _done_before(await task(found.id), language)
    return replace(_aside(text), removes_buttons=True)


def _done_before(found: TaskView, language: str) -> str:
    if found.closed_by_name is None:
        return say(language, "task.done_already")
    return say(language, "task.done_before", name=found.closed_by_name)


def _language(person: LinkedStaff, turn: Turn) -> str:
    return person.language or turn.chain.language


def _aside(text: str) -> Reply:
    return Reply((said(text),), is_aside=True)
