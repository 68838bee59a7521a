"""The made-up chain as of its first day: locations, people who work there, what its programme was then and is now."""

from datetime import datetime, timedelta
from typing import Any

from loyalty import db
from loyalty.shop.actions import add_location, update_location, update_shop
from loyalty.shop.queries import locations
from loyalty.shop.rules import Hours
from loyalty.staff.actions import accept_invitation, invite
from loyalty.staff.queries import staff_list
from loyalty.staff.rules import COMMAND, Role
from regulars.seed.prices import write_prices
from regulars.seed.programme import write_programme
from regulars.seed.records import ZONE, Place
from regulars.seed.town import GROWTH, Town

DEMO_LOGINS = (
    ("olga@ladno.example", "coffee-for-olga", "owner"),
    ("marina@ladno.example", "coffee-for-marina", "marketer"),
    ("lera@ladno.example", "coffee-for-lera", "marketer"),
    ("timur@ladno.example", "coffee-for-timur", "cashier"),
    ("dasha@ladno.example", "coffee-for-dasha", "support"),
)
"""(e-mail, password, role) of people who may sign in to the demo."""

STAFF = (
    ("olga@ladno.example", "Ольга Котова", Role.OWNER, None),
    ("marina@ladno.example", "Марина Лис", Role.MARKETER, None),
    ("timur@ladno.example", "Тимур Алиев", Role.CASHIER, 0),
    ("sofia@ladno.example", "Софія Гнатюк", Role.CASHIER, 1),
    ("max@ladno.example", "Max Weber", Role.CASHIER, 2),
    ("dasha@ladno.example", "Дарья Ким", Role.SUPPORT, None),
    ("lera@ladno.example", "Валерия Ткач", Role.MARKETER, None),
)
"""(e-mail, name, role, the location whose till they stand at)."""
REACH = {"lera@ladno.example": (1,)}
"""Whose rights are for some locations alone; of all others they are for the whole chain."""
LOCATIONS = (
    ("Тверская, 12", "Москва, Тверская ул., 12", True, ("08:00", "20:50"), ("9999078900000001", "9999078900000002")),
    ("Покровка, 27", "Москва, ул. Покровка, 27", False, ("08:05", "21:00"), ("9999078900000003",)),
    ("Парк Горького", "Москва, Крымский Вал, 9", False, None, ()),
)
"""(name, address, whether a burn needs no proof of presence, hours of each day if told, fiscal drives).

Doors open and close a little inside the hours of the made-up sales: a few of them are odd.
"""

ENOUGH = 100
"""Customers in a base where even what happens to few has happened."""
YEARS_BACK = timedelta(days=730)
OWNER = "olga@ladno.example"
MANAGER = "marina@ladno.example"
"""Who gives tiers and discounts by hand."""


async def open_town(now: datetime, *, growth: float = GROWTH) -> tuple[Town, dict[str, int]]:
    """The chain, its locations and people, through the panel's own actions, as of two years ago.

    Returns what lives are made of, and the ids of the staff by e-mail. `growth`: of Town.
    """
    began = now - YEARS_BACK
    await _open_shop(began)
    rules = await write_programme(began, now)
    staff = {member.email: member.id for member in await staff_list()}
    await write_prices(staff[OWNER], now)
    places = [
        Place(location.id, staff[email], location.name, location.burns_without_code)
        for location in sorted(await locations(), key=lambda location: location.id)
        for email, _, _, index in STAFF
        if index is not None and LOCATIONS[index][0] == location.name
    ]
    person_key = await db.fetch_value("SELECT person_key FROM shop")
    return Town(places, rules, person_key, staff[MANAGER], began, now, growth), staff


async def _open_shop(began: datetime) -> None:
    await update_shop(
        name="Ладно, кофе", currency="RUB", region="RU", language="ru", time_zone=ZONE, actor=COMMAND, now=began
    )
    opened = []
    for name, address, relaxed, daily, drives in LOCATIONS:
        told = {"hours": Hours((daily,) * 7) if daily else None, "fiscal_drives": drives}
        about: dict[str, Any] = {"name": name, "address": address, "time_zone": ZONE, **told}
        place = await add_location(**about, actor=COMMAND, now=began)
        if relaxed:
            await update_location(place.id, **about, burns_without_code=True, actor=COMMAND, now=began)
        opened.append(place.id)
    passwords = {email: password for email, password, _ in DEMO_LOGINS}
    for email, name, role, index in STAFF:
        till = opened[index] if index is not None else None
        reach = [opened[one] for one in REACH[email]] if email in REACH else None
        token = await invite(email, name, role, till, location_ids=reach, actor=COMMAND, now=began)
        if email in passwords:
            await accept_invitation(token, passwords[email], now=began)
