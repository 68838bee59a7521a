"""Appointments, the team and services, as a program that books keeps them with us."""

from datetime import timedelta

import pytest

from loyalty.customers.queries import customer
from loyalty.staff.rules import Scope
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_location, assert_books_agree

REPLAY = "Idempotent-Replay"


def a_body(place, **more):
    return {"external_id": "b-1", "location_id": place, "starts_at": "2026-11-22T10:00:00Z"} | more


async def patch(api, path, body, *, status=200):
    answer = await api("PATCH", path, body)
    assert answer.status == status, await answer.text()
    return await answer.json(content_type=None)


async def test_a_program_books_somebody_new_and_tells_that_they_came(api, clock):
    place = await a_location()
    member = await api.post("/team-members", {"name": "Lev", "position": "Barista"}, status=201)
    category = await api.post("/service-categories", {"name": "Tastings"}, status=201)
    service = await api.post("/services", {"name": "Cupping", "category_id": category["id"]}, status=201)
    body = a_body(
        place, phone="8 916 555-01-02", name="Мария", team_member_id=member["id"], service_ids=[service["id"]]
    )
    first = await api("POST", "/appointments", body)
    made = await first.json()
    assert first.status == 201
    assert first.headers["Location"] == f"/api/v1/appointments/{made['id']}"
    assert (made["state"], made["source"], made["business_date"]) == ("planned", "online", "2026-11-22")
    person = await customer(made["customer_id"])
    assert (person.name, person.phone, person.created_via) == ("Мария", "+79165550102", "booking")
    came = await patch(api, f"/appointments/{made['id']}", {"state": "came", "tips": 20000})
    assert (came["state"], came["tips"]) == ("came", 20000)
    assert (await api.get(f"/customers/{person.id}"))["visits"] == 1
    again = await api("POST", "/appointments", body)
    assert (again.status, again.headers[REPLAY]) == (200, "true")
    assert (await again.json())["state"] == "came"
    assert (await api.post("/appointments", body | {"tips": 1}, status=409))["reason"] == "key_was_used"
    await assert_books_agree(now=clock.now())


@pytest.mark.parametrize(
    ("more", "field", "reason"),
    [
        ({}, "customer_id", "no_guest"),
        ({"name": "Anna"}, "phone", "required"),
        ({"phone": "+79165550102"}, "name", "required"),
        ({"phone": "12"}, "phone", "not_a_phone"),
        ({"customer_id": 1, "phone": "+79165550102"}, "customer_id", "no_guest"),
        ({"customer_id": 1, "ends_at": "2026-11-22T10:00:00Z"}, "ends_at", "ends_before_it_begins"),
        ({"customer_id": 1, "starts_at": "2029-11-22T10:00:00Z"}, "starts_at", "too_far_away"),
        ({"customer_id": 1, "starts_at": "2026-11-24T10:00:00Z", "state": "came"}, "state", "not_yet_begun"),
        ({"customer_id": 1, "state": "lost"}, "state", "unknown_choice"),
        ({"customer_id": 1, "service_ids": [9]}, "service_ids", "unknown_choice"),
        ({"customer_id": 1, "team_member_id": 9}, "team_member_id", "unknown_choice"),
        ({"customer_id": 1, "tips": -1}, "tips", "must_not_be_negative"),
    ],
)
async def test_a_wrong_field_is_named(api, more, field, reason):
    place = await a_location()
    await a_customer()
    problem = await api.post("/appointments", a_body(place, **more), status=422)
    assert (problem["field"], problem["reason"]) == (field, reason)


async def test_a_key_of_one_location_sees_and_books_there_alone(api, program):
    here, there = await a_location(), await a_location(name="Pokrovka, 27")
    person = (await a_customer()).id
    limited = await program(Scope.BOOKINGS_READ, Scope.BOOKINGS_WRITE, locations=[here])
    other = await api.post("/appointments", a_body(there, customer_id=person), status=201)
    own = await limited.post("/appointments", a_body(here, customer_id=person), status=201)
    refused = await limited.post("/appointments", a_body(there, customer_id=person), status=403)
    assert refused["reason"] == "location_is_not_yours"
    assert [one["id"] for one in (await limited.get("/appointments"))["appointments"]] == [own["id"]]
    await limited.get("/appointments", location_id=there, status=403)
    await limited.get(f"/appointments/{other['id']}", status=404)
    await patch(limited, f"/appointments/{other['id']}", {"state": "cancelled"}, status=404)
    for place, name in ((here, "Lev"), (there, "Ira"), (None, "Max")):
        await api.post("/team-members", {"name": name, "location_id": place}, status=201)
    seen = (await limited.get("/team-members"))["team_members"]
    assert [one["name"] for one in seen] == ["Lev", "Max"]
    await patch(limited, "/team-members/2", {"name": "Ida"}, status=404)
    await patch(limited, "/team-members/1", {"location_id": there}, status=403)
    await limited.post("/team-members", {"name": "Eva", "location_id": there}, status=403)


