"""Stand-ins for what each channel talks to, on loopback: they remember what they took and can misbehave."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bot.channels.base import Channel
from bot.channels.email import EmailChannel, Server
from bot.channels.sms import Call, Callback, SmsChannel
from bot.channels.telegram import TelegramChannel
from bot.channels.whatsapp import WhatsAppChannel
from loyalty.clock import system_now
from loyalty.gateways import Mailbox
from tests.bot.channels.whatsapp.graph import TOKEN, VERSION, Graph, refused
from tests.bot.channels.whatsapp.graph import serving as serving_graph
from tests.bot.channels.whatsapp.payloads import PHONE_NUMBER_ID

CLUB = Mailbox("Ладно, кофе", "club@ladno.example")
USER, PASSWORD = "shop", "a-password-of-the-shop"
GATEWAY_TOKEN = "a-token-of-the-gateway"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@dataclass
class Stand:
    """One channel and its stand-in. `taken`: (address, text) of what it took.

    address: of somebody there. faults: by their name, how to bring them about.
    """

    channel: Channel
    address: str
    taken: Callable[[], list[tuple[str, str]]]
    faults: dict[str, Callable[[], None]]


# --------------------------------------------------------------------------------------------- over HTTP


@dataclass
class HttpStand:
    """Takes calls and keeps them; `misbehaves` may answer first, `after` once a call was taken."""

    calls: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    misbehaves: Answer | None = None
    after: Answer | None = None
    answer: Callable[[int], web.Response] = lambda number: web.json_response({"messages": [{"id": f"gw-{number}"}]})
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Whatever is called."""
        body = await request.read()
        if self.misbehaves is not None and (answer := await self.misbehaves(request)) is not None:
            return answer
        self.calls.append(request)
        self.bodies.append(body)
        if self.after is not None and (answer := await self.after(request)) is not None:
            return answer
        return self.answer(len(self.bodies))


@asynccontextmanager
async def serving(stand: HttpStand) -> AsyncIterator[HttpStand]:
    """The stand-in, listening on a port of its own."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", stand.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stand.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stand
    finally:
        await runner.cleanup()


def status(code: int, body: Any = None, **headers: str) -> Answer:
    """Every call is answered so."""

    async def answer(_: web.Request) -> web.StreamResponse:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=code, text=json.dumps(body), content_type="application/json", headers=names)

    return answer


async def cut(request: web.Request) -> None:
    """The line breaks."""
    assert request.transport is not None
    request.transport.abort()


async def silent(_: web.Request) -> None:
    """No answer at all."""
    await asyncio.sleep(3600)


async def page(_: web.Request) -> web.Response:
    """What a proxy says whose server is away."""
    return web.Response(status=502, text="<html>Bad gateway</html>", content_type="text/html")


def sms_channel(url: str, *, callback: Callback | None = None, **call: Any) -> SmsChannel:
    """A gateway that wants JSON, unless `call` says otherwise."""
    body = '{"to": "{to}", "text": "{text}", "from": "{sender}", "ref": "{id}", "report": "{callback}"}'
    told = {
        "method": "POST",
        "body": body,
        "content_type": "application/json",
        "authorization": f"Bearer {GATEWAY_TOKEN}",
        "id_path": "messages.0.id",
        **call,
    }
    where = "https://club.example.com/webhooks/sms"
    return SmsChannel(Call(url, **told), sender="Ladno", callback=callback or Callback(), callback_url=where)


# --------------------------------------------------------------------------------------------- over SMTP


@dataclass
class Post:
    """A mail server: (address, mail) as it took them, its talks, and what it says instead of yes.

    answers: at "MAIL", "RCPT" or "DATA" a line to say, "cut" to break the line, "silent" to say nothing.
    once: the same, said once.
    """

    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    once: dict[str, str] = field(default_factory=dict)
    greetings: int = 0
    takes_first: bool = False
    password: str = PASSWORD
    lines: list[SMTP] = field(default_factory=list)
    port: int = 0

    def login(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: Any) -> AuthResult:
        """Whether it is the shop."""
        assert isinstance(given, LoginPassword)
        return AuthResult(success=given.password.decode() == self.password, handled=False)

    async def handle_MAIL(  # noqa: N802  named by aiosmtpd, as the two below
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Who sends."""
        if (said := await self._said("MAIL", server)) is not None:
            return said
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """To whom."""
        if (said := await self._said("RCPT", server)) is not None:
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """What."""
        if self.takes_first:
            self._keep(envelope)
        if (said := await self._said("DATA", server)) is not None:
            return said
        if not self.takes_first:
            self._keep(envelope)
        return "250 2.0.0 Taken"

    def _keep(self, envelope: Envelope) -> None:
        body = cast("bytes", envelope.content)
        self.raw.append(body)
        self.mails += [(one, message_from_bytes(body, policy=default)) for one in envelope.rcpt_tos]

    async def _said(self, step: str, server: SMTP) -> str | None:
        said = self.once.pop(step, None) or self.answers.get(step)
        if said == "cut":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            await asyncio.sleep(3600)
        if said == "silent":
            await asyncio.sleep(3600)
        return said

    def hang_up(self) -> None:
        """Close every open line, as servers do after a while."""
        for line in self.lines:
            if line.transport is not None:
                line.transport.close()


