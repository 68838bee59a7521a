"""What the folder of a messenger, or of an inbox, offers to the page and to the simulator as a whole."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from aiohttp import web

from bot.simulator.chats import Chat
from bot.simulator.faults import Faults

Act = Callable[[Any, web.Request], Awaitable[web.Response]]
"""Something that the page's reader does in a chat of that place."""


class Side(Protocol):
    """What the page shows of a place, and does there.

    `acts` are what the page can do in one of its chats. `words`, by language: what the page says otherwise there. A
    folder of its name below templates, and its style and script in static, may add to the page.
    """

    name: str
    title: str
    words: Mapping[str, Mapping[str, str]]
    acts: Mapping[str, Act]

    @property
    def faults(self) -> Faults:
        """What goes wrong there."""

    def shown(self, message: dict[str, Any]) -> dict[str, Any]:
        """One message, as the page draws it."""

    def status(self, chat: Any) -> dict[str, Any]:
        """All that the page shows and that is no message."""


class Desk(Side, Protocol):
    """Where the business works at a messenger of its: it has no chats, all of it is one page of its name."""

    @property
    def entrance(self) -> Chat:
        """Whom the page is of, in place of a person: it has no messages."""


class Place(Side, Protocol):
    """Where messages of ours arrive: its API stands below a path of its `name`."""

    def routes(self) -> list[web.RouteDef]:
        """The API, to be mounted under the base address."""

    def chats(self) -> Sequence[Chat]:
        """Everyone's."""

    def file(self, name: str) -> web.Response | None:
        """A picture or file of any chat; names cannot be guessed."""

    def dump(self) -> dict[str, Any]:
        """For the store."""

    def load(self, kept: dict[str, Any]) -> None:
        """From the store."""

    def on_change(self, changed: Callable[[], None]) -> None:
        """Call this after every change that is worth keeping."""

    async def start(self) -> None:
        """Take and deliver from now on."""

    def end_waiting(self) -> None:
        """Those who wait for something get an answer now; else the server would wait for them."""

    async def stop(self) -> None:
        """End delivery; what is not taken stays queued."""


class Messenger(Place, Protocol):
    """Where people write to us too: chats in the order of their coming.

    `kinds`: of newcomers, the first one being the usual.
    """

    kinds: Sequence[str]

    @property
    def is_open(self) -> bool:
        """Whether newcomers may come."""

    def newcomer(self, human: Mapping[str, str], kind: str) -> Chat:
        """A chat of somebody with this first_name, last_name, phone and language_code."""


class Inbox(Place, Protocol):
    """Where people only read: a chat for each number or address that something arrived for, the newest first."""

    @property
    def entrance(self) -> Chat:
        """What the page shows while none of them is chosen: it has no messages and is none of `chats`."""
