"""WhatsApp as a whole: the business's number, its people, and the API by which it speaks to them."""

import json
import secrets
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from aiohttp import web

from bot.simulator.messengers import Act
from bot.simulator.whatsapp import view
from bot.simulator.whatsapp.acts import ACTS
from bot.simulator.whatsapp.api import Api
from bot.simulator.whatsapp.business import Business
from bot.simulator.whatsapp.exchange import Exchange, digits
from bot.simulator.whatsapp.faults import WhatsAppFaults
from bot.simulator.whatsapp.people import Person
from bot.simulator.whatsapp.templates import Templates
from bot.simulator.whatsapp.words import WORDS

HIDDEN = "whatsapp_hidden"
PREVIEWED = ("image/jpeg", "image/png", "image/webp")


class WhatsApp:
    """The Cloud API below `/whatsapp/vN.N`.

    `silent` are numbers and user ids that take messages and that nobody reads. Without a `hook` of the business
    nobody comes, but the API is there.
    """

    name = "whatsapp"
    title = "WhatsApp"
    words: Mapping[str, Mapping[str, str]] = WORDS
    kinds: Sequence[str] = ("whatsapp", HIDDEN)
    acts: Mapping[str, Act] = ACTS

    def __init__(self, business: Business, silent: Container[str] = ()) -> None:
        self.business = business
        self.exchange = Exchange(business, silent)
        self._api = Api(self.exchange)

    @property
    def is_open(self) -> bool:
        return bool(self.business.hook)

    @property
    def faults(self) -> WhatsAppFaults:
        """What goes wrong here; change it at any time."""
        return self.exchange.faults

    @property
    def templates(self) -> Templates:
        """What Meta thinks of the business's templates."""
        return self.exchange.templates

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Paths and fields as they were called, oldest first, a thousand at most."""
        return self._api.calls

    # -------------------------------------------------------------------------------------- for tests

    def add_person(
        self, *, name: str, phone: str | None, user_id: str | None = "", hidden_phone: str = "", language: str = "en"
    ) -> Person:
        """A new person who has not written yet; `user_id` "" makes one up, None is for a time without any."""
        if user_id == "":
            user_id = f"RU.{10**19 + secrets.randbelow(9 * 10**19)}"
        if phone is None and user_id is None:
            raise ValueError("a person without a phone needs a user id")
        if self.exchange.find(digits(phone) if phone else user_id or "") is not None:
            raise ValueError("somebody has this number or user id")
        person = Person(
            self.exchange, name=name, phone=phone, user_id=user_id, hidden_phone=hidden_phone, language_code=language
        )
        self.exchange.people.append(person)
        self.exchange.changed()
        return person

    def people(self) -> list[Person]:
        """Everyone, in the order of their coming."""
        return list(self.exchange.people)

    async def deliver(self, body: bytes | dict[str, Any], *, signature: str | None = None, signed: bool = True) -> int:
        """Post any body to the webhook and answer its status: signed, unsigned, or with a signature of one's own."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return await self.exchange.hook.post(raw, (signature or self.exchange.hook.sign(raw)) if signed else None)

    @property
    def hold_statuses(self) -> bool:
        """Whether what becomes of messages gathers in `held` instead of being told."""
        return self.exchange.hold_statuses

    @hold_statuses.setter
    def hold_statuses(self, hold: bool) -> None:
        self.exchange.hold_statuses = hold

    @property
    def held(self) -> list[dict[str, Any]]:
        """Statuses that wait to be released, as they happened."""
        return list(self.exchange.held)

    def release(self, statuses: Iterable[dict[str, Any]] | None = None) -> None:
        """Tell held statuses in this order; all of them, as they happened, when none are named."""
        self.exchange.release(statuses)

    # ------------------------------------------------------------------------------------- for the page

    def routes(self) -> list[web.RouteDef]:
        return self._api.routes()

    def chats(self) -> Sequence[Person]:
        return self.people()

    def newcomer(self, human: Mapping[str, str], kind: str) -> Person:
        assert kind in self.kinds
        name = f"{human['first_name']} {human['last_name']}".strip()
        phone, language = human["phone"], human["language_code"]
        if kind == HIDDEN:
            return self.add_person(name=name, phone=None, hidden_phone=phone, language=language)
        return self.add_person(name=name, phone=phone, language=language)

    def shown(self, message: dict[str, Any]) -> dict[str, Any]:
        return view.shown(message)

    def status(self, chat: Person) -> dict[str, Any]:
        return view.status(chat, self.exchange)

    def file(self, name: str) -> web.Response | None:
        found = self.exchange.files.find(name)
        if found is None:
            return None
        if found.mime in PREVIEWED:
            return web.Response(body=found.data, content_type=found.mime)
        # Whatever it is, it is handed over, never shown as a page of ours.
        headers = {"Content-Disposition": "attachment"}
        return web.Response(body=found.data, content_type="application/octet-stream", headers=headers)

    # ------------------------------------------------------------------------------------------- life

    def dump(self) -> dict[str, Any]:
        return {"people": [person.dump() for person in self.exchange.people], **self.exchange.dump()}

    def load(self, kept: dict[str, Any]) -> None:
        self.exchange.load(kept)
        self.exchange.people = [Person.load(self.exchange, one) for one in kept["people"]]

    def on_change(self, changed: Callable[[], None]) -> None:
        self.exchange.changed = changed

    async def start(self) -> None:
        self.exchange.hook.start()
        self.exchange.templates.start()

    def end_waiting(self) -> None:
        """Nobody waits here for an answer."""

    async def stop(self) -> None:
        self.exchange.templates.close()
        await self.exchange.hook.stop()
