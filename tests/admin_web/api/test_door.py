import asyncio
import json
from datetime import timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from admin_web.api.keys import MEMORY
from admin_web.app import build_app
from admin_web.keys import CLOCK
from loyalty.db import fetch_value
from loyalty.staff.actions import revoke_key
from loyalty.staff.rules import COMMAND, Scope
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_location

PROBLEM = "application/problem+json"


async def problem_of(answer):
    """The body of a refusal, having looked that it is one."""
    assert answer.content_type == PROBLEM, await answer.text()
    body = await answer.json(content_type=PROBLEM)
    assert (body["status"], body["type"]) == (answer.status, "/api/docs#errors")
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return body


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "key_is_missing"),
        ("", "key_is_missing"),
        ("Basic dGlsbDp0aWxs", "key_is_missing"),
        ("Bearer", "key_is_missing"),
        ("Bearer rk_short", "key_is_unknown"),
        ("Bearer " + "x" * 46, "key_is_unknown"),
        ("Bearer rk_" + "A" * 43, "key_is_unknown"),
        ("Bearer rk_" + "A" * 5000, "key_is_unknown"),
    ],
)
async def test_without_a_key_of_ours_nothing_opens(server, header, reason):
    answer = await server.get("/api/v1/locations", headers={"Authorization": header} if header is not None else {})
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="Regulars"')
    assert (await problem_of(answer))["reason"] == reason


async def test_a_revoked_key_lives_on_for_five_seconds_at_most(api, clock):
    await api.get("/locations")
    await revoke_key(1, actor=COMMAND, now=clock.now())
    clock.move(seconds=MEMORY.total_seconds())
    answer = await api("GET", "/locations")
    assert (answer.status, (await problem_of(answer))["reason"]) == (401, "key_is_revoked")
    assert timedelta(seconds=5) >= MEMORY


async def test_a_key_may_do_what_its_scopes_say(program):
    reads = await program(Scope.CUSTOMERS_READ)
    person = await a_customer()
    await reads.get(f"/customers/{person.id}")
    body = await reads.post("/customers", {"name": "Anna", "phone": "+79160000001"}, status=403)
    assert (body["reason"], body["details"]) == ("scope_is_missing", {"scope": "customers.write"})
    assert (await reads.get(f"/customers/{person.id}/balance", status=403))["reason"] == "scope_is_missing"


async def test_a_key_sees_its_own_locations(program):
    first, _ = await a_location(), await a_location(name="Other")
    mine = await program(locations=[first])
    assert [place["id"] for place in (await mine.get("/locations"))["locations"]] == [first]
    everywhere = await program()
    assert len((await everywhere.get("/locations"))["locations"]) == 2


async def test_the_last_use_is_kept_once_a_minute(api, clock):
    for _ in range(3):
        await api.get("/locations")
    assert await fetch_value("SELECT last_used_at FROM api_key") == START
    clock.move(seconds=30)
    await api.get("/locations")
    assert await fetch_value("SELECT last_used_at FROM api_key") == START
    clock.move(seconds=31)
    await api.get("/locations")
    assert await fetch_value("SELECT last_used_at FROM api_key") == clock.now()


async def test_cookies_count_for_nothing_and_no_browser_is_needed(server, make_key):
    answer = await server.post("/api/v1/customers", json={}, cookies={"regulars": "anything", "lang": "ru"})
    assert (await problem_of(answer))["detail"].startswith("Send the key")
    key = {"Authorization": f"Bearer {await make_key()}"}
    foreign = key | {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    answer = await server.get("/api/v1/locations", headers=foreign)
    assert answer.status == 200
    assert "Set-Cookie" not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "There is no such customer."), ("ru", "Такого клиента нет."), ("uk-UA", "Такого клієнта немає.")],
)
async def test_words_are_in_the_language_asked_for(api, language, words):
    answer = await api("GET", "/customers/404", headers={"Accept-Language": language})
    body = await problem_of(answer)
    assert (answer.status, body["reason"], body["detail"]) == (404, "customer", words)


@pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v1/nothing", "/api/v2/customers", "/api/v1/customers/1/x"])
async def test_an_unknown_address_is_a_problem_too(server, path):
    answer = await server.get(path)
    assert (answer.status, (await problem_of(answer))["reason"]) == (404, "not_found")


async def test_a_wrong_method_names_the_right_ones(api):
    answer = await api("DELETE", "/customers/1")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD,PATCH")
    assert (await problem_of(answer))["reason"] == "method_not_allowed"


@pytest.mark.parametrize("number", ["0x1", "1.5", "-1", "9" * 30, "%00", "%F0%9F%92%A9", "١"])
async def test_a_number_that_is_none_finds_nobody(api, number):
    answer = await api("GET", f"/customers/{number}")
    assert (answer.status, (await problem_of(answer))["reason"]) == (404, "customer")


BODIES = [
    (b"", 400, "unreadable_json", None),
    (b"{", 400, "unreadable_json", None),
    (b"\xff\xfe{}", 400, "unreadable_json", None),
    (b'{"name": "\\ud800"}', 400, "unreadable_json", None),
    (b'{"name": NaN, "phone": ""}', 422, "not_a_text", "name"),
    (b"[" * 5000 + b"]" * 5000, 400, "unreadable_json", None),
    (b'{"name": ' + b"9" * 6000 + b"}", 400, "unreadable_json", None),
    (b"null", 422, "wrong_type", "body"),
    (b"[]", 422, "wrong_type", "body"),
    (b'"text"', 422, "wrong_type", "body"),
    (b"{}", 422, "required", "name"),
    (b'{"name": "Anna"}', 422, "required", "phone"),
    (b'{"name": "", "phone": "+79160000001"}', 422, "required", "name"),
    (b'{"name": 7, "phone": "+79160000001"}', 422, "not_a_text", "name"),
    (b'{"name": "A\\u0000B", "phone": "+79160000001"}', 422, "odd_characters", "name"),
    (b'{"name": "<b>", "phone": "+79160000001"}', 422, "odd_characters", "name"),
    (b'{"name": "Anna", "phone": "12"}', 422, "not_a_phone", "phone"),
    (b'{"name": "Anna", "phone": "+79160000001", "email": "a"}', 422, "not_an_email", "email"),
    (b'{"name": "Anna", "phone": "+79160000001", "gender": "x"}', 422, "unknown_choice", "gender"),
    (b'{"name": "Anna", "phone": "+79160000001", "language": "de"}', 422, "unknown_choice", "language"),
    (b'{"name": "Anna", "phone": "+79160000001", "birthday": "2026-02-30"}', 422, "not_a_date", "birthday"),
    (b'{"name": "Anna", "phone": "+79160000001", "birthday": "2099-01-01"}', 422, "not_a_birthday", "birthday"),
    (b'{"name": "Anna", "phone": "+79160000001", "birthday": 7}', 422, "not_a_date", "birthday"),
    (b'{"name": "Anna", "phone": "+79160000001", "home_location_id": 1.0}', 422, "not_a_whole_number",
     "home_location_id"),
    (b'{"name": "Anna", "phone": "+79160000001", "home_location_id": true}', 422, "not_a_whole_number",
     "home_location_id"),
    (b'{"name": "Anna", "phone": "+79160000001", "home_location_id": "1"}', 422, "not_a_whole_number",
     "home_location_id"),
    (b'{"name": "Anna", "phone": "+79160000001", "home_location_id": 99999999999999999999}', 422, "too_large",
     "home_location_id"),
    (b'{"name": "Anna", "phone": "+79160000001", "home_location_id": -1}', 422, "must_be_positive",
     "home_location_id"),
    (b'{"name": "Anna", "phone": "+79160000001", "home_location_id": 404}', 422, "unknown_choice",
     "home_location_id"),
    (b'{"name": "Anna", "phone": "+79160000001", "vip": true}', 422, "unknown_field", "vip"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "reason", "field"), BODIES)
async def test_a_broken_body_is_told_by_field_and_reason(api, body, status, reason, field):
    answer = await api("POST", "/customers", data=body, headers={"Content-Type": "application/json"})
    problem = await problem_of(answer)
    assert (answer.status, problem["reason"], problem.get("field")) == (status, reason, field)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
