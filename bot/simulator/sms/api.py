"""The gateway over HTTP: `POST /sms/send`."""

import asyncio
import hmac
import re
import secrets
from typing import Any

from aiohttp import web

from bot.simulator.faults import BROKEN_PROXY
from bot.simulator.inboxes import Conversations
from bot.simulator.sms.faults import Refused, SmsFaults
from bot.simulator.sms.gateway import Gateway
from bot.simulator.sms.parts import parts_of
from bot.simulator.sms.reports import Reports

NUMBER = re.compile(r"\+?[1-9]\d{6,14}")
MOST_PARTS = 10
MOST_CALLS = 1000
FIELDS = ("to", "text", "sender", "id", "callback")


class Api:
    """Takes messages for phones, in the weather of its faults, and notes the calls in `calls`."""

    def __init__(self, gateway: Gateway, phones: Conversations, reports: Reports) -> None:
        self.faults = SmsFaults()
        self.calls: list[dict[str, Any]] = []
        self._gateway = gateway
        self._phones = phones
        self._reports = reports

    def routes(self) -> list[web.RouteDef]:
        """To be mounted under the base address."""
        return [web.post("/sms/send", self.send)]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """A message: JSON with `to` and `text`, perhaps `sender`, `id` and `callback`; answers its id."""
        if self.faults.slow:
            await asyncio.sleep(self.faults.slow)
        if self.faults.take("server_errors"):
            return web.Response(status=502, text=BROKEN_PROXY, content_type="text/html")
        try:
            self._check_token(request)
            name = self._take(await read_fields(request))
        except Refused as error:
            headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
            return web.json_response({"error": error.reason}, status=error.status, headers=headers)
        if self.faults.take("lose_answers") and request.transport is not None:
            request.transport.abort()
        return web.json_response({"id": name})

    def _take(self, fields: dict[str, str]) -> str:
        self.calls.append(fields)
        del self.calls[:-MOST_CALLS]
        if self.faults.retry_after > 0:
            raise Refused(429, "too_many_requests", retry_after=self.faults.retry_after)
        if not fields["text"] or parts_of(fields["text"]) > MOST_PARTS:
            raise Refused(400, "bad_text")
        if self.faults.take("blocked") or not NUMBER.fullmatch(fields["to"]):
            raise Refused(422, "bad_number")
        phone = self._phones.of("+" + fields["to"].removeprefix("+"))
        is_lost = self.faults.take("undeliverable") or phone.is_unreachable
        status = "failed" if is_lost else "delivered"
        name = secrets.token_hex(8)
        told = {"text": fields["text"], "parts": parts_of(fields["text"]), "sender": fields["sender"]}
        phone.receive({**told, "name": name, "status": status})
        self._reports.push(fields["callback"], name, status)
        return name

    def _check_token(self, request: web.Request) -> None:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        is_right = hmac.compare_digest(given.encode(), self._gateway.token.encode())
        if self.faults.unauthorized or kind != "Bearer" or not is_right:
            raise Refused(401, "bad_token")


async def read_fields(request: web.Request) -> dict[str, str]:
    """The fields of a body, "" for those that it leaves out."""
    try:
        body = await request.json()
    except ValueError:
        raise Refused(400, "bad_json") from None
    if not isinstance(body, dict):
        raise Refused(400, "bad_json")
    return {name: str(body.get(name) or "") for name in FIELDS}
