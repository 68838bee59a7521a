"""The API described for programs: OpenAPI 3.1, made from the same operations and models that serve it.

Source: spec.openapis.org/oas/v3.1.0; its schemas are JSON Schema 2020-12, which is what pydantic writes.
"""

import functools
import hashlib
import json
from importlib.metadata import version
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from admin_web.api.operations import PREFIX, Operation
from admin_web.api.problems import CONTENT_TYPE, Problem
from admin_web.api.routes import OPERATIONS
from admin_web.auth import public

Schema = dict[str, Any]
PATH = f"{PREFIX}/openapi.json"
REFS = "#/components/schemas/{model}"

COMMON: dict[int, tuple[str, ...]] = {
    400: ("bad_request", "unreadable_json"),
    401: ("key_is_missing", "key_is_unknown", "key_is_revoked"),
    422: ("unknown_field", "required", "too_long", "unknown_choice"),
    429: ("too_many_requests",),
    500: ("internal",),
    503: ("not_available",),
}
OF_BODIES: dict[int, tuple[str, ...]] = {413: ("too_big",), 415: ("not_json",)}
MEANINGS = {
    400: "What was sent cannot be read.",
    401: "The key is missing, unknown or revoked.",
    403: "The key may not do this: its scopes or locations do not cover it.",
    404: "What the address names does not exist, or is not this key's to see.",
    409: "A rule of the business says no, or the key of the operation was used with another body.",
    413: "The body is bigger than 64 KiB.",
    415: "The body is not JSON.",
    422: "A field is wrong: `field` names it.",
    429: "Too fast: wait for `Retry-After` seconds.",
    500: "A fault of ours. Nothing was saved; send the request again.",
    503: "A server we need does not answer. Send the request again.",
}
DESCRIPTION = (
    "Customers, bonuses, receipts, holds and appointments of one installation, for tills and other programs of the"
    " shop.\n\n"
    "Money is in minor units of the currency (kopecks, cents), bonuses in hundredths of a bonus, rates in hundredths"
    " of a percent, moments in UTC. Errors are problem details (RFC 9457): decide by `status` and `reason`."
)


def refusals_of(operation: Operation) -> dict[int, tuple[str, ...]]:
    """Every status an operation may refuse with, and the reasons that tell the cases apart."""
    found = dict(COMMON)
    if operation.body is not None:
        found |= OF_BODIES
    if operation.scope is not None:
        found[403] = ("scope_is_missing",)
    for status, reasons in operation.refusals.items():
        found[status] = found.get(status, ()) + reasons
    return dict(sorted(found.items()))


@functools.cache
def document() -> Schema:
    """The whole description."""
    paths: Schema = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Regulars", "version": version("regulars"), "description": DESCRIPTION},
        "servers": [{"url": PREFIX}],
        "security": [{"key": []}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in OPERATIONS)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key of the panel's page “API keys”."}
            },
            "schemas": schemas(),
        },
    }


@functools.cache
def schemas() -> Schema:
    """Every model that is sent or answered, by name."""
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "validation"): None}
    for operation in OPERATIONS:
        if operation.body is not None:
            wanted[operation.body, "validation"] = None
        for model in operation.answers.values():
            wanted[model, "serialization"] = None
    _, found = models_json_schema(list(wanted), ref_template=REFS)
    defs: Schema = found["$defs"]
    return defs


def parameters_of(operation: Operation) -> list[Schema]:
    """What stands in the path, the query and the headers."""
    found: list[Schema] = []
    if "{id}" in operation.path:
        found.append({"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}})
    if operation.query is not None:
        whole = operation.query.model_json_schema()
        for name, schema in whole["properties"].items():
            about = _without_null(schema)
            text = about.pop("description", None)
            parameter = {"name": name, "in": "query", "required": name in whole.get("required", ()), "schema": about}
            found.append(parameter | ({"description": text} if text else {}))
    return found


async def serve(request: web.Request) -> web.Response:
    """GET /api/v1/openapi.json."""
    body, tag = _rendered()
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers={**headers, "Content-Type": "application/json"})


@functools.cache
def _rendered() -> tuple[bytes, str]:
    body = json.dumps(document(), ensure_ascii=False, separators=(",", ":")).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def _operation(operation: Operation) -> Schema:
    scope = f"\n\nScope: `{operation.scope}`." if operation.scope else "\n\nAny key may do this."
    found: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description + scope,
        "tags": [operation.tag],
        "parameters": parameters_of(operation),
        "responses": _responses(operation),
    }
    if operation.body is not None:
        content: Schema = {"schema": _ref(operation.body)}
        if operation.example is not None:
            content["example"] = operation.example
        found["requestBody"] = {"required": True, "content": {"application/json": content}}
    return found


def _responses(operation: Operation) -> Schema:
    found: Schema = {
        str(status): {"description": "Done.", "content": {"application/json": {"schema": _ref(model)}}}
        for status, model in operation.answers.items()
    }
    for status, reasons in refusals_of(operation).items():
        listed = ", ".join(f"`{reason}`" for reason in reasons)
        found[str(status)] = {
            "description": f"{MEANINGS[status]} Reasons: {listed}.",
            "content": {CONTENT_TYPE: {"schema": _ref(Problem)}},
        }
    return found


def _ref(model: type[BaseModel]) -> Schema:
    return {"$ref": REFS.format(model=model.__name__)}


def _without_null(schema: Schema) -> Schema:
    """A parameter that is not sent is not null: it is not there."""
    about = {name: value for name, value in schema.items() if name not in ("title", "anyOf", "default")}
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    if schema.get("default") is not None:
        about["default"] = schema["default"]
    return {**(choices[0] if choices else {}), **about}


ROUTES = (web.get(PATH, public(serve)),)