async def test_scopes_are_asked_for(program):
    reader = await program(Scope.BOOKINGS_READ)
    assert (await reader.post("/services", {"name": "x"}, status=403))["details"] == {"scope": "bookings.write"}
    writer = await program(Scope.BOOKINGS_WRITE)
    await writer.get("/services", status=403)
    await writer.get("/appointments", status=403)


@pytest.mark.parametrize("path", ["/team-members", "/services", "/service-categories"])
async def test_the_team_and_services_are_added_once_changed_in_part_and_archived(api, path):
    made = await api.post(path, {"name": "One", "external_id": "x-1"}, status=201)
    renamed = await patch(api, f"{path}/{made['id']}", {"name": " Two \u200b"})
    assert (renamed["name"], renamed["external_id"], renamed["archived_at"]) == ("Two", "x-1", None)
    again = await api("POST", path, {"name": "One", "external_id": "x-1"})
    assert (again.status, again.headers[REPLAY], (await again.json())["name"]) == (200, "true", "Two")
    assert (await patch(api, f"{path}/{made['id']}", {"archived": True}))["archived_at"] is not None
    assert (await patch(api, f"{path}/{made['id']}", {"archived": False}))["archived_at"] is None
    other = await api.post(path, {"name": "Other"}, status=201)
    taken = await patch(api, f"{path}/{other['id']}", {"external_id": "x-1"}, status=422)
    assert (taken["field"], taken["reason"]) == ("external_id", "external_id_taken")
    noun = path.strip("/").replace("-", "_")
    assert len((await api.get(path))[noun]) == 2
    assert [one["id"] for one in (await api.get(path, external_id="x-1"))[noun]] == [made["id"]]
    for missing in (99, 2**40):
        await patch(api, f"{path}/{missing}", {"name": "x"}, status=404)


async def test_a_copy_of_the_appointments_is_read_by_beginnings_and_by_changes(api, clock):
    place, person = await a_location(), (await a_customer()).id
    made = []
    for day in (25, 23, 24):
        body = a_body(place, external_id=f"b-{day}", customer_id=person, starts_at=f"2026-11-{day}T10:00:00Z")
        made.append((await api.post("/appointments", body, status=201))["id"])
    first = await api.get("/appointments", limit=2, customer_id=person)
    rest = await api.get("/appointments", limit=2, customer_id=person, cursor=first["next_cursor"])
    assert [one["id"] for one in first["appointments"] + rest["appointments"]] == [made[1], made[2], made[0]]
    assert rest["next_cursor"] is None
    clock.move(hours=1)
    await patch(api, f"/appointments/{made[1]}", {"state": "cancelled"})
    since = (START + timedelta(minutes=1)).isoformat()
    changed = await api.get("/appointments", updated_since=since)
    assert [one["id"] for one in changed["appointments"]] == [made[1]]
    one_by_one: list[int] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = await api.get("/appointments", updated_since=START.isoformat(), limit=1, **cursor)
        one_by_one += [one["id"] for one in page["appointments"]]
        cursor = {"cursor": page["next_cursor"]}
    assert one_by_one == [made[0], made[2], made[1]]
    period = await api.get("/appointments", since="2026-11-24T00:00:00Z", until="2026-11-25T00:00:00Z")
    assert [one["id"] for one in period["appointments"]] == [made[2]]
    assert (await api.get("/appointments", cursor="zzz", status=422))["reason"] == "not_a_cursor"
    assert (await api.get(f"/appointments/{made[0]}"))["starts_at"] == "2026-11-25T10:00:00Z"
