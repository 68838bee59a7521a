"""What we may write about: STOP and START in the chat, and the messenger's own button for the same."""

import string

from bot.channels.base import Event, EventKind
from bot.dialogs.base import CUSTOMER, Reply, Turn, said
from bot.texts import TERMS_VERSION
from loyalty.customers.actions.accounts import answer_topics, set_topics
from loyalty.customers.consenting import HOUSE
from loyalty.customers.queries.consent_texts import newest_words
from loyalty.customers.rules import Topic

STOP = frozenset(
    {
        "stop", "unsubscribe", "opt out",
        "стоп", "отписаться", "отпишись", "отписка", "отпишите меня",
        "відписатися", "відписатись", "відпишіть мене",
    }
)  # fmt: skip
START = frozenset(
    {
        "start", "subscribe",
        "старт", "подписаться", "подпишись",
        "підписатися", "підписатись",
    }
)  # fmt: skip
_EDGES = string.punctuation + string.whitespace + "«»„“”…–—"


def is_stop(event: Event) -> bool:
    """Whether somebody asks for no more advertising, in whatever language: the word alone, in any case."""
    return event.kind is EventKind.TEXT and _word(event.text) in STOP


def is_start(event: Event) -> bool:
    """Whether somebody asks for it again."""
    return event.kind is EventKind.TEXT and _word(event.text) in START


def _word(text: str) -> str:
    return " ".join(text[:80].casefold().strip(_EDGES).split())


async def stop(turn: Turn) -> Reply:
    """No more advertising in this chat; nothing else changes, and the dialog goes on where it stood."""
    await set_topics(turn.account.id, marketing=False, actor=CUSTOMER, now=turn.now)
    key = "topics.stopped" if turn.account.customer_id is not None else "topics.stopped_before"
    return Reply((said(turn.say(key)),), is_aside=True)


async def resume(turn: Turn) -> Reply:
    """Advertising again, by the person's own word."""
    await _take_again(turn)
    menu = turn.menu() if turn.account.customer_id is not None else None
    return Reply((said(turn.say("topics.resumed"), menu=menu),), is_aside=True)


async def note(turn: Turn) -> Reply:
    """They told the messenger, which shows them that it knows: we have nothing to add."""
    if turn.event.kind is EventKind.STOPPED:
        await set_topics(turn.account.id, marketing=False, actor=CUSTOMER, now=turn.now)
    else:
        await _take_again(turn)
    return Reply(is_silent=True)


async def answer(turn: Turn, topic: Topic, *, granted: bool, text_version: str = "") -> None:
    """Keep what the person of this chat said about a topic, with the version of the text they had before them.

    Without one it is the newest: a switch of the settings stands for what the shop asks now.
    """
    await answer_topics(
        turn.account.id,
        {topic: granted},
        source=turn.account.channel,
        text_version=text_version or await newest_mark(turn, topic),
        actor=CUSTOMER,
        now=turn.now,
    )


async def newest_mark(turn: Turn, topic: Topic) -> str:
    """The text that somebody with this language would be asked to agree to now."""
    if topic not in HOUSE:
        return f"{TERMS_VERSION} {turn.language}"
    return (await newest_words(topic, turn.language, turn.chain.language)).mark


async def _take_again(turn: Turn) -> None:
    if not turn.account.takes_marketing:
        await answer(turn, Topic.MARKETING, granted=True)
