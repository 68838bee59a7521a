"""The simulator as a whole: who lives in it, and the application to mount."""

import secrets
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.simulator.api import Api
from bot.simulator.exchange import Exchange
from bot.simulator.faults import Faults
from bot.simulator.people import Person
from bot.simulator.webhook import Webhook


class Simulator:
    """One bot and its people. With `store`, a JSON file, chats and unconfirmed updates survive a restart.

    `faults` may be changed at any time; `calls` is a journal of the last thousand calls, for tests.
    """

    def __init__(
        self,
        *,
        token: str,
        bot_name: str = "Regulars",
        bot_username: str = "regulars_demo_bot",
        store: Path | None = None,
    ) -> None:
        self.token = token
        self.faults = Faults()
        self._exchange = Exchange(token=token, bot_name=bot_name, bot_username=bot_username)
        self._webhook = Webhook(self._exchange)
        self._api = Api(self._exchange, self._webhook, self.faults, token)

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Methods and fields as they were called, oldest first."""
        return self._api.calls

    def build_app(self) -> web.Application:
        """The application, to be mounted with `root.add_subapp("/simulator", app)`."""
        app = web.Application()
        app.add_routes(self._api.routes())
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
        self._exchange.updates.closing = True
        self._exchange.updates.bell.ring()
        await self._webhook.stop()

    async def _start(self, _: web.Application) -> None:
        self._exchange.updates.closing = False
        self._webhook.start()

    async def _shut(self, _: web.Application) -> None:
        # Waiting polls end now; else the server would wait for them.
        self._exchange.updates.closing = True
        self._exchange.updates.bell.ring()

    async def _clean(self, _: web.Application) -> None:
        await self.close()
