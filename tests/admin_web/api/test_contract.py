"""Requests made up from our own document, fitting and broken: none breaks us, every answer is as declared."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admin_web.api.openapi import document, parameters_of, refusals_of
from admin_web.api.operations import PREFIX, Operation
from admin_web.api.routes import OPERATIONS
from admin_web.words import REASONS
from tests.admin_web.api.conftest import Api
from tests.admin_web.api.schemas import JUNK, Schemas, broken
from tests.admin_web.api.test_receipts import a_body, a_guest
from tests.admin_web.conftest import START
from tests.builders import a_location, a_programme, an_account, assert_books_agree

SCHEMAS = Schemas(document())
PROBLEM = {"$ref": "#/components/schemas/Problem"}
EXAMPLES = 40
# Ids that are there, and some that are not.
IDS = st.integers(1, 4) | st.integers(1, 10**19)


@st.composite
def calls(draw: st.DrawFn, operation: Operation) -> tuple[str, Any]:
    """The address and the body of a call."""
    path = operation.path.replace("{id}", str(draw(IDS)))
    pairs = []
    for parameter in parameters_of(operation):
        if parameter["in"] == "query" and (parameter["required"] or draw(st.integers(0, 3)) == 0):
            value = draw(SCHEMAS.fitting(parameter["schema"]) | JUNK)
            pairs.append(f"{parameter['name']}={quote(str(value)[:1000], errors='replace')}")
    body = None
    if operation.body is not None:
        fitting = SCHEMAS.fitting({"$ref": f"#/components/schemas/{operation.body.__name__}"})
        likely = fitting.map(at_home)
        body = draw(st.one_of(fitting, likely, broken(likely)))
    return path + ("?" + "&".join(pairs) if pairs else ""), body


def at_home(body: Any) -> Any:
    """The body with what is there and can be meant, else hardly any would come past the first look."""
    likely = {
        "location_id": lambda _: 1,
        "home_location_id": lambda _: 1,
        "customer_id": lambda value: 1 + value % 3,
        "hold_id": lambda value: 1 + value % 3,
        "external_id": lambda value: f"key-{len(value)}",
        "key": lambda value: f"key-{len(value)}",
        "burn": lambda value: 100 * (1 + value % 3),
        "phone": lambda value: f"+7916{len(value) * 7919 % 10**7:07d}",
        "name": lambda _: "Anna 🌿",
        "email": lambda _: "anna@example.com",
        "birthday": lambda _: "1990-05-14",
        "code": lambda _: None,
        "promo_code": lambda _: None,
        "team_member_id": lambda value: 1 + value % 3,
        "category_id": lambda value: 1 + value % 3,
        "service_ids": lambda value: [1 + one % 3 for one in value],
    }
    if "starts_at" in body and "location_id" in body:
        day = 20 + len(body["external_id"]) % 5
        body |= {
            "customer_id": 1,
            "phone": None,
            "name": None,
            "starts_at": f"2026-11-{day}T10:00:00Z",
            "ends_at": None,
        }
    elif "location_id" in body and "fn" not in body and "name" not in body:
        body.setdefault("customer_id", 1)
        body["customer_id"] = body["customer_id"] or 1
    if "total" in body:
        body["total"] = sum(line["total"] for line in body.get("lines", ())) or 1000_00 + body["total"] % 1000_00
    return {name: likely[name](value) if value and name in likely else value for name, value in body.items()}


@pytest.fixture
async def shop(api: Api) -> Api:
    """A chain with something to read: customers, receipts, holds, appointments with who serves and with what."""
    await a_programme()
    place = await a_location()
    for number in range(3):
        person = await a_guest(500_00)
        await an_account(person.id, now=START)
        await api.post("/receipts", a_body(person, place, external_id=f"seen-{number}"), status=201)
        await api.post("/holds", a_body(person, place, external_id=f"held-{number}", burn=100_00), status=201)
        for path in ("/team-members", "/service-categories", "/services"):
            await api.post(path, {"name": "Anna", "external_id": f"known-{number}"}, status=201)
        booked = {"customer_id": person.id, "location_id": place, "starts_at": "2026-11-21T10:00:00Z"}
        booked |= {"external_id": f"booked-{number}", "service_ids": [1 + number], "team_member_id": 1 + number}
        await api.post("/appointments", booked, status=201)
    return api


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_no_call_breaks_us_and_every_answer_is_as_declared(shop, clock, operation):
    seen: set[int] = set()

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(calls(operation))
    async def one(call: tuple[str, Any]) -> None:
        path, body = call
        answer = await send(shop, operation, path, body)
        seen.add(answer.status)
        # Wrong codes are counted; the window passes.
        clock.move(seconds=1)

    await run(one)
    assert seen & set(operation.answers), f"{operation.name} never did its work: {seen}"
    await assert_books_agree(now=clock.now())


async def send(shop: Api, operation: Operation, path: str, body: Any) -> Any:
    """Send a call and look at what came back."""
    answer = await shop(operation.method, path, body) if body is not None else await shop(operation.method, path)
    text = await answer.text()
    assert answer.status < 500, text
    declared = document()["paths"][operation.path][operation.method.lower()]["responses"]
    assert str(answer.status) in declared, (answer.status, text)
    content = declared[str(answer.status)]["content"]
    assert answer.content_type in content, text
    found = json.loads(text)
    assert list(SCHEMAS.faults(found, content[answer.content_type]["schema"])) == [], text
    if answer.status >= 400:
        reason = found["reason"]
        # A wrong field may be wrong in any of the house's ways; the rest is decided by reason.
        known = REASONS if answer.status == 422 else refusals_of(operation)[answer.status]
        assert reason in known, (operation.name, reason)
    return answer


async def run(test: Any) -> None:
    """Let hypothesis draw in a thread of its own: it knows only plain functions, and the calls belong to this loop."""
    loop, inner = asyncio.get_running_loop(), test.hypothesis.inner_test

    def plain(*values: Any, **named: Any) -> None:
        asyncio.run_coroutine_threadsafe(inner(*values, **named), loop).result(timeout=60)

    test.hypothesis.inner_test = plain
    await asyncio.to_thread(test)


async def test_the_prefix_is_the_servers_address():
    assert document()["servers"] == [{"url": PREFIX}]
