"""The page: one chat in a browser, live by server-sent events, whichever messenger or inbox it is in."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import jinja2
from aiohttp import hdrs, web

from bot.simulator.assets import assets, icon, serve
from bot.simulator.chats import Chat
from bot.simulator.links import deep_link
from bot.simulator.manners import done, read, refused
from bot.simulator.messengers import Desk, Inbox, Messenger, Place, Side
from bot.simulator.view import View
from bot.simulator.words import LANGUAGES, WORDS, best_language, made_up_person

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
PERSON_COOKIE = "simulator_person"
LANGUAGE_COOKIE = "simulator_language"
THEME_COOKIE = "simulator_theme"
THEMES = ("light", "dark")
YEAR_SECONDS = 365 * 24 * 3600
QUIET_SECONDS = 15


class Page:
    """The page and the small JSON calls of its script. `messengers`, the first being the usual one."""

    def __init__(
        self, title: str, messengers: Sequence[Messenger], inboxes: Sequence[Inbox] = (), desks: Sequence[Desk] = ()
    ) -> None:
        self._title = title
        self._messengers = messengers
        self._inboxes = inboxes
        self._desks = desks
        self._places: Sequence[Place] = (*messengers, *inboxes)
        self._closing = False
        loader = jinja2.PackageLoader("bot.simulator", "templates")
        # All values are escaped; a name or a text of a person is never markup.
        self._templates = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )

    def routes(self) -> list[web.RouteDef]:
        """To be mounted under the base address; unsafe ones take requests of this very page only."""
        return [
            web.get("", self.show, name="page"),
            web.get("/", self.show),
            web.get("/s/{hash}/{name}", serve),
            web.get("/photos/{file}", self.file),
            web.post("/people", self.add_person),
            web.post("/settings", self.change_settings),
            web.post("/faults", self.change_faults),
            web.get("/people/{person}", self.person),
            web.get("/people/{person}/events", self.events),
            web.post("/people/{person}/choice", self.choose),
            web.post("/people/{person}/twin", self.add_twin),
            web.post("/people/{person}/{act}", self.act),
        ]

    def open(self) -> None:
        """Pages stay connected from now on."""
        self._closing = False

    def close(self) -> None:
        """Open pages end now; else the server would wait for them."""
        self._closing = True
        for chat, _ in self._chats():
            chat.bell.ring()

    async def show(self, request: web.Request) -> web.Response:
        """The page of whom the cookie names, else of the first person; without people one is made up."""
        language = request.cookies.get(LANGUAGE_COOKIE, "")
        if language not in LANGUAGES:
            language = best_language(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
        chat, place = self._chosen(request, language)
        base = base_path(request)
        facts = {"base": base, "chat": chat, "place": place, "language": language, **self._around(chat, place)}
        page = self._templates.get_template(self._template(place)).render(
            **facts,
            asset=lambda name: base + assets()[name].path,
            has_asset=lambda name: name in assets(),
            icon=icon,
            title=self._title,
            faults=[(field.name, field.default) for field in fields(place.faults)],
            payload=deep_link(request.query.get("start")),
            languages=LANGUAGES,
            theme=theme if (theme := request.cookies.get(THEME_COOKIE, "")) in THEMES else "",
            words={**WORDS[language], **place.words.get(language, {})},
        )
        response = web.Response(text=page, content_type="text/html", headers={"Cache-Control": "no-store"})
        keep(response, PERSON_COOKIE, str(chat.id), base)
        return response

    def _template(self, place: Side) -> str:
        if place in self._desks:
            return f"{place.name}.html"
        return "inbox.html" if place in self._inboxes else "chat.html"

    def _around(self, chat: Chat, place: Side) -> dict[str, Any]:
        """Where else the page leads."""
        open_messengers = [one for one in self._messengers if one.is_open]
        return {
            "others": [(other, where) for other, where in self._people() if other is not chat],
            "open_messengers": open_messengers,
            "twins": [one for one in open_messengers if chat.phone and one is not place],
            "messengers": self._messengers,
            "inboxes": self._inboxes,
        }

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The live chat: everything first, then changes. A reconnecting page begins anew and draws by ids."""
        chat, place = self._named(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        chat.look(+1)
        try:
            await self._tell(response, chat, place)
        except ConnectionResetError:
            # The page was closed.
            pass
        finally:
            chat.look(-1)
        return response

    async def _tell(self, response: web.StreamResponse, chat: Chat, place: Side) -> None:
        view = View(chat, place)
        quiet = 0
        await response.write(b"retry: 1000\n\n")
        while not self._closing:
            if step := view.step():
                await response.write(f"data: {json.dumps(step, ensure_ascii=False)}\n\n".encode())
                quiet = 0
            # Typing dots end and bots fall silent without a ring, so look each second.
            quiet += not await rung(chat)
            if quiet >= QUIET_SECONDS:
                await response.write(b": still here\n\n")
                quiet = 0

    async def person(self, request: web.Request) -> web.Response:
        """Whether the person is still known; a page of another life of the demo learns to load anew."""
        return done(id=self._named(request)[0].id)

    async def file(self, request: web.Request) -> web.Response:
        """A picture or file of any chat; ids cannot be guessed."""
        found = (place.file(request.match_info["file"]) for place in self._places)
        response = next((one for one in found if one is not None), None)
        if response is None:
            raise web.HTTPNotFound
        response.headers["Cache-Control"] = "private, max-age=86400"
        return response

    async def add_person(self, request: web.Request) -> web.Response:
        """Another customer, chosen for this browser."""
        body = await read(request)
        language = body.get("language")
        kinds = {kind: messenger for messenger in self._messengers if messenger.is_open for kind in messenger.kinds}
        kind = body.get("kind", self._messengers[0].kinds[0])
        if kind not in kinds:
            return refused("failed")
        chat = self._newcomer(kinds[kind], kind, language if language in LANGUAGES else "en")
        return chosen(request, chat)

    async def add_twin(self, request: web.Request) -> web.Response:
        """The same human in another messenger: the chat that is there, or a new one with the same name and phone."""
        body = await read(request)
        chat, place = self._named(request)
        other = next((one for one in self._messengers if one.is_open and one.name == body.get("messenger")), None)
        if other is None or other is place or not chat.phone:
            return refused("failed")
        there = (one for one in other.chats() if one.phone == chat.phone)
        first_name, _, last_name = chat.full_name.partition(" ")
        language = str(body.get("language", "en"))
        human = {"first_name": first_name, "last_name": last_name, "phone": chat.phone, "language_code": language}
        return chosen(request, next(there, None) or other.newcomer(human, other.kinds[0]))

    async def choose(self, request: web.Request) -> web.Response:
        """Show that person's chat in this browser."""
        await read(request)
        return chosen(request, self._named(request)[0])

    async def change_settings(self, request: web.Request) -> web.Response:
        """Language and theme of this browser."""
        body = await read(request)
        response = done()
        if body.get("language") in LANGUAGES:
            keep(response, LANGUAGE_COOKIE, body["language"], base_path(request))
        if body.get("theme") in THEMES:
            keep(response, THEME_COOKIE, body["theme"], base_path(request))
        return response

    async def change_faults(self, request: web.Request) -> web.Response:
        """What one messenger or inbox does from now on."""
        body = await read(request)
        named = body.pop("messenger", self._messengers[0].name)
        place = next((one for one in (*self._places, *self._desks) if one.name == named), None)
        if place is None or not place.faults.change(body):
            return refused("failed")
        for chat, where in self._chats():
            if where is place:
                chat.bell.ring()
        return done()

    async def act(self, request: web.Request) -> web.Response:
        """Something that can be done in a chat of that place."""
        chat, place = self._named(request)
        found = place.acts.get(request.match_info["act"])
        if found is None:
            raise web.HTTPNotFound
        return await found(chat, request)

    async def guard(self, request: web.Request, response: web.StreamResponse) -> None:
        """The page's headers on every answer but those of the APIs."""
        base = base_path(request)
        if not any(request.path.startswith(f"{base}/{place.name}/") for place in self._places):
            response.headers.update(HEADERS)

    def _people(self) -> list[tuple[Chat, Messenger]]:
        return [(chat, messenger) for messenger in self._messengers for chat in messenger.chats()]

    def _chats(self) -> list[tuple[Chat, Side]]:
        """All that can be opened."""
        inboxes = [(chat, inbox) for inbox in self._inboxes for chat in (inbox.entrance, *inbox.chats())]
        return [*self._people(), *inboxes, *((desk.entrance, desk) for desk in self._desks)]

    def _chosen(self, request: web.Request, language: str) -> tuple[Chat, Side]:
        """Of whom the link or else the cookie names, if they are in the place that the link asks for."""
        asked = request.query.get("in")
        entered = next((one for one in (*self._inboxes, *self._desks) if one.name == asked), None)
        if entered is not None:
            return entered.entrance, entered
        wanted = next((one for one in self._messengers if one.is_open and one.name == asked), None)
        named = request.query.get("with") or request.cookies.get(PERSON_COOKIE, "")
        found = (one for one in self._chats() if str(one[0].id) == named and wanted in {None, one[1]})
        if (there := next(found, None)) is not None:
            return there
        messenger = wanted or self._messengers[0]
        fitting = (one for one in self._people() if wanted in {None, one[1]})
        return next(fitting, None) or (self._newcomer(messenger, messenger.kinds[0], language), messenger)

    def _named(self, request: web.Request) -> tuple[Chat, Side]:
        named = request.match_info["person"]
        found = next((one for one in self._chats() if str(one[0].id) == named), None)
        if found is None:
            raise web.HTTPNotFound
        return found

    def _newcomer(self, messenger: Messenger, kind: str, language: str) -> Chat:
        """A made-up customer, with a name nobody here has as long as there is one."""
        taken = {chat.full_name for chat, _ in self._people()}
        tries = [made_up_person(language) for _ in range(20)]
        fresh = (one for one in tries if f"{one['first_name']} {one['last_name']}" not in taken)
        return messenger.newcomer(next(fresh, tries[0]), kind)


async def rung(chat: Chat) -> bool:
    """Wait for a change of the chat, a second at most."""
    try:
        async with asyncio.timeout(1):
            await chat.bell.wait()
    except TimeoutError:
        return False
    return True


def base_path(request: web.Request) -> str:
    """Where the application is mounted, without a slash at the end."""
    return request.app.router["page"].url_for().path.rstrip("/")


def chosen(request: web.Request, chat: Chat) -> web.Response:
    """Yes, and this browser shows that chat from now on."""
    response = done(id=chat.id)
    keep(response, PERSON_COOKIE, str(chat.id), base_path(request))
    return response


def keep(response: web.Response, name: str, value: str, base: str) -> None:
    """A cookie of this page alone."""
    response.set_cookie(name, value, path=base or "/", max_age=YEAR_SECONDS, httponly=True, samesite="Lax")
