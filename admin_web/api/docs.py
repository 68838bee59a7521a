"""The API described for people: one page, made from the same operations and models that serve it."""

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from markupsafe import Markup, escape

from admin_web.api.openapi import MEANINGS, parameters_of, refusals_of, schemas
from admin_web.api.operations import PREFIX, Operation
from admin_web.api.problems import DOCS, REASONS
from admin_web.api.routes import OPERATIONS
from admin_web.auth import public
from admin_web.i18n import READER, Reader
from admin_web.keys import SETTINGS, now
from admin_web.render import page
from admin_web.words import NOUNS
from admin_web.words import REASONS as REASONS_OF_THE_HOUSE


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field of a body or a parameter. `model`: the name of the model it holds, if it holds one."""

    name: str
    kind: str
    model: str
    is_required: bool
    about: str


@dataclass(frozen=True, slots=True)
class OperationLines:
    """An operation as it is shown."""

    operation: Operation
    parameters: list[FieldLine]
    body: str
    answers: list[tuple[int, str]]
    refusals: dict[int, tuple[str, ...]]
    curl: str


async def show(request: web.Request) -> web.Response:
    """GET /api/docs. The names of the API are English, so its description is."""
    READER.set(Reader(now=now(request)))
    lines = [_lines(operation, request.app[SETTINGS].public_url) for operation in OPERATIONS]
    return page(
        request,
        "api/docs.html",
        groups={tag: [one for one in lines if one.operation.tag == tag] for tag in dict.fromkeys(_tags())},
        models={name: fields_of(schema) for name, schema in sorted(schemas().items()) if "properties" in schema},
        abouts={name: schema.get("description", "") for name, schema in schemas().items()},
        meanings=MEANINGS,
        reasons=_reasons(),
        coded=coded,
        prefix=PREFIX,
        address=request.app[SETTINGS].public_url,
    )


def coded(text: str) -> Markup:
    """A description with what stands between backticks as code."""
    parts = [escape(part) for part in text.split("`")]
    pieces = (Markup("<code>{}</code>").format(part) if index % 2 else part for index, part in enumerate(parts))
    return Markup("").join(pieces)


def fields_of(schema: dict[str, Any]) -> list[FieldLine]:
    """The fields of a model."""
    required = schema.get("required", ())
    return [
        FieldLine(name, *_kind(about), is_required=name in required, about=_about(about))
        for name, about in schema["properties"].items()
    ]


def _lines(operation: Operation, address: str) -> OperationLines:
    return OperationLines(
        operation=operation,
        parameters=[
            FieldLine(
                one["name"],
                *_kind(one["schema"]),
                is_required=one["required"],
                about=_about({**one["schema"], "description": one.get("description", "")}),
            )
            for one in parameters_of(operation)
        ],
        body=operation.body.__name__ if operation.body is not None else "",
        answers=[(status, model.__name__) for status, model in operation.answers.items()],
        refusals=refusals_of(operation),
        curl=_curl(operation, address),
    )


def _kind(schema: dict[str, Any]) -> tuple[str, str]:
    """What a field holds, in words, and the model in it."""
    if "anyOf" in schema:
        kinds = [_kind(choice) for choice in schema["anyOf"]]
        return " or ".join(kind for kind, _ in kinds), next((model for _, model in kinds if model), "")
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return name, name
    if schema.get("type") == "array":
        kind, model = _kind(schema["items"])
        return f"list of {kind}", model
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"])), ""
    if "const" in schema:
        return str(schema["const"]), ""
    kind = str(schema.get("type", "anything"))
    return {"date-time": "moment", "date": "date"}.get(schema.get("format", ""), kind), ""


def _about(schema: dict[str, Any]) -> str:
    """What is said of a field, with its limits."""
    limits = [
        f"{word} {_found(schema, name)}"
        for name, word in (
            ("minimum", "from"),
            ("maximum", "up to"),
            ("maxLength", "at most characters:"),
            ("maxItems", "at most:"),
        )
        if _found(schema, name) is not None
    ]
    said = schema.get("description") or next(
        (choice["description"] for choice in schema.get("anyOf", ()) if "description" in choice), ""
    )
    return " ".join(filter(None, (said, f"({', '.join(limits)})" if limits else "")))


def _found(schema: dict[str, Any], name: str) -> Any:
    places = (schema, *schema.get("anyOf", ()))
    return next((place[name] for place in places if name in place), None)


def _curl(operation: Operation, address: str) -> str:
    url = f"{address}{PREFIX}{operation.path.replace('{id}', '4711')}"
    parts = ["curl" if operation.method == "GET" else f"curl -X {operation.method}"]
    parts.append('-H "Authorization: Bearer $KEY"')
    if operation.body is not None:
        body = json.dumps(operation.example or {}, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        parts += ['-H "Content-Type: application/json"', f"-d '{body}'"]
    elif operation.example:
        url = f"{url}?{operation.example}"
    return " \\\n  ".join([*parts, f'"{url}"'])


def _tags() -> list[str]:
    return [operation.tag for operation in OPERATIONS]


def _reasons() -> dict[str, str]:
    """Every reason the operations name, in words."""
    words = REASONS_OF_THE_HOUSE | NOUNS | REASONS
    named = {reason for operation in OPERATIONS for group in refusals_of(operation).values() for reason in group}
    return {reason: words[reason] for reason in sorted(named | set(REASONS))}


ROUTES = (web.get(DOCS, public(show)),)
