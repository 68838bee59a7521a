"""The door for messengers that call us: what they bring is stored and committed, and only then acknowledged."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial

import structlog
from aiohttp import web
from prometheus_client import Counter

from bot.channels.base import Channel, Forged, Store
from loyalty import db
from loyalty.conversations.channels import SMS, WHATSAPP
from loyalty.errors import Invalid

PREFIX = "/webhooks"
ASKING = frozenset({WHATSAPP})
"""Messengers that ask whether an address is ours before they call it."""
TELLING_BY_GET = frozenset({SMS})
"""Those that may bring what they have to tell in the address alone."""
# A thousand updates may come in one call. Source: developers.facebook.com, Webhooks: payloads of up to 3 MB.
BODY_LIMITS = {WHATSAPP: 4 * 2**20}

PATIENCE_SECONDS = 8.0

CALLS = Counter("regulars_webhook_calls_total", "Calls of messengers by the status we answered", ["channel", "status"])
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Listener:
    channel: Channel
    store: Store


class Webhooks:
    """POST /webhooks/NAME for the messengers of these names; 503 when nobody comes to listen for one of them.

    Whoever calls before that waits for `patience` seconds.

    The answers: 200 stored, now or before, 400 not an update, 403 secret missing or wrong, 404 no such
    messenger, 413 too large, 503 not stored, to be sent again. GET answers a messenger that asks whether the address
    is ours: 200 with what it wants to hear, or 403. A gateway may tell by GET what it could have posted.
    """

    def __init__(self, names: Collection[str], *, patience: float = PATIENCE_SECONDS) -> None:
        self._names = frozenset(names)
        self._listeners: dict[str, _Listener] = {}
        self._came = asyncio.Event()
        self._patience = patience

    @contextmanager
    def listening(self, channel: Channel, store: Store) -> Iterator[None]:
        """Hand what comes for this channel to `store` while inside."""
        self._listeners[channel.name] = _Listener(channel, store)
        self._came.set()
        try:
            yield
        finally:
            del self._listeners[channel.name]
            self._came.clear()

    def build_app(self) -> web.Application:
        """The application, to be mounted below PREFIX."""
        app = web.Application()
        for name in self._names:
            app.router.add_post(f"/{name}", partial(self._take, name))
            if name in ASKING:
                app.router.add_get(f"/{name}", partial(self._prove, name), allow_head=False)
            elif name in TELLING_BY_GET:
                app.router.add_get(f"/{name}", partial(self._take, name), allow_head=False)
        return app

    async def _listener(self, name: str) -> _Listener | None:
        """Who listens, or comes to listen soon: a process that has just been started is loading."""
        if name not in self._listeners:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    await self._came.wait()
        return self._listeners.get(name)

    async def _prove(self, name: str, request: web.Request) -> web.Response:
        listener = await self._listener(name)
        if listener is None:
            return _again()
        try:
            return web.Response(text=listener.channel.challenge(request.query))
        except Forged:
            log.warning("webhook not proven ours", channel=name)
            return _forged()

    async def _take(self, name: str, request: web.Request) -> web.Response:
        answer = await self._answer(name, request)
        _calls(name, answer.status).inc()
        return answer

    async def _body(self, name: str, request: web.Request) -> bytes:
        """The bytes of a call, as many as this messenger may send."""
        limit = BODY_LIMITS.get(name)
        return await (request if limit is None else request.clone(client_max_size=limit)).read()

    async def _answer(self, name: str, request: web.Request) -> web.Response:
        listener = await self._listener(name)
        if listener is None:
            # Another process may be there.
            return _again()
        try:
            # Reading the address anew for each call costs as much as the call's JSON, and most have nothing there.
            query = request.query if request.rel_url.raw_query_string else {}
            arrived = listener.channel.admit(request.headers, query, await self._body(name, request))
        except web.RequestPayloadError:
            return web.json_response({"field": "body", "reason": "is not encoded as its header says"}, status=400)
        except Forged:
            log.warning("webhook call refused", channel=name)
            return _forged()
        except Invalid as error:
            log.warning("webhook call not understood", channel=name, field=error.field, reason=error.reason)
            return web.json_response({"field": error.field, "reason": error.reason}, status=400)
        try:
            await listener.store(arrived)
        except db.OUTAGES:
            return _again()
        except Exception as error:  # noqa: BLE001  its words may quote what people wrote
            log.error("updates cannot be stored", channel=name, kind=type(error).__name__)  # noqa: TRY400
            if not isinstance(error, db.UNFIT):
                # Ours is the fault: a process that is ending, for one. The next may keep them.
                return _again()
            return web.json_response({"field": "body", "reason": "cannot be stored"}, status=400)
        return web.Response()


@cache
def _calls(name: str, status: int) -> Counter:
    return CALLS.labels(name, str(status))


def _forged() -> web.Response:
    return web.json_response({"reason": "the secret is missing or wrong"}, status=403)


def _again() -> web.Response:
    return web.json_response({"reason": "not stored, send it again"}, status=503, headers={"Retry-After": "1"})