@asynccontextmanager
async def post_office(
    post: Post, *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None
) -> AsyncIterator[Post]:
    """The mail server, listening on a port of its own."""

    def line() -> SMTP:
        post.greetings += 1
        made = SMTP(
            post,
            hostname="mail.example",
            enable_SMTPUTF8=False,
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_require_tls=starttls is not None,
            authenticator=post.login,
            loop=asyncio.get_running_loop(),
        )
        post.lines.append(made)
        return made

    server = await asyncio.get_running_loop().create_server(line, "127.0.0.1", 0, ssl=tls)
    post.port = server.sockets[0].getsockname()[1]
    try:
        yield post
    finally:
        server.close()
        post.hang_up()
        await server.wait_closed()
        # The servers' talks end once their lines are gone.
        await asyncio.sleep(0.01)


def email_channel(post: Post, *, security: str = "none", tls: ssl.SSLContext | None = None) -> EmailChannel:
    """A channel that signs in there."""
    server = Server("localhost" if tls else "127.0.0.1", post.port, security, user=USER, password=PASSWORD)
    return EmailChannel(server, sender=CLUB, clock=system_now, tls=tls)


# ---------------------------------------------------------------------------------------- all, as stands


@asynccontextmanager
async def telegram_stand() -> AsyncIterator[Stand]:
    """Telegram."""
    stand = HttpStand()
    numbers = iter(range(1, 10_000))

    def taken() -> list[tuple[str, str]]:
        return list(told)

    told: list[tuple[str, str]] = []

    async def take(request: web.Request) -> web.StreamResponse | None:
        fields = await request.json()
        told.append((str(fields["chat_id"]), str(fields["text"])))
        if losing:
            await losing[0](request)
            return web.Response()
        message = {"message_id": next(numbers), "date": 0, "chat": {"id": 7, "type": "private"}, "text": "x"}
        return web.json_response({"ok": True, "result": message})

    losing: list[Any] = []

    def says(code: int, text: str, **parameters: int) -> Callable[[], None]:
        body = {"ok": False, "error_code": code, "description": text, "parameters": parameters}
        return lambda: setattr(stand, "misbehaves", status(code, body))

    async with serving(stand):
        stand.after = take
        channel = TelegramChannel("4242:made-up", stand.url)
        faults = {
            "unauthorized": says(401, "Unauthorized"),
            "rate": says(429, "Too Many Requests: retry after 7", retry_after=7),
            "rejected": says(400, "Bad Request: message is too odd"),
            "gone": says(400, "Bad Request: chat not found"),
            "page": lambda: setattr(stand, "misbehaves", page),
            "lost": lambda: losing.append(cut),
            "silent": lambda: losing.append(silent),
        }
        yield Stand(channel, "7001", taken, faults)
        await channel.close()


