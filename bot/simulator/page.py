"""The chat page: one person's chat in a browser, live by server-sent events."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import jinja2
from aiohttp import hdrs, web
from yarl import URL

from bot.simulator.assets import assets, icon, serve
from bot.simulator.exchange import Exchange
from bot.simulator.faults import Faults, Refusal
from bot.simulator.people import Person
from bot.simulator.photos import MOST_BYTES
from bot.simulator.view import View
from bot.simulator.webhook import Webhook
from bot.simulator.words import LANGUAGES, WORDS, best_language

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
PERSON_COOKIE = "simulator_person"
LANGUAGE_COOKIE = "simulator_language"
THEME_COOKIE = "simulator_theme"
YEAR_SECONDS = 365 * 24 * 3600
QUIET_SECONDS = 15
PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_TEXT = 4096


class Page:
    """The page and the small JSON calls of its script."""

    def __init__(self, exchange: Exchange, webhook: Webhook, faults: Faults, newcomer: Callable[[str], Person]) -> None:
        self._exchange = exchange
        self._webhook = webhook
        self._faults = faults
        self._newcomer = newcomer
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
            web.get("/photos/{file}", self.photo),
            web.post("/people", self.add_person),
            web.post("/settings", self.change_settings),
            web.post("/faults", self.change_faults),
            web.get("/people/{person:\\d+}", self.person),
            web.get("/people/{person:\\d+}/events", self.events),
            web.post("/people/{person:\\d+}/choice", self.choose),
            web.post("/people/{person:\\d+}/start", self.start),
            web.post("/people/{person:\\d+}/messages", self.send),
            web.post("/people/{person:\\d+}/photos", self.send_photo),
            web.post("/people/{person:\\d+}/contact", self.share_contact),
            web.post("/people/{person:\\d+}/taps", self.tap),
            web.post("/people/{person:\\d+}/block", self.block),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The page of whom the cookie names, else of the first person; without people one is made up."""
        language = request.cookies.get(LANGUAGE_COOKIE, "")
        if language not in LANGUAGES:
            language = best_language(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
        person = self._chosen(request) or self._newcomer(language)
        theme = request.cookies.get(THEME_COOKIE, "")
        base = base_path(request)
        page = self._templates.get_template("chat.html").render(
            base=base,
            asset=lambda name: base + assets()[name].path,
            icon=icon,
            bot=self._exchange.bot,
            person=person,
            people=list(self._exchange.people.values()),
            payload=deep_link(request.query.get("start")),
            language=language,
            languages=LANGUAGES,
            theme=theme if theme in {"light", "dark"} else "",
            words=WORDS[language],
        )
        response = web.Response(text=page, content_type="text/html", headers={"Cache-Control": "no-store"})
        keep(response, PERSON_COOKIE, str(person.id), base)
        return response

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The live chat: everything first, then changes. A reconnecting page begins anew and draws by ids."""
        person = self._person(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        view = View(person, self._exchange, self._webhook, self._faults)
        quiet = 0
        try:
            await response.write(b"retry: 1000\n\n")
            while not self._exchange.updates.closing:
                if step := view.step():
                    await response.write(f"data: {json.dumps(step, ensure_ascii=False)}\n\n".encode())
                    quiet = 0
                # Typing dots end and bots fall silent without a ring, so look each second.
                quiet += not await rung(person)
                if quiet >= QUIET_SECONDS:
                    await response.write(b": still here\n\n")
                    quiet = 0
        except ConnectionResetError:
            # The page was closed.
            pass
        return response

    async def person(self, request: web.Request) -> web.Response:
        """Whether the person is still known; a page of another life of the demo learns to load anew."""
        return done(id=self._person(request).id)

    async def photo(self, request: web.Request) -> web.Response:
        """A photo of any chat; ids cannot be guessed."""
        found = self._exchange.photos.find(request.match_info["file"])
        if found is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": "private, max-age=86400"}
        return web.Response(body=found.data, content_type=found.content_type, headers=headers)

    async def add_person(self, request: web.Request) -> web.Response:
        """Another customer, chosen for this browser."""
        body = await read(request)
        language = body.get("language")
        person = self._newcomer(language if language in LANGUAGES else "en")
        response = done(id=person.id)
        keep(response, PERSON_COOKIE, str(person.id), base_path(request))
        return response

    async def choose(self, request: web.Request) -> web.Response:
        """Show that person's chat in this browser."""
        await read(request)
        response = done()
        keep(response, PERSON_COOKIE, str(self._person(request).id), base_path(request))
        return response

    async def change_settings(self, request: web.Request) -> web.Response:
        """Language and theme of this browser."""
        body = await read(request)
        response = done()
        if body.get("language") in LANGUAGES:
            keep(response, LANGUAGE_COOKIE, body["language"], base_path(request))
        if body.get("theme") in {"light", "dark"}:
            keep(response, THEME_COOKIE, body["theme"], base_path(request))
        return response

    async def change_faults(self, request: web.Request) -> web.Response:
        """What the bot meets from now on."""
        body = await read(request)
        for name in ("retry_after", "lose_answers", "server_errors"):
            value = body.get(name, 0)
            if not isinstance(value, int) or not 0 <= value <= 9999:
                return refused("failed")
            setattr(self._faults, name, int(value))
        self._faults.unauthorized = body.get("unauthorized") is True
        for person in self._exchange.people.values():
            person.bell.ring()
        return done()

    async def start(self, request: web.Request) -> web.Response:
        """Press Start, with the payload of a deep link."""
        body = await read(request)
        self._person(request).start(deep_link(body.get("payload")))
        return done()

    async def send(self, request: web.Request) -> web.Response:
        """Write a text of 1 to 4096 characters."""
        text = str((await read(request)).get("text", "")).strip()
        if len(text) > LONGEST_TEXT:
            return refused("too_long", count=len(text))
        if not text:
            return refused("failed")
        self._person(request).send(text)
        return done()

    async def send_photo(self, request: web.Request) -> web.Response:
        """Send the body as a photo, with the query's caption."""
        check_origin(request)
        person = self._person(request)
        try:
            person.send_photo(
                await request.clone(client_max_size=MOST_BYTES).read(), request.query.get("caption", "")[:1024]
            )
        except (Refusal, web.HTTPRequestEntityTooLarge):
            return refused("bad_photo")
        return done()

    async def share_contact(self, request: web.Request) -> web.Response:
        """Share the own phone number."""
        await read(request)
        self._person(request).share_contact()
        return done()

    async def tap(self, request: web.Request) -> web.Response:
        """Press an inline button."""
        body = await read(request)
        message_id, data = body.get("message_id"), body.get("data")
        if not isinstance(message_id, int) or not isinstance(data, str):
            return refused("failed")
        self._person(request).tap(message_id, data)
        return done()

    async def block(self, request: web.Request) -> web.Response:
        """Block the bot or let it write again."""
        body, person = await read(request), self._person(request)
        if body.get("blocked") is True:
            person.block()
        elif person.blocked:
            person.unblock()
        return done()

    def _chosen(self, request: web.Request) -> Person | None:
        named = request.cookies.get(PERSON_COOKIE, "")
        people = self._exchange.people
        found = people.get(int(named)) if named.isdecimal() else None
        return found or next(iter(people.values()), None)

    def _person(self, request: web.Request) -> Person:
        person = self._exchange.people.get(int(request.match_info["person"]))
        if person is None:
            raise web.HTTPNotFound
        return person


def deep_link(payload: Any) -> str:
    """The payload of a link; what Telegram would not carry in one is left out."""
    return payload if isinstance(payload, str) and PAYLOAD.fullmatch(payload) else ""


async def guard(request: web.Request, response: web.StreamResponse) -> None:
    """The page's headers on every answer but those of the Bot API."""
    if not request.path.startswith(f"{base_path(request)}/telegram/"):
        response.headers.update(HEADERS)


async def rung(person: Person) -> bool:
    """Wait for a change of the chat, a second at most."""
    try:
        async with asyncio.timeout(1):
            await person.bell.wait()
    except TimeoutError:
        return False
    return True


async def read(request: web.Request) -> dict[str, Any]:
    """The JSON object that a page of ours sent; requests of other sites are refused."""
    check_origin(request)
    try:
        body = await request.json() if request.can_read_body else {}
    except ValueError:
        raise web.HTTPBadRequest from None
    return body if isinstance(body, dict) else {}


def check_origin(request: web.Request) -> None:
    """Refuse what another site's page sends: by Sec-Fetch-Site, by Origin where the browser tells no more."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        is_ours = URL(request.headers.get(hdrs.ORIGIN, "")).authority == request.host
    if not is_ours:
        raise web.HTTPForbidden


def base_path(request: web.Request) -> str:
    """Where the application is mounted, without a slash at the end."""
    return request.app.router["page"].url_for().path.rstrip("/")


def keep(response: web.Response, name: str, value: str, base: str) -> None:
    """A cookie of this page alone."""
    response.set_cookie(name, value, path=base or "/", max_age=YEAR_SECONDS, httponly=True, samesite="Lax")


def done(**facts: Any) -> web.Response:
    """The small yes."""
    return web.json_response({"ok": True, **facts})


def refused(reason: str, **facts: Any) -> web.Response:
    """The small no; the page has words for the reason."""
    return web.json_response({"ok": False, "reason": reason, **facts}, status=422)
