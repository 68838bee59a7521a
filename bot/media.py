"""Fetching the pictures and files that people send, after the row that names them is there."""

from collections.abc import Callable
from datetime import datetime

import structlog

from bot.channels.base import Channel, Rejected, SendError
from loyalty.bell import Bell
from loyalty.conversations.actions.media import LARGEST, WantedMedia, claim_media, give_up_media, store_media

log = structlog.get_logger(__name__)


async def fetch_due(channel: Channel, bell: Bell, clock: Callable[[], datetime]) -> None:
    """Fetch what is wanted, then wait for more."""
    while wanted := await claim_media(channel.name, limit=4, now=clock()):
        for one in wanted:
            await _fetch(channel, one)
    await bell.wait("media")


async def _fetch(channel: Channel, wanted: WantedMedia) -> None:
    if wanted.size > LARGEST:
        await give_up_media(wanted.id, for_good=True)
        return
    try:
        body = await channel.fetch(wanted.file_id, limit=LARGEST)
    except SendError as error:
        await give_up_media(wanted.id, for_good=isinstance(error, Rejected))
        log.warning("file not fetched", media=wanted.id, reason=error.reason)
        return
    await store_media(wanted.id, body)
