"""The simulator as a whole: its messengers and inboxes, who lives in them, and the application to mount."""

from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.simulator.email.account import MailAccount
from bot.simulator.email.inbox import Mailbox
from bot.simulator.messengers import Inbox, Messenger, Place
from bot.simulator.page import Page
from bot.simulator.sms.gateway import Gateway
from bot.simulator.sms.inbox import SmsInbox
from bot.simulator.store import Store
from bot.simulator.telegram.faults import TelegramFaults
from bot.simulator.telegram.messenger import Telegram
from bot.simulator.telegram.people import Person
from bot.simulator.whatsapp.business import Business
from bot.simulator.whatsapp.manager import Manager
from bot.simulator.whatsapp.messenger import WhatsApp


class Simulator:
    """One shop's bot and its people. With `store`, a JSON file, chats and unconfirmed updates survive a restart.

    `silent_ids`, `silent_numbers` are chats of Telegram and WhatsApp that take messages and that nobody reads.
    `whatsapp`: the number of the business there. `sms` and `email`: its accounts with a gateway and a mail server;
    without the latter nothing listens for mail. What is asked of the simulator itself is Telegram's: `faults` may
    be changed at any time; `calls` is a journal of the last thousand calls, for tests. All of it lives in the event
    loop that serves the application: call it, and its people, from that loop's thread.
    """

    def __init__(
        self,
        *,
        token: str,
        bot_name: str = "Regulars",
        bot_username: str = "regulars_demo_bot",
        store: Path | None = None,
        silent_ids: Container[int] = (),
        whatsapp: Business | None = None,
        silent_numbers: Container[str] = (),
        sms: Gateway | None = None,
        email: MailAccount | None = None,
    ) -> None:
        self.token = token
        self.telegram = Telegram(token=token, bot_name=bot_name, bot_username=bot_username, silent_ids=silent_ids)
        self.whatsapp = WhatsApp(whatsapp or Business(), silent_numbers)
        self.sms = SmsInbox(sms or Gateway())
        self.email = Mailbox(email)
        messengers: Sequence[Messenger] = (self.telegram, self.whatsapp)
        inboxes: Sequence[Inbox] = (self.sms, self.email)
        self._places: Sequence[Place] = (*messengers, *inboxes)
        self._page = Page(bot_name, messengers, inboxes, [Manager(self.whatsapp.exchange)])
        self._store = Store(store, self._dump) if store else None
        if self._store is not None:
            self._load(self._store.read())
            for place in self._places:
                place.on_change(self._store.changed)

    @property
    def faults(self) -> TelegramFaults:
        """What goes wrong in Telegram."""
        return self.telegram.faults

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Methods and fields as Telegram's API was called, oldest first."""
        return self.telegram.calls

    def build_app(self) -> web.Application:
        """The application, to be mounted with `root.add_subapp("/simulator", app)`."""
        app = web.Application()
        for place in self._places:
            app.add_routes(place.routes())
        app.add_routes(self._page.routes())
        app.on_response_prepare.append(self._page.guard)
        app.on_startup.append(self._start)
        app.on_shutdown.append(self._shut)
        app.on_cleanup.append(self._clean)
        return app

    def add_person(self, **facts: Any) -> Person:
        """A new person in Telegram who has not written to the bot yet; the facts are those of `Telegram.add_person`."""
        return self.telegram.add_person(**facts)

    def people(self) -> list[Person]:
        """Everyone in Telegram, in the order of their coming."""
        return list(self.telegram.chats())

    def inject(self, update: dict[str, Any]) -> int:
        """Queue any raw update of Telegram under the next update id and answer the id."""
        return self.telegram.exchange.inject(update)

    async def close(self) -> None:
        """Stop timers and write the store."""
        self._end_waiting()
        for place in self._places:
            await place.stop()
        if self._store is not None:
            self._store.write()

    def _dump(self) -> dict[str, Any]:
        # Telegram's lie flat, as they did when it was alone, so that older files are read.
        others = {place.name: place.dump() for place in self._places[1:]}
        return {**self.telegram.dump(), **others}

    def _load(self, kept: dict[str, Any] | None) -> None:
        if kept is None:
            return
        self.telegram.load(kept)
        for place in self._places[1:]:
            if place.name in kept:
                place.load(kept[place.name])

    def _end_waiting(self) -> None:
        """Polls and open pages end now; else the server would wait for them."""
        self._page.close()
        for place in self._places:
            place.end_waiting()

    async def _start(self, _: web.Application) -> None:
        self._page.open()
        for place in self._places:
            await place.start()

    async def _shut(self, _: web.Application) -> None:
        self._end_waiting()

    async def _clean(self, _: web.Application) -> None:
        await self.close()
