"""Fetching the pictures and files that people send, after the row that names them is there.

Pictures from customers are looked through for the code of a fiscal receipt; what comes of it is saved with them.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog

from bot.channels.base import Channel, Rejected, SendError
from bot.codes import PICTURES, codes_in
from bot.dialogs.fiscal import end_picture
from loyalty.bell import Bell
from loyalty.conversations.actions.media import LARGEST, WantedMedia, claim_media, give_up_media, store_media

log = structlog.get_logger(__name__)


async def fetch_due(channel: Channel, bell: Bell, clock: Callable[[], datetime]) -> None:
    """Fetch what is wanted, then wait for more."""
    while wanted := await claim_media(channel.name, limit=4, now=clock()):
        for one in wanted:
            await _fetch(channel, one, clock)
    await bell.wait("media")


async def _fetch(channel: Channel, wanted: WantedMedia, clock: Callable[[], datetime]) -> None:
    is_read = wanted.is_customers and wanted.mime in PICTURES
    unread = partial(end_picture, media_id=wanted.id, texts=[], now=clock()) if is_read else None
    if wanted.size > LARGEST:
        await give_up_media(wanted.id, unread, for_good=True, now=clock())
        return
    try:
        body = await channel.fetch(wanted.file_id, limit=LARGEST)
    except SendError as error:
        await give_up_media(wanted.id, unread, for_good=isinstance(error, Rejected), now=clock())
        log.warning("file not fetched", media=wanted.id, reason=error.reason)
        return
    if not is_read:
        await store_media(wanted.id, body, now=clock())
        return
    texts = await codes_in(body)
    now = clock()
    await store_media(wanted.id, body, partial(end_picture, media_id=wanted.id, texts=texts, now=now), now=now)
