"""Telegram as a whole: one bot, its people, and the API by which it speaks to them."""

import secrets
import time
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from aiohttp import web

from bot.simulator.messengers import Act
from bot.simulator.telegram import view
from bot.simulator.telegram.acts import ACTS
from bot.simulator.telegram.api import Api
from bot.simulator.telegram.exchange import Exchange
from bot.simulator.telegram.faults import TelegramFaults
from bot.simulator.telegram.people import Person
from bot.simulator.telegram.webhook import Webhook


class Telegram:
    """The Bot API below `/telegram`. `silent_ids` are private chats that take messages and that nobody reads."""

    name = "telegram"
    title = "Telegram"
    words: Mapping[str, Mapping[str, str]] = {}
    is_open = True
    kinds: Sequence[str] = ("telegram",)
    acts: Mapping[str, Act] = ACTS

    def __init__(self, *, token: str, bot_name: str, bot_username: str, silent_ids: Container[int]) -> None:
        self._faults = TelegramFaults()
        self.exchange = Exchange(token=token, bot_name=bot_name, bot_username=bot_username)
        self.exchange.silent_ids = silent_ids
        self.webhook = Webhook(self.exchange)
        self._api = Api(self.exchange, self.webhook, self._faults, token)

    @property
    def faults(self) -> TelegramFaults:
        """What goes wrong here; change it at any time."""
        return self._faults

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Methods and fields as they were called, oldest first, a thousand at most."""
        return self._api.calls

    def add_person(
        self,
        *,
        first_name: str,
        last_name: str = "",
        phone: str,
        language_code: str = "en",
        username: str | None = None,
    ) -> Person:
        """A new person who has not written to the bot yet."""
        person_id = 100_000_000 + secrets.randbelow(900_000_000)
        while person_id in self.exchange.people or person_id == self.exchange.bot["id"]:
            person_id = 100_000_000 + secrets.randbelow(900_000_000)
        person = Person(
            self.exchange,
            person_id,
            first_name=first_name,
            last_name=last_name,
            phone=phone,
            language_code=language_code,
            username=username,
        )
        self.exchange.people[person_id] = person
        self.exchange.changed()
        return person

    # ------------------------------------------------------------------------------------- for the page

    def routes(self) -> list[web.RouteDef]:
        return self._api.routes()

    def chats(self) -> Sequence[Person]:
        return list(self.exchange.people.values())

    def newcomer(self, human: Mapping[str, str], kind: str) -> Person:
        assert kind in self.kinds
        return self.add_person(**human)

    def shown(self, message: dict[str, Any]) -> dict[str, Any]:
        return view.shown(message)

    def status(self, chat: Person) -> dict[str, Any]:
        return view.status(chat, self.exchange, self.webhook)

    def file(self, name: str) -> web.Response | None:
        found = self.exchange.photos.find(name)
        if found is not None:
            return web.Response(body=found.data, content_type=found.content_type)
        document = self.exchange.documents.find(name)
        if document is None:
            return None
        # Whatever it is, it is handed over, never shown as a page of ours.
        headers = {"Content-Disposition": "attachment"}
        return web.Response(body=document.data, content_type="application/octet-stream", headers=headers)

    # ------------------------------------------------------------------------------------------- life

    def dump(self) -> dict[str, Any]:
        people = [person.dump() for person in self.exchange.people.values()]
        return {"people": people, "webhook": self.webhook.dump(), **self.exchange.dump()}

    def load(self, kept: dict[str, Any]) -> None:
        self.exchange.load(kept)
        self.webhook.load(kept["webhook"])
        for one in kept["people"]:
            self.exchange.people[one["id"]] = Person.load(self.exchange, one)

    def on_change(self, changed: Callable[[], None]) -> None:
        self.exchange.changed = changed

    async def start(self) -> None:
        self.exchange.updates.closing = False
        # A bot that starts with us has its ten seconds too.
        self.exchange.updates.polled_at = time.monotonic()
        self.webhook.start()

    def end_waiting(self) -> None:
        self.exchange.updates.closing = True
        self.exchange.updates.bell.ring()

    async def stop(self) -> None:
        await self.webhook.stop()
