"""What channels have in common in which nobody can answer: SMS and e-mail."""

import asyncio
from collections.abc import Mapping, Sequence

from bot.channels.base import Elsewhere, Event, Forged, Outgoing, Progress, Rejected, Store, TemplateNews
from loyalty.conversations.content import Capabilities, Content
from loyalty.conversations.rules import Arrived
from loyalty.conversations.stopping import with_stop


class OneWay:
    """A channel that only sends: nobody writes there, so nothing is fetched, changed or pressed."""

    async def introduce(self, commands: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        del commands

    async def link(self, payload: str) -> str:
        del payload
        return ""

    async def receive(self, store: Store) -> None:
        """Nothing is to be done, for ever."""
        del store
        await asyncio.Event().wait()

    def challenge(self, query: Mapping[str, str]) -> str:
        del query
        raise Forged

    def admit(self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Sequence[Arrived]:
        del headers, query, body
        raise Forged

    def parse(self, body: bytes) -> Event | Progress | TemplateNews | Elsewhere | None:
        del body
        return None

    def units(self, message: Outgoing) -> int:
        """Each is one."""
        del message
        return 1

    async def edit(self, address: str, message_id: str, content: Content, picture: bytes) -> None:
        del address, message_id, content, picture
        raise Rejected("cannot_edit")

    async def answer_button(self, event: Event, *, notice: str = "", remove: bool = False) -> None:
        """There are no buttons."""

    async def leave(self, chat: str, hint: str) -> None:
        """There are no groups."""

    async def fetch(self, file_id: str, *, limit: int) -> bytes:
        del file_id, limit
        raise Rejected("rejected")


def fitted(message: Outgoing, capabilities: Capabilities, before_link: str) -> Content:
    """What is said, with the link that ends such advertising as the last line where there is one.

    The link is never cut: what stands before it, after `before_link`, is.
    """
    return with_stop(message.content, capabilities, message.language, message.stop_url, before=before_link)
