"""The simulator as a whole: who lives in it, and the application to mount."""

import secrets
import time
from collections.abc import Container
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.simulator.api import Api
from bot.simulator.exchange import Exchange
from bot.simulator.faults import Faults
from bot.simulator.page import Page, guard
from bot.simulator.people import Person
from bot.simulator.store import Store
from bot.simulator.webhook import Webhook
from bot.simulator.words import made_up_person


class Simulator:
    """One bot and its people. With `store`, a JSON file, chats and unconfirmed updates survive a restart.

    `silent_ids` are private chats that take messages and that nobody reads. `faults` may be changed at any time;
    `calls` is a journal of the last thousand calls, for tests. All of it lives in the event loop that serves the
    application: call it, and its people, from that loop's thread.
    """

    def __init__(
        self,
        *,
        token: str,
        bot_name: str = "Regulars",
        bot_username: str = "regulars_demo_bot",
        store: Path | None = None,
        silent_ids: Container[int] = (),
    ) -> None:
        self.token = token
        self.faults = Faults()
        self._exchange = Exchange(token=token, bot_name=bot_name, bot_username=bot_username)
        self._exchange.silent_ids = silent_ids
        self._webhook = Webhook(self._exchange)
        self._api = Api(self._exchange, self._webhook, self.faults, token)
        self._page = Page(self._exchange, self._webhook, self.faults, self._newcomer)
        self._store = Store(store, self._dump) if store else None
        if self._store is not None:
            self._load(self._store.read())
            self._exchange.changed = self._store.changed

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Methods and fields as they were called, oldest first."""
        return self._api.calls

    def build_app(self) -> web.Application:
        """The application, to be mounted with `root.add_subapp("/simulator", app)`."""
        app = web.Application()
        app.add_routes([*self._api.routes(), *self._page.routes()])
        app.on_response_prepare.append(guard)
        app.on_startup.append(self._start)
        app.on_shutdown.append(self._shut)
        app.on_cleanup.append(self._clean)
        return app

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
        while person_id in self._exchange.people or person_id == self._exchange.bot["id"]:
            person_id = 100_000_000 + secrets.randbelow(900_000_000)
        person = Person(
            self._exchange,
            person_id,
            first_name=first_name,
            last_name=last_name,
            phone=phone,
            language_code=language_code,
            username=username,
        )
        self._exchange.people[person_id] = person
        self._exchange.changed()
        return person

    def people(self) -> list[Person]:
        """Everyone, in the order of their coming."""
        return list(self._exchange.people.values())

    def inject(self, update: dict[str, Any]) -> int:
        """Queue any raw update under the next update id and answer the id."""
        return self._exchange.inject(update)

    async def close(self) -> None:
        """Stop timers and write the store."""
        self._end_waiting()
        await self._webhook.stop()
        if self._store is not None:
            self._store.write()

    def _dump(self) -> dict[str, Any]:
        people = [person.dump() for person in self.people()]
        return {"people": people, "webhook": self._webhook.dump(), **self._exchange.dump()}

    def _load(self, kept: dict[str, Any] | None) -> None:
        if kept is None:
            return
        self._exchange.load(kept)
        self._webhook.load(kept["webhook"])
        for one in kept["people"]:
            self._exchange.people[one["id"]] = Person.load(self._exchange, one)

    def _newcomer(self, language: str) -> Person:
        """A made-up customer, with a name nobody here has as long as there is one."""
        taken = {(person.first_name, person.last_name) for person in self.people()}
        tries = [made_up_person(language) for _ in range(20)]
        fresh = (one for one in tries if (one["first_name"], one["last_name"]) not in taken)
        return self.add_person(**next(fresh, tries[0]))

    def _end_waiting(self) -> None:
        """Polls and open pages end now; else the server would wait for them."""
        self._exchange.updates.closing = True
        self._exchange.updates.bell.ring()
        for person in self.people():
            person.bell.ring()

    async def _start(self, _: web.Application) -> None:
        self._exchange.updates.closing = False
        # A bot that starts with us has its ten seconds too.
        self._exchange.updates.polled_at = time.monotonic()
        self._webhook.start()

    async def _shut(self, _: web.Application) -> None:
        self._end_waiting()

    async def _clean(self, _: web.Application) -> None:
        await self.close()
