"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.simulator.faults import BROKEN_PROXY
from bot.simulator.telegram import messages, methods
from bot.simulator.telegram.exchange import Exchange
from bot.simulator.telegram.faults import Refusal, TelegramFaults
from bot.simulator.telegram.parameters import Call, read_call
from bot.simulator.telegram.webhook import Webhook

MOST_CALLS = 1000
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """Answers calls on behalf of an exchange, in the weather of `faults`, and notes them in `calls`."""

    def __init__(self, exchange: Exchange, webhook: Webhook, faults: TelegramFaults, token: str) -> None:
        self._exchange = exchange
        self._webhook = webhook
        self._faults = faults
        self._token = token
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def routes(self) -> list[web.RouteDef]:
        """To be mounted under the base address."""
        return [
            web.route("*", "/telegram/bot{token:[^/]+}/{method}", self.call),
            web.get("/telegram/file/bot{token:[^/]+}/{path:.+}", self.file),
        ]

    async def call(self, request: web.Request) -> web.StreamResponse:
        """One call of a method."""
        try:
            self._check_token(request)
            method = request.match_info["method"]
            call = await read_call(request, method)
            self._note(call)
            if method.lower() != "getupdates" and self._faults.slow:
                await asyncio.sleep(self._faults.slow)
            if self._faults.take("server_errors"):
                return web.Response(status=502, text=BROKEN_PROXY, content_type="text/html")
            result = await self._result(request, call, method.lower())
        except Refusal as refusal:
            return refused(refusal)
        if self._loses_answer(method.lower()) and request.transport is not None:
            request.transport.abort()
        return web.json_response({"ok": True, "result": result})

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file's bytes, by the path that getFile named."""
        try:
            self._check_token(request)
        except Refusal as refusal:
            return refused(refusal)
        folder, _, name = request.match_info["path"].partition("/")
        data = self._exchange.photos.content(name.removesuffix(".jpg")) if folder == "photos" else None
        if data is None:
            return refused(Refusal("Not Found", 404))
        return web.Response(body=data, content_type="application/octet-stream")

    async def _result(self, request: web.Request, call: Call, name: str) -> Any:
        if name == "getupdates":
            return await self._updates(request, call)
        hooks: dict[str, Callable[[], Any]] = {
            "setwebhook": lambda: self._webhook.set(call),
            "deletewebhook": lambda: self._webhook.delete(call),
            "getwebhookinfo": self._webhook.info,
        }
        if name in hooks:
            return hooks[name]()
        answer = messages.METHODS.get(name) or methods.METHODS.get(name)
        if answer is None:
            raise Refusal("Not Found: method not found", 404)
        if name.startswith("send") and self._faults.retry_after > 0:
            seconds = self._faults.retry_after
            raise Refusal(f"Too Many Requests: retry after {seconds}", 429, retry_after=seconds)
        if is_message(name) and self._faults.take("blocked"):
            raise Refusal("bot was blocked by the user", 403)
        return answer(self._exchange, call)

    async def _updates(self, request: web.Request, call: Call) -> list[dict[str, Any]]:
        if self._webhook.url:
            message = (
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
            raise Refusal(message, 409)
        updates = self._exchange.updates
        updates.allow(call.structure("allowed_updates"))
        waiting = len(updates.pending)

        def is_there() -> bool:
            return request.transport is not None and not request.transport.is_closing()

        offset, limit, seconds = call.number("offset"), call.number("limit", 100), call.number("timeout")
        found = await updates.poll(offset, limit, seconds, is_there)
        if len(updates.pending) != waiting:
            self._exchange.changed()
        return found

    def _check_token(self, request: web.Request) -> None:
        given = request.match_info["token"]
        if self._faults.unauthorized or not hmac.compare_digest(given.encode(), self._token.encode()):
            raise Refusal("Unauthorized", 401)

    def _note(self, call: Call) -> None:
        sizes = {name: f"{len(data)} bytes" for name, data in call.files.items()}
        self.calls.append((call.method, {**call.fields, **sizes}))
        del self.calls[:-MOST_CALLS]

    def _loses_answer(self, name: str) -> bool:
        """Whether this accepted send's answer gets lost; typing dots do not count."""
        return is_message(name) and self._faults.take("lose_answers")


def is_message(name: str) -> bool:
    """Whether a method puts a message into a chat."""
    return name.startswith("send") and name != "sendchataction"


def refused(refusal: Refusal) -> web.Response:
    """The error object of the Bot API."""
    body: dict[str, Any] = {"ok": False, "error_code": refusal.code, "description": str(refusal)}
    headers = {}
    if refusal.retry_after:
        body["parameters"] = {"retry_after": refusal.retry_after}
        headers["Retry-After"] = str(refusal.retry_after)
    return web.json_response(body, status=refusal.code, headers=headers)
