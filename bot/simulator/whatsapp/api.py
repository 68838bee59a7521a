"""The Graph API over HTTP: `/whatsapp/vN.N/…`, and the place where media lie."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import BodyPartReader, web

from bot.simulator.faults import BROKEN_PROXY
from bot.simulator.whatsapp import messages
from bot.simulator.whatsapp.exchange import Exchange
from bot.simulator.whatsapp.faults import GraphError

MOST_CALLS = 1000
MOST_BYTES = 100 * 1024 * 1024
PHONE_FIELDS = ("display_phone_number", "verified_name", "quality_rating", "id")
TEMPLATES_ON_A_PAGE = 25
Body = dict[str, Any]


class Api:
    """Answers calls on behalf of an exchange, in the weather of its faults, and notes them in `calls`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.calls: list[tuple[str, Body]] = []

    def routes(self) -> list[web.RouteDef]:
        """To be mounted under the base address; any version is taken."""
        version = "/whatsapp/{version:v\\d+\\.\\d+}"
        return [
            web.post(version + "/{node}/messages", self._call(self.send)),
            web.post(version + "/{node}/media", self._call(self.upload)),
            web.get(version + "/{node}/message_templates", self._call(self.list_templates)),
            web.post(version + "/{node}/message_templates", self._call(self.create_template)),
            web.get(version + "/{node}", self._call(self.node), name="node"),
            web.get("/whatsapp/lookaside/{file}", self._call(self.file)),
            web.route("*", "/whatsapp/{anything:.*}", self._call(self.nothing)),
        ]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """A message of the business."""
        self._check_node(request, self._exchange.business.phone_number_id)
        body = await read_json(request)
        self._note("messages", body)
        is_message = "status" not in body
        if is_message:
            self._check_rate()
        answer = messages.send(self._exchange, body)
        if is_message and self._exchange.faults.take("lose_answers") and request.transport is not None:
            request.transport.abort()
        return web.json_response(answer)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """A file to be sent later, as a form: messaging_product, type, file."""
        self._check_node(request, self._exchange.business.phone_number_id)
        if not request.content_type.startswith("multipart/"):
            raise GraphError(100, "Param file must be a file with a supported type, sent as multipart/form-data.")
        fields: Body = {}
        name, mime, data = "", "", b""
        reader = await request.clone(client_max_size=MOST_BYTES).multipart()
        async for part in reader:
            assert isinstance(part, BodyPartReader)
            if part.name == "file":
                name, data = part.filename or "", bytes(await part.read(decode=True))
                mime = part.headers.get("Content-Type", "").partition(";")[0].strip()
            else:
                fields[str(part.name)] = await part.text()
        self._note("media", {**fields, "file": f"{len(data)} bytes"})
        if fields.get("messaging_product") != "whatsapp":
            raise GraphError(100, "The parameter messaging_product is required.")
        file = self._exchange.files.upload(data, mime or fields.get("type", ""), name)
        self._exchange.changed()
        return web.json_response({"id": file.id})

    async def node(self, request: web.Request) -> web.StreamResponse:
        """The number of the business, or where a file lies."""
        business, name = self._exchange.business, request.match_info["node"]
        self._note("node", {"id": name, **request.query})
        if name == business.phone_number_id:
            asked = [field for field in request.query.get("fields", ",".join(PHONE_FIELDS)).split(",") if field]
            if unknown := [field for field in asked if field not in PHONE_FIELDS]:
                raise GraphError(100, f"Tried accessing nonexisting field ({unknown[0]})")
            known = (business.display_phone_number, business.name, "GREEN", name)
            about = dict(zip(PHONE_FIELDS, known, strict=True))
            return web.json_response({field: about[field] for field in {*asked, "id"}})
        file = self._exchange.files.find(name)
        if file is None:
            raise unknown_object(name)
        base = request.path.partition("/whatsapp/")[0]
        address = str(request.url.origin().with_path(f"{base}/whatsapp/lookaside/{name}"))
        facts: Body = {**file.facts(), "url": address, "file_size": len(file.data), "messaging_product": "whatsapp"}
        return web.json_response(facts)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file's bytes, for those who have the token."""
        file = self._exchange.files.find(request.match_info["file"])
        if file is None:
            raise web.HTTPNotFound
        return web.Response(body=file.data, content_type=file.mime)

    async def list_templates(self, request: web.Request) -> web.StreamResponse:
        """The templates of the account, page by page."""
        self._check_node(request, self._exchange.business.account_id)
        query = request.query
        self._note("message_templates", dict(query))
        limit = query.get("limit", "")
        page = self._exchange.templates.listed(
            limit=int(limit) if limit.isdecimal() else TEMPLATES_ON_A_PAGE,
            after=query.get("after", ""),
            name=query.get("name", ""),
        )
        if "next" in page.get("paging", {}):
            page["paging"]["next"] = str(request.url.update_query(after=page["paging"]["cursors"]["after"]))
        return web.json_response(page)

    async def create_template(self, request: web.Request) -> web.StreamResponse:
        """A template for review."""
        self._check_node(request, self._exchange.business.account_id)
        body = await read_json(request)
        self._note("message_templates", body)
        made = self._exchange.templates.create(body)
        self._exchange.changed()
        return web.json_response(made)

    async def nothing(self, request: web.Request) -> web.StreamResponse:
        """A path or method that the stand-in does not know."""
        raise unknown_object(request.match_info["anything"])

    def _call(self, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
        async def answered(request: web.Request) -> web.StreamResponse:
            faults = self._exchange.faults
            try:
                if faults.slow:
                    await asyncio.sleep(faults.slow)
                if faults.take("server_errors"):
                    return web.Response(status=502, text=BROKEN_PROXY, content_type="text/html")
                self._check_token(request)
                return await answer(request)
            except GraphError as error:
                headers = {"Retry-After": str(faults.retry_after)} if error.code == 130429 else {}
                return web.json_response(error.body(), status=error.status, headers=headers)

        return answered

    def _check_token(self, request: web.Request) -> None:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not given:
            raise GraphError(104, "An access token is required to request this resource.")
        right = self._exchange.business.access_token
        if self._exchange.faults.unauthorized or not hmac.compare_digest(given.encode(), right.encode()):
            raise GraphError(190, "Error validating access token.")

    def _check_rate(self) -> None:
        if self._exchange.faults.retry_after > 0:
            raise GraphError(130429, "Cloud API message throughput has been reached.")
        if self._exchange.faults.take("pair_rate"):
            raise GraphError(131056, "Too many messages sent to this recipient from this number.")

    def _check_node(self, request: web.Request, right: str) -> None:
        if request.match_info["node"] != right:
            raise unknown_object(request.match_info["node"])

    def _note(self, method: str, fields: Body) -> None:
        self.calls.append((method, fields))
        del self.calls[:-MOST_CALLS]


async def read_json(request: web.Request) -> Body:
    """The object in a body."""
    try:
        body = await request.json()
    except ValueError:
        raise GraphError(100, "The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise GraphError(100, "The body must be an object.")
    return body


def unknown_object(name: str) -> GraphError:
    """What Graph says of ids that it does not know, or that are somebody else's."""
    details = f"Unsupported request. Object with ID '{name}' does not exist or cannot be loaded."
    return GraphError(100, details, subcode=33)