def words_of(message: dict[str, Any]) -> str:
    """What one of WhatsApp's messages says."""
    body = message["text"]["body"] if "text" in message else message["interactive"]["body"]["text"]
    return str(body)


@asynccontextmanager
async def whatsapp_stand() -> AsyncIterator[Stand]:
    """WhatsApp."""
    graph = Graph()

    def says(code: int, http: int = 400, retry_after: str | None = None) -> Callable[[], None]:
        async def answer(_: web.Request) -> web.Response:
            return refused(code, status=http, retry_after=retry_after)

        return lambda: setattr(graph, "misbehaves", answer)

    def after(what: Any) -> Callable[[], None]:
        async def answer(request: web.Request) -> Any:
            await graph._take(request)
            await what(request)
            return web.Response()

        return lambda: setattr(graph, "misbehaves", answer)

    async with serving_graph(graph):
        channel = WhatsAppChannel(
            access_token=TOKEN,
            phone_number_id=PHONE_NUMBER_ID,
            app_secret="secret",
            verify_token="verify",
            api_url=f"{graph.url}{VERSION}",
        )
        faults = {
            "unauthorized": says(190, 401),
            "rate": says(130429, 429, "7"),
            "rejected": says(100),
            "gone": says(131026),
            "page": lambda: setattr(graph, "misbehaves", page),
            "lost": after(cut),
            "silent": after(silent),
        }
        yield Stand(channel, "79165550101", lambda: [(one["to"], words_of(one)) for one in graph.messages], faults)
        await channel.close()


@asynccontextmanager
async def sms_stand() -> AsyncIterator[Stand]:
    """An SMS gateway."""
    stand = HttpStand()

    def taken() -> list[tuple[str, str]]:
        return [(one["to"], one["text"]) for one in map(json.loads, stand.bodies)]

    def misbehave(answer: Any) -> Callable[[], None]:
        return lambda: setattr(stand, "misbehaves", answer)

    async with serving(stand):
        channel = sms_channel(f"{stand.url}/send")
        faults = {
            "unauthorized": misbehave(status(401)),
            "rate": misbehave(status(429, Retry_After="7")),
            "rejected": misbehave(status(422, {"error": "bad number"})),
            "page": misbehave(page),
            "lost": lambda: setattr(stand, "after", cut),
            "silent": lambda: setattr(stand, "after", silent),
        }
        yield Stand(channel, "+79165550101", taken, faults)
        await channel.close()


@asynccontextmanager
async def email_stand() -> AsyncIterator[Stand]:
    """A mail server."""
    post = Post()

    def says(step: str, line: str) -> Callable[[], None]:
        return lambda: post.answers.update({step: line})

    def lost(how: str) -> Callable[[], None]:
        def begin() -> None:
            post.takes_first = True
            post.answers["DATA"] = how

        return begin

    async with post_office(post):
        channel = email_channel(post)
        faults = {
            "unauthorized": lambda: setattr(post, "password", "another"),
            "rate": says("RCPT", "421 4.7.0 Too many"),
            "rejected": says("DATA", "554 5.6.0 We do not take such"),
            "gone": says("RCPT", "550 5.1.1 No such mailbox"),
            "lost": lost("cut"),
            "silent": lost("silent"),
        }
        yield Stand(channel, "anna@mail.example", lambda: [(to, _words(mail)) for to, mail in post.mails], faults)
        await channel.close()


def _words(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n").removesuffix("\n")


STANDS = {"telegram": telegram_stand, "whatsapp": whatsapp_stand, "sms": sms_stand, "email": email_stand}
