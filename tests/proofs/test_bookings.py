"""Programs that book, tills and changes of one customer at the same moment."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from loyalty import db
from loyalty.bookings.actions.appointments import change_appointment, record_appointment
from loyalty.bookings.actions.team import add_service, add_service_category, change_service
from loyalty.bookings.rules import AppointmentDraft, CategoryDraft, Changes, Door, ServiceDraft, State
from loyalty.clock import system_now
from loyalty.errors import Refused
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.staff.actions import add_key
from loyalty.staff.rules import COMMAND, Scope
from tests.builders import NOW, a_customer, a_location, a_sale, assert_books_agree
from tests.proofs.conftest import sized
from tests.proofs.test_tills import Tills, free_ports

pytestmark = pytest.mark.prove


async def test_the_same_booking_sent_at_once_to_two_processes_is_one_of_one_new_customer(processes):
    key = await add_key("Salon", {Scope.BOOKINGS_WRITE}, None, actor=COMMAND, now=system_now())
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers={"Authorization": f"Bearer {key}"}) as session:
        salon = Tills(processes, key, await a_location(), free_ports(), session)
        await salon.open()
        body = {"location_id": salon.location, "phone": "+79161112233", "name": "Anna"}
        body |= {"starts_at": (system_now() + timedelta(days=1)).isoformat(timespec="seconds")}
        answers = await asyncio.gather(
            *(salon.send("/appointments", body | {"external_id": "b-1"}) for _ in range(sized(40, 1000)))
        )
        assert sorted(status for status, _ in answers) == [200] * (len(answers) - 1) + [201]
        assert len({said["id"] for _, said in answers}) == 1
        # Under names of their own, but of one phone that nobody has.
        body["phone"] = "+79164445566"
        others = await asyncio.gather(
            *(salon.send("/appointments", body | {"external_id": f"o-{number}"}) for number in range(sized(40, 500)))
        )
        assert {status for status, _ in others} == {201}
        assert await db.fetch_value("SELECT count(*) FROM customer") == 2
        await assert_books_agree(now=system_now())


async def book(person: int, place: int, **more: Any) -> int:
    draft = AppointmentDraft(place, more.pop("starts_at", NOW), person, state=State.CAME, **more)
    return (await record_appointment(draft, door=Door.API, actor=COMMAND, now=NOW)).appointment.id


async def mark(appointment_id: int, state: State) -> None:
    changes = Changes(frozenset({"state"}), state=state)
    await change_appointment(appointment_id, changes, actor=COMMAND, now=NOW)


async def take_back(receipt_id: int, key: str) -> None:
    with suppress(Refused):  # somebody else was quicker
        await refund_receipt(receipt_id, None, key=key, actor=COMMAND, now=NOW)


async def test_sales_refunds_and_bookings_of_one_customer_at_once_are_all_counted(database):
    """Each customer once: a later count would mend what an earlier one has missed."""
    places = [await a_location(name=name) for name in "ABCD"]
    for _ in range(sized(12, 200)):
        person = (await a_customer()).id
        sale = await a_sale(person, places[0], 500_00, now=NOW - timedelta(days=1))
        booked = await book(person, places[1], starts_at=NOW - timedelta(days=2))
        acts: list[Awaitable[Any]] = [
            book(person, places[2], tips=1_00),
            book(person, places[3], tips=1_00, starts_at=NOW - timedelta(days=3)),
            a_sale(person, places[2], 500_00),
            a_sale(person, places[3], 500_00),
            take_back(sale.receipt_id, f"a-{person}"),
            take_back(sale.receipt_id, f"b-{person}"),
            mark(booked, State.NO_SHOW),
        ]
        await asyncio.gather(*acts)
        facts = "SELECT visits, locations, tips, year_days FROM customer_facts WHERE customer_id = $1"
        assert await db.fetch_row(facts, person) == {"visits": 3, "locations": 2, "tips": 2_00, "year_days": 2}
    await assert_books_agree()


async def test_a_service_changes_its_category_while_customers_come_for_it(database):
    place = await a_location()
    people = [(await a_customer()).id for _ in range(6)]
    for number in range(sized(12, 200)):
        [old, new] = [
            (await add_service_category(CategoryDraft(f"{name} {number}"), actor=COMMAND, now=NOW))[0]
            for name in ("Old", "New")
        ]
        service, _ = await add_service(ServiceDraft("Cupping", old), actor=COMMAND, now=NOW)
        coming = [book(person, place, service_ids=(service,)) for person in people]
        await asyncio.gather(*coming[:3], change_service(service, category_id=new, actor=COMMAND, now=NOW), *coming[3:])
        counted = "SELECT service_category_id, count(*) FROM customer_service_category WHERE service_category_id >= $1"
        found = await db.fetch(f"{counted} GROUP BY 1", old)
        assert found == [{"service_category_id": new, "count": len(people)}], number
    await assert_books_agree()
