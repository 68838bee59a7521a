"""A place with somebody who serves, and what is counted of a customer."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from loyalty import db
from loyalty.bookings.actions.appointments import change_appointment, record_appointment
from loyalty.bookings.actions.team import add_service, add_service_category, add_team_member
from loyalty.bookings.queries import AppointmentView
from loyalty.bookings.rules import (
    AppointmentDraft,
    CategoryDraft,
    Changes,
    Door,
    ServiceDraft,
    State,
    TeamMemberDraft,
)
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location


@dataclass
class Salon:
    """Where appointments are made in tests."""

    place: int = 0
    other_place: int = 0
    customer: int = 0
    member: int = 0
    category: int = 0
    service: int = 0
    other_service: int = 0

    async def open(self) -> "Salon":
        self.place, self.other_place = await a_location(), await a_location(name="Pokrovka, 27")
        self.customer = (await a_customer()).id
        self.member, _ = await add_team_member(TeamMemberDraft("Lev"), actor=COMMAND, now=NOW)
        self.category, _ = await add_service_category(CategoryDraft("Tastings"), actor=COMMAND, now=NOW)
        self.service, _ = await add_service(ServiceDraft("Cupping", self.category), actor=COMMAND, now=NOW)
        self.other_service, _ = await add_service(ServiceDraft("Filter", self.category), actor=COMMAND, now=NOW)
        return self

    async def book(self, *, days: float = 0, now: Any = NOW, **more: Any) -> AppointmentView:
        """An appointment so many days after NOW."""
        about: dict[str, Any] = {
            "location_id": self.place,
            "customer_id": self.customer,
            "starts_at": NOW + timedelta(days=days),
        }
        draft = AppointmentDraft(**about | more)
        return (await record_appointment(draft, door=Door.API, actor=COMMAND, now=now)).appointment

    async def change(self, appointment_id: int, *, now: Any = NOW, **fields: Any) -> AppointmentView:
        return await change_appointment(
            appointment_id, Changes(frozenset(fields), **fields), actor=COMMAND, now=now
        )  # fmt: skip

    async def mark(self, appointment_id: int, state: State, *, now: Any = NOW) -> AppointmentView:
        return await self.change(appointment_id, state=state, now=now)

    async def facts(self, *names: str) -> Any:
        """These facts of the customer; the only one alone."""
        row = await db.fetch_row("SELECT * FROM customer_facts WHERE customer_id = $1", self.customer)
        assert row is not None
        found = tuple(row[name] for name in names)
        return found if len(names) > 1 else found[0]

    async def pairs(self, noun: str) -> dict[int, int]:
        """Visits of the customer with each of a noun."""
        rows = await db.fetch(f"SELECT {noun}_id AS id, visits FROM customer_{noun} WHERE customer_id = $1",
            self.customer)  # fmt: skip
        return {row["id"]: row["visits"] for row in rows}


@pytest.fixture
async def salon(database: Any) -> Salon:
    return await Salon().open()
