"""Bookings of the demo: tastings, classes and tables that a part of the customers booked, and who serves them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from loyalty import db
from loyalty.bookings.actions.counting import recount_bookings
from loyalty.bookings.actions.team import add_service, add_service_category, add_team_member
from loyalty.bookings.rules import (
    AppointmentDraft,
    CategoryDraft,
    Door,
    ServiceDraft,
    Source,
    State,
    TeamMemberDraft,
)
from loyalty.clock import business_date
from loyalty.staff.rules import COMMAND
from regulars.seed.records import ZONE, Place

TEAM = (
    ("Лев Орлов", "Шеф-бариста", 0),
    ("Ірина Сон", "Бариста-тренер", 1),
    ("Anna Weiss", "Barista", 2),
    ("Марк Юдин", "Обжарщик", None),
)
"""(name, position, index of the location, none: everywhere)."""
SERVICES = {
    "Дегустации": (("Каппинг новых зёрен", 60), ("Чай и десерты", 90)),
    "Школа бариста": (("Латте-арт, первый урок", 90), ("Эспрессо дома", 120)),
    "Столы и события": (("Стол на компанию", 120), ("День рождения в кофейне", 180)),
}
"""Category -> its services, each with its minutes."""
SOURCES = (Source.ONLINE, Source.ONLINE, Source.ONLINE, Source.PHONE, Source.WALK_IN)
FATES = (State.CAME,) * 14 + (State.CANCELLED,) * 4 + (State.NO_SHOW,) * 2
MOST = 5
UPCOMING, AHEAD_DAYS = 0.35, 14
TIPPED = 0.4
FIRST_HOUR, LAST_HOUR = 10, 18
CHUNK = 2_000

# Every sixth customer books, the same ones each time.
GUESTS = """
SELECT id, created_at, home_location_id AS location_id FROM customer
WHERE id % 6 = 2 AND home_location_id IS NOT NULL AND created_at < $1 ORDER BY id
"""
COLUMNS = [
    "id", "customer_id", "location_id", "team_member_id", "starts_at", "ends_at", "business_date", "state", "source",
    "tips", "external_id", "body_hash", "created_at", "created_via", "updated_at",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Offer:
    """What can be booked. members: who serves, by location; `None` stands for everywhere. services: with minutes."""

    members: dict[int | None, int]
    services: list[tuple[int, int]]
    now: datetime

    def booked(
        self, random: Random, guest: db.Row, starts_at: datetime, state: State
    ) -> tuple[AppointmentDraft, datetime]:
        """An appointment of a guest, and when it was made."""
        service_id, minutes = random.choice(self.services)
        tips = random.randint(1, 5) * 100_00 if state is State.CAME and random.random() < TIPPED else 0
        draft = AppointmentDraft(
            guest["location_id"],
            starts_at,
            guest["id"],
            ends_at=starts_at + timedelta(minutes=minutes),
            state=state,
            source=random.choice(SOURCES),
            team_member_id=self.members[random.choice((guest["location_id"], None))],
            service_ids=(service_id,),
            tips=tips,
            external_id=f"seed-{guest['id']}-{starts_at:%Y%m%d%H%M}",
        )
        earliest = max(guest["created_at"], starts_at - timedelta(days=random.randint(1, 10)))
        return draft, min(earliest, self.now - timedelta(hours=1))


async def write_bookings(places: Sequence[Place], *, began: datetime, now: datetime) -> None:
    """Make the team and services, COPY the appointments, and count what follows from them and from the receipts."""
    offer = _Offer({}, [], now)
    for number, (name, about, at) in enumerate(TEAM, 1):
        location_id = None if at is None else places[at].id
        member = TeamMemberDraft(name, about, location_id, f"t-{number}")
        offer.members[location_id], _ = await add_team_member(member, actor=COMMAND, now=began)
    for category, offered in SERVICES.items():
        category_id, _ = await add_service_category(CategoryDraft(category), actor=COMMAND, now=began)
        for name, minutes in offered:
            service = ServiceDraft(name, category_id, f"s-{len(offer.services) + 1}")
            offer.services.append(((await add_service(service, actor=COMMAND, now=began))[0], minutes))
    guests = await db.fetch(GUESTS, now - timedelta(days=2))
    await _write([booked for guest in guests for booked in _of_one(offer, guest)])
    # Of everybody: what the receipts count of the last year is not known yet either.
    ids = [row["customer_id"] for row in await db.fetch("SELECT customer_id FROM customer_facts ORDER BY 1")]
    for first in range(0, len(ids), CHUNK):
        async with db.transaction():
            await recount_bookings(*ids[first : first + CHUNK], now=now)


def _of_one(offer: _Offer, guest: db.Row) -> Iterator[tuple[AppointmentDraft, datetime]]:
    """What somebody booked: some times since they came, and for a part of them one to come."""
    random = Random(guest["id"])
    known = (offer.now - guest["created_at"]).days
    for past in sorted((random.randrange(1, known + 1) for _ in range(random.randint(1, MOST))), reverse=True):
        starts_at = _hour(random, offer.now - timedelta(days=past))
        if starts_at > guest["created_at"]:
            yield offer.booked(random, guest, starts_at, random.choice(FATES))
    if random.random() < UPCOMING:
        ahead = _hour(random, offer.now + timedelta(days=random.randint(1, AHEAD_DAYS)))
        yield offer.booked(random, guest, ahead, State.PLANNED)


def _hour(random: Random, day: datetime) -> datetime:
    """A full or half hour of a local day, while the shop is open."""
    local = day.astimezone(ZoneInfo(ZONE))
    local = local.replace(hour=random.randint(FIRST_HOUR, LAST_HOUR), minute=random.choice((0, 30)), second=0)
    return local.replace(microsecond=0).astimezone(day.tzinfo)


async def _write(drafts: Sequence[tuple[AppointmentDraft, datetime]]) -> None:
    # Two of one hour would be one booking under one name.
    named = {draft.external_id: (draft, booked_at) for draft, booked_at in drafts}
    rows = list(enumerate(sorted(named.values(), key=lambda row: row[1]), 1))
    async with db.transaction():
        await db.copy_rows(
            "appointment",
            COLUMNS,
            [
                (
                    number,
                    draft.customer_id,
                    draft.location_id,
                    draft.team_member_id,
                    draft.starts_at,
                    draft.ends_at,
                    business_date(draft.starts_at, ZONE),
                    draft.state.value,
                    draft.source.value,
                    draft.tips,
                    draft.external_id,
                    draft.body_hash(),
                    booked_at,
                    Door.API.value,
                    booked_at if draft.state is State.PLANNED else max(booked_at, draft.starts_at),
                )
                for number, (draft, booked_at) in rows
            ],
        )
        await db.copy_rows(
            "appointment_service",
            ["appointment_id", "service_id"],
            [(number, service_id) for number, (draft, _) in rows for service_id in draft.service_ids],
        )
        await db.execute("SELECT setval('appointment_id_seq', greatest(1, $1::bigint))", len(rows))