async def test_only_json_is_taken(api, kind):
    answer = await api("POST", "/customers", data=b"{}", headers={"Content-Type": kind})
    assert (answer.status, (await problem_of(answer))["reason"]) == (415, "not_json")


async def test_a_big_body_is_refused_with_and_without_its_length(api):
    async def in_parts():
        for _ in range(70):
            yield b" " * 1024

    for body in (b" " * 70_000, in_parts()):
        answer = await api("POST", "/customers", data=body, headers={"Content-Type": "application/json"})
        problem = await problem_of(answer)
        assert (answer.status, problem["reason"], problem["details"]) == (413, "too_big", {"limit": 65_536})


async def test_a_body_that_is_not_packed_as_it_says_cannot_be_read(api):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await api("POST", "/customers", data=b"{}", headers=headers)
    assert (answer.status, (await problem_of(answer))["reason"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("query", "reason", "field"),
    [
        ("limit=0", "must_be_positive", "limit"),
        ("limit=501", "too_large", "limit"),
        ("limit=x", "not_a_whole_number", "limit"),
        ("limit=1&limit=2", "named_twice", "limit"),
        ("page=2", "unknown_field", "page"),
        ("phone=%2B79160000001&code=123456", "one_way_to_look", "phone"),
        ("phone=12", "not_a_phone", "phone"),
        ("code=12345", "wrong_form", "code"),
        ("card_number=1%00", "odd_characters", "card_number"),
        ("updated_since=yesterday", "not_a_moment", "updated_since"),
        ("updated_since=2026-01-01T00:00:00", "not_a_moment", "updated_since"),
        ("updated_since=0001-01-01T00:00:00%2B14:00", "not_a_moment", "updated_since"),
        ("cursor=!", "not_a_cursor", "cursor"),
        ("cursor=MS4y.5", "not_a_cursor", "cursor"),
        ("cursor=", "not_a_cursor", "cursor"),
    ],
)
async def test_a_broken_query_is_told_by_field_and_reason(api, query, reason, field):
    answer = await api("GET", f"/customers?{query}")
    problem = await problem_of(answer)
    assert (answer.status, problem["reason"], problem["field"]) == (422, reason, field)


async def test_a_key_that_is_too_fast_waits_and_others_go_on(database, settings, make_key, clock):
    app = await build_app(settings.model_copy(update={"api_rate": 5}))
    app[CLOCK] = clock.now
    fast, other = [{"Authorization": f"Bearer {await make_key()}"} for _ in range(2)]
    async with TestClient(TestServer(app)) as client:
        answers = await asyncio.gather(*(client.get("/api/v1/locations", headers=fast) for _ in range(12)))
        assert sorted(answer.status for answer in answers) == [200] * 10 + [429] * 2
        refused = next(answer for answer in answers if answer.status == 429)
        assert refused.headers["Retry-After"] == "1"
        assert (await problem_of(refused))["reason"] == "too_many_requests"
        assert (await client.get("/api/v1/locations", headers=other)).status == 200
        clock.move(seconds=1)
        again = [(await client.get("/api/v1/locations", headers=fast)).status for _ in range(6)]
        assert again == [200] * 5 + [429]


async def test_redis_is_not_needed_for_what_a_till_does_all_day(database, settings, make_key):
    person = await a_customer()
    lost = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    key = {"Authorization": f"Bearer {await make_key()}"}
    async with TestClient(TestServer(await build_app(lost))) as client:
        assert (await client.get(f"/api/v1/customers/{person.id}", headers=key)).status == 200
        answer = await client.get("/api/v1/customers", params={"code": "123456"}, headers=key)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert (await problem_of(answer))["reason"] == "not_available"


async def test_the_description_is_served_from_memory_under_a_tag(server):
    first = await server.get("/api/v1/openapi.json")
    assert json.loads(await first.text())["openapi"] == "3.1.0"
    again = await server.get("/api/v1/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, await again.text()) == (304, "")
