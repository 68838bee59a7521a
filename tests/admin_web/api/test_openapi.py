import json
import re

import pytest
from pydantic import TypeAdapter

from admin_web.api import docs, openapi
from admin_web.api.openapi import document, parameters_of, refusals_of
from admin_web.api.operations import PREFIX
from admin_web.api.problems import REASONS
from admin_web.api.routes import OPERATIONS, ROUTES
from admin_web.words import NOUNS
from admin_web.words import REASONS as REASONS_OF_THE_HOUSE
from loyalty.staff.rules import LANGUAGES, Scope
from tests.admin_web.api.schemas import Schemas

METHODS = {"get", "post", "patch", "put", "delete"}


def everywhere(value):
    """Every object in a document."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from everywhere(part)
    elif isinstance(value, list):
        for part in value:
            yield from everywhere(part)


def operations():
    for path, ways in document()["paths"].items():
        for method, about in ways.items():
            yield path, method, about


def test_the_document_has_what_the_standard_asks_for():
    whole = document()
    assert re.fullmatch(r"3\.1\.\d+", whole["openapi"])
    assert {"title", "version"} <= whole["info"].keys()
    assert whole["components"]["securitySchemes"]["key"] | {"description": ""} == {
        "type": "http", "scheme": "bearer", "description": "",
    }  # fmt: skip
    names = [about["operationId"] for _, _, about in operations()]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in whole["tags"]}
    for path, method, about in operations():
        assert method in METHODS
        assert set(about["tags"]) <= tags
        named = {parameter["name"] for parameter in about["parameters"] if parameter["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path))
        assert all(answer["description"] for answer in about["responses"].values())
        assert ("requestBody" in about) <= (method in {"post", "patch"})
        for parameter in about["parameters"]:
            assert parameter["in"] in {"path", "query"}
            assert parameter["schema"].get("type") or parameter["schema"].get("enum"), parameter


def test_every_reference_leads_somewhere():
    schemas = Schemas(document())
    for one in everywhere(document()):
        if "$ref" in one:
            assert schemas.resolve(one)


def test_every_model_has_its_own_name():
    """Two models of one name would be told apart by prefixes that the references do not know."""
    assert all("__" not in name for name in document()["components"]["schemas"])


def test_every_route_is_described_and_every_description_is_served():
    served = {(route.method, route.path) for route in ROUTES}
    described = {(method.upper(), PREFIX + path) for path, method, _ in operations()}
    assert served == described
    assert all(route.handler.needs is None for module in (docs, openapi) for route in module.ROUTES)


def test_every_status_that_can_happen_is_declared():
    for operation in OPERATIONS:
        statuses = set(document()["paths"][operation.path][operation.method.lower()]["responses"])
        expected = {400, 401, 422, 429, 500, 503} | set(operation.answers) | set(refusals_of(operation))
        if operation.body is not None:
            expected |= {413, 415}
        if operation.scope is not None:
            expected.add(403)
        if "{id}" in operation.path:
            expected.add(404)
        assert statuses == {str(status) for status in expected}, operation.name


def test_every_reason_that_is_named_has_words():
    known = REASONS.keys() | REASONS_OF_THE_HOUSE.keys() | NOUNS.keys()
    for operation in OPERATIONS:
        for reasons in refusals_of(operation).values():
            assert set(reasons) <= known, operation.name


def test_examples_can_be_sent_as_they_stand():
    for operation in OPERATIONS:
        if operation.body is not None:
            operation.body.model_validate_json(json.dumps(operation.example))
        for parameter in parameters_of(operation):
            assert parameter["name"] == "id" or operation.query is not None


def test_money_and_bonuses_say_their_unit():
    amounts = {"total", "paid", "pay", "sold", "discount", "amount", "balance", "balance_after", "burn", "burnt"}
    amounts |= {"earned", "burn_limit", "burn_limit_with_proof", "remaining", "kept_back", "forgiven", "bonuses"}
    for name, schema in document()["components"]["schemas"].items():
        for field, about in schema.get("properties", {}).items():
            if field in amounts:
                words = json.dumps(about) + schema.get("description", "")
                assert re.search(r"[Mm]inor units|[Hh]undredths", words), (name, field)


def test_scopes_and_languages_are_those_of_the_house():
    assert {operation.scope for operation in OPERATIONS} - {None} == set(Scope)
    languages = document()["components"]["schemas"]["NewCustomer"]["properties"]["language"]["anyOf"][0]["enum"]
    assert tuple(languages) == LANGUAGES


async def test_the_document_is_what_is_served(server):
    answer = await server.get("/api/v1/openapi.json")
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert await answer.json() == TypeAdapter(dict).validate_json(json.dumps(document()))


async def test_the_page_for_people_names_every_operation_field_and_reason(server):
    answer = await server.get("/api/docs", headers={"Accept-Language": "ru"})
    text = await answer.text()
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert '<html lang="en"' in text
    assert not re.search(r"<script(?! src)|<style|style=|onclick", text)
    for operation in OPERATIONS:
        assert f'id="{operation.name}"' in text
        assert f"{PREFIX}{operation.path}" in text
    for name, schema in document()["components"]["schemas"].items():
        assert f'id="{name}"' in text
        assert all(f"<code>{field}</code>" in text for field in schema["properties"])
    for reason in REASONS:
        assert f"<code>{reason}</code>" in text
    for target in re.findall(r'href="#([\w-]+)"', text):
        assert f'id="{target}"' in text


@pytest.mark.parametrize("path", ["/api/docs", "/api/v1/openapi.json"])
async def test_descriptions_need_no_key_and_no_redis(server, path):
    assert (await server.get(path)).status == 200
