"""JSON Schema as our own document uses it: whether a value fits, and values that fit or do not.

Only the keywords that occur are known; another one is an error of the test, so that nothing passes unlooked at.
Source: json-schema.org/draft/2020-12.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]
SILENT = {"title", "description", "examples", "default", "$defs"}
KNOWN = SILENT | {
    "$ref", "anyOf", "type", "enum", "const", "format", "properties", "required", "additionalProperties", "items",
    "minimum", "maximum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "pattern",
}  # fmt: skip
TYPES: dict[str, Any] = {"object": dict, "array": list, "string": str, "null": type(None), "boolean": bool}


class Schemas:
    """The schemas of a document, with the references between them."""

    def __init__(self, document: Schema) -> None:
        self.document = document

    def resolve(self, schema: Schema) -> Schema:
        """The schema a reference leads to."""
        if "$ref" not in schema:
            return schema
        found: Any = self.document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        assert isinstance(found, dict)
        return found

    def faults(self, value: Any, schema: Schema, place: str = "body") -> Iterator[str]:
        """What is wrong with a value; nothing when it fits."""
        schema = self.resolve(schema)
        assert schema.keys() <= KNOWN, schema.keys() - KNOWN
        if "anyOf" in schema:
            if all(any(True for _ in self.faults(value, choice, place)) for choice in schema["anyOf"]):
                yield f"{place}: none of the choices"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place}: not of the list"
        if "const" in schema and value != schema["const"]:
            yield f"{place}: not the constant"
        kind = schema.get("type")
        if kind is not None and not is_of(value, kind):
            yield f"{place}: not of type {kind}"
        elif isinstance(value, dict):
            yield from self._object(value, schema, place)
        elif isinstance(value, list):
            yield from self._list(value, schema, place)
        elif isinstance(value, str):
            yield from self._text(value, schema, place)
        elif isinstance(value, int) and not isinstance(value, bool):
            low, high = schema.get("minimum", value), schema.get("maximum", value)
            if not low <= value <= high or value >= schema.get("exclusiveMaximum", value + 1):
                yield f"{place}: out of range"

    def _object(self, value: dict[str, Any], schema: Schema, place: str) -> Iterator[str]:
        properties = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{place}.{name}: missing"
        for name, part in value.items():
            if name in properties:
                yield from self.faults(part, properties[name], f"{place}.{name}")
            elif schema.get("additionalProperties", True) is False:
                yield f"{place}.{name}: unknown"

    def _list(self, value: list[Any], schema: Schema, place: str) -> Iterator[str]:
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{place}: too many or too few"
        for index, part in enumerate(value):
            yield from self.faults(part, schema.get("items", {}), f"{place}.{index}")

    def _text(self, value: str, schema: Schema, place: str) -> Iterator[str]:
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield f"{place}: too long or too short"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{place}: another pattern"
        try:
            if schema.get("format") == "date-time":
                assert datetime.fromisoformat(value).tzinfo is not None
            elif schema.get("format") == "date":
                date.fromisoformat(value)
        except ValueError:
            yield f"{place}: no {schema['format']}"

    def fitting(self, schema: Schema) -> st.SearchStrategy[Any]:
        """Values that fit."""
        schema = self.resolve(schema)
        if "anyOf" in schema:
            return st.one_of([self.fitting(choice) for choice in schema["anyOf"]])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        kind = schema.get("type")
        if kind == "object":
            required = set(schema.get("required", ()))
            fields = {name: self.fitting(part) for name, part in schema.get("properties", {}).items()}
            return st.fixed_dictionaries(
                {name: part for name, part in fields.items() if name in required},
                optional={name: part for name, part in fields.items() if name not in required},
            )
        if kind == "array":
            return st.lists(self.fitting(schema["items"]), max_size=3)
        if kind == "integer":
            most = schema.get("maximum", schema.get("exclusiveMaximum", 2**53) - 1)
            least = schema.get("minimum", -(2**53))
            return st.integers(least, most) | st.integers(least, min(most, least + 3))
        if kind == "string":
            return text_of(schema)
        return {"boolean": st.booleans(), "null": st.none()}[str(kind)]


def is_of(value: Any, kind: str) -> bool:
    """Whether a value is of a type. A boolean is no number."""
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[kind])


def text_of(schema: Schema) -> st.SearchStrategy[str]:
    """Texts that fit."""
    if "pattern" in schema:
        return st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True)
    if schema.get("format") == "date":
        return st.dates().map(date.isoformat)
    if schema.get("format") == "date-time":
        return st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
    # Halves of surrogate pairs cannot be written in UTF-8 at all; test_door sends them escaped.
    letters = st.characters(exclude_categories=["Cs"])
    return st.text(letters, min_size=schema.get("minLength", 0), max_size=min(schema.get("maxLength", 80), 80))


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=10),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    st.just("A\x00B"),
    st.just("x" * 5000),
)
"""What does not belong where it stands."""


@st.composite
def broken(draw: st.DrawFn, whole: st.SearchStrategy[Any]) -> Any:
    """A body of which a part was replaced, taken away or added."""
    body = draw(whole)
    if not isinstance(body, dict) or draw(st.integers(0, 9)) == 0:
        return draw(JUNK)
    changed = dict(body)
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(sorted(changed)) if changed else st.just("total"))
        how = draw(st.sampled_from(["replace", "drop", "add"]))
        if how == "drop":
            changed.pop(name, None)
        else:
            changed[name if how == "replace" else draw(st.text(max_size=8))] = draw(JUNK)
    return changed
