"""How was it? A score, pressed or typed, which may be changed for a day; what is written after it; thanks."""

from dataclasses import replace

from bot.channels.base import Event, EventKind
from bot.dialogs.base import Dialog, Reply, Turn, old_button
from loyalty.conversations.content import LOW, Button, Content
from loyalty.conversations.rules import Said
from loyalty.errors import NotFound, Refused
from loyalty.surveys.actions.answering import Answered, answer, comment
from loyalty.surveys.queries.asked import SAID, question_in
from loyalty.surveys.rules import BUTTON, HIGHEST, Group, typed_score
from loyalty.surveys.thanks import words

WHY_NOT = {"survey_is_over": "survey.over", "survey_answer_is_final": "survey.final"}


async def press(turn: Turn) -> Reply:
    """A score, or the option under which the two lowest lie. The buttons stay: a second press changes the score."""
    _, _, rest = turn.event.data.partition(":")
    number, _, value = rest.partition(":")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return old_button(turn)
    if value == LOW:
        return _ask_which(turn, int(number))
    if not (value.isascii() and value.isdigit() and len(value) <= 2 and int(value) <= HIGHEST):
        return old_button(turn)
    return await _take(turn, int(number), int(value))


async def typed(turn: Turn) -> Event | None:
    """The press that a number stands for, typed where a question was the last thing said; None for all other texts.

    It goes before choices that are answered by typing their number: a nine is the score of nine.
    """
    score = typed_score(turn.event.text) if turn.event.kind is EventKind.TEXT else None
    if score is None or turn.account.customer_id is None:
        return None
    invitation_id = await question_in(turn.account.id)
    if invitation_id is None:
        return None
    return replace(turn.event, kind=EventKind.BUTTON, data=f"{BUTTON}:{invitation_id}:{score}")


async def take_comment(turn: Turn) -> Reply | None:
    """Words of no dialog, as the comment on the score before them; None where none is waited for.

    What is written while a person answers is for that person.
    """
    event = turn.event
    if event.kind is not EventKind.TEXT or event.text.startswith("/") or turn.is_staffed:
        return None
    group = await comment(turn.customer_id(), event.text, channel=turn.account.channel, now=turn.now)
    if group is None:
        return None
    key = "survey.commented_detractor" if group is Group.DETRACTOR else "survey.commented"
    return Reply((Said(Content(text=turn.say(key))),), is_aside=True)


def _ask_which(turn: Turn, invitation_id: int) -> Reply:
    """Which of the two lowest scores it is: a list of ten lines has one for both."""
    row = tuple(Button(str(score), f"{BUTTON}:{invitation_id}:{score}") for score in (1, 0))
    return _reply(turn.say("survey.which"), invitation_id, buttons=(row,))


async def _take(turn: Turn, invitation_id: int, score: int) -> Reply:
    try:
        done = await answer(invitation_id, turn.customer_id(), score, channel=turn.account.channel, now=turn.now)
    except NotFound:
        return old_button(turn)
    except Refused as refused:
        return Reply((Said(Content(text=turn.say(WHY_NOT[refused.reason]))),), removes_buttons=True, is_aside=True)
    if done.is_repeated:
        text = turn.say("survey.same", score=str(score))
        return Reply(notice=text, is_silent=True) if turn.can.can_edit else _reply(text, invitation_id)
    return _reply(_thanks(turn, done), invitation_id)


def _thanks(turn: Turn, done: Answered) -> str:
    """Thanks by score, what is given for it, where to say so to everybody, and the question for a comment.

    Who only moves within a group is told no more than that. While a person answers in the chat, nothing is asked for.
    """
    group, programme = done.group, done.programme
    lines = [] if done.before is None else [turn.say("survey.changed", score=str(done.score))]
    if done.has_moved:
        lines.append(words(programme, turn.language, f"thanks_{group}"))
        if done.bonus:
            lines.append(turn.say("survey.bonus", bonuses=turn.bonuses(done.bonus)))
        if group is Group.PROMOTER and (link := programme.link(done.location_id)):
            lines.append(turn.say("survey.link", link=link))
        if not turn.is_staffed:
            lines.append(words(programme, turn.language, f"prompt_{group}"))
    return "\n\n".join(lines)


def _reply(text: str, invitation_id: int, buttons: tuple[tuple[Button, ...], ...] = ()) -> Reply:
    """Said about a score; the dialog that was under way goes on where it stood."""
    content = Content(text=text, buttons=buttons, values={"invitation": str(invitation_id)})
    return Reply((Said(content, kind=SAID),), is_aside=True)


DIALOG = Dialog(buttons={BUTTON: press})
