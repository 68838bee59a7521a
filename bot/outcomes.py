"""What becomes of a message, whoever learns it: the sender from an answer, the intake from a messenger's report."""

from collections.abc import Callable
from datetime import datetime

from bot.channels.base import Channel, Progress
from loyalty.conversations.actions.outbox import settle_failed
from loyalty.conversations.actions.progress import note_progress
from loyalty.conversations.rules import Status


async def note(channel: Channel, news: Progress, _clock: Callable[[], datetime]) -> None:
    """Keep what a messenger tells of a message of ours."""
    if news.status is not Status.FAILED:
        await note_progress(
            channel.name, news.address, news.external_id, news.status, reference=news.reference, at=news.at
        )
    elif news.reference is not None:
        await settle_failed(news.reference, news.error.reason if news.error else "rejected")
