"""An operation of the API as a value: what serves it is made of it, and so is what describes it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from admin_web.api.fields import In, Out
from admin_web.api.keys import KEYS
from admin_web.api.problems import ApiProblem, invalid_of
from admin_web.auth import public
from admin_web.forms import is_id
from admin_web.keys import now
from loyalty.customers.queries import present_card
from loyalty.errors import Invalid, NotFound
from loyalty.staff.queries import ApiKeyView
from loyalty.staff.rules import Scope

PREFIX = "/api/v1"
BODY_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """A call that passed the door: who calls, when, and what was sent, checked by the operation's models."""

    request: web.Request
    key: ApiKeyView
    now: datetime
    query: Any
    body: Any

    def id_in_path(self, noun: str) -> int:
        """The number in the path. Raises NotFound(noun) for what is none."""
        text = self.request.match_info["id"]
        if not is_id(text):
            raise NotFound(noun)
        return int(text)

    async def customer_in_path(self) -> int:
        """The customer in the path; of a card that was merged into another one, that one.

        Raises NotFound("customer") for nobody, and for somebody who was erased.
        """
        return await present_card(self.id_in_path("customer"))

    def check_location(self, location_id: int) -> None:
        """Raise ApiProblem 403 unless the key may speak for the location."""
        if not self.key.reaches(location_id):
            raise ApiProblem(403, "location_is_not_yours", field="location_id")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers."""

    body: Out
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a program can do. `path` is below PREFIX. `scope` None: every key may.

    answers: the model of each good status. refusals: the reasons it may give beside those every operation gives,
    by status.
    """

    method: str
    path: str
    name: str
    summary: str
    description: str
    work: Callable[[Call], Awaitable[Answer]]
    answers: dict[int, type[Out]]
    tag: str
    scope: Scope | None = None
    query: type[In] | None = None
    body: type[In] | None = None
    refusals: dict[int, tuple[str, ...]] = field(default_factory=dict)
    example: dict[str, Any] | str | None = None

    def route(self) -> web.RouteDef:
        """What serves it."""

        async def handle(request: web.Request) -> web.Response:
            keys, moment = request.app[KEYS], now(request)
            key = await keys.holder(request.headers.get("Authorization", ""), moment)
            keys.spend(key.id, moment)
            if self.scope is not None and self.scope not in key.scopes:
                raise ApiProblem(403, "scope_is_missing", scope=self.scope.value)
            query = _read_query(request, self.query)
            body = await _read_body(request, self.body) if self.body is not None else None
            answer = await self.work(Call(request, key, moment, query, body))
            return web.Response(
                body=answer.body.model_dump_json().encode(),
                status=answer.status,
                headers={**answer.headers, "Content-Type": "application/json"},
            )

        handle.__name__ = self.name
        make = web.get if self.method == "GET" else getattr(web, self.method.lower())
        route: web.RouteDef = make(PREFIX + self.path, public(handle))
        return route


def _read_query(request: web.Request, model: type[In] | None) -> BaseModel | None:
    given = request.query
    for name in given:
        if model is None:
            raise Invalid(name, "unknown_field")
        if len(given.getall(name)) > 1:
            raise Invalid(name, "named_twice")
    if model is None:
        return None
    try:
        return model.model_validate_strings(dict(given))
    except ValidationError as error:
        raise invalid_of(error) from None


async def _read_body(request: web.Request, model: type[In]) -> BaseModel:
    if request.content_type != "application/json":
        raise ApiProblem(415, "not_json")
    if (request.content_length or 0) > BODY_LIMIT:
        raise ApiProblem(413, "too_big", limit=BODY_LIMIT)
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise ApiProblem(413, "too_big", limit=BODY_LIMIT)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise invalid_of(error) from None
