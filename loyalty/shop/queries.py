"""Reads of the chain: its settings, its locations, the programme in force."""

from datetime import datetime

from loyalty.db import fetch_row, fetch_value
from loyalty.errors import NotFound
from loyalty.shop import models
from loyalty.shop.rules import LocationView, Programme, ShopView


async def shop() -> ShopView:
    """The chain's settings. The first migration wrote the row, so it is always there."""
    row = await fetch_row("SELECT name, currency, exponent, region, language, time_zone FROM shop")
    assert row is not None
    return ShopView(**row)


async def locations(*, only_open: bool = False) -> list[LocationView]:
    """All locations by name, those that sell before those that closed; only the former on demand."""
    query = models.Location.filter(is_open=True) if only_open else models.Location.all()
    return [location_view(row) for row in await query.order_by("-is_open", "name", "id")]


async def location(location_id: int) -> LocationView:
    """One location, open or closed. Raises NotFound("location")."""
    row = await fetch_row(
        "SELECT id, name, address, time_zone, burns_without_code, is_open FROM location WHERE id = $1", location_id
    )
    if row is None:
        raise NotFound("location")
    return LocationView(**row)


async def programme_at(now: datetime) -> Programme:
    """The programme in force at `now`: the newest version whose beginning is not ahead of it."""
    version = await models.Programme.filter(effective_from__lte=now).order_by("-effective_from", "-id").first()
    if version is None:
        raise NotFound("programme")
    return Programme.from_body(version.body)


def location_view(row: models.Location) -> LocationView:
    """The location as everyone else sees it."""
    return LocationView(
        id=row.id,
        name=row.name,
        address=row.address,
        time_zone=row.time_zone,
        burns_without_code=row.burns_without_code,
        is_open=row.is_open,
    )


async def has_receipts() -> bool:
    """Whether anything was ever sold. The table belongs to a room above: asked in SQL, nothing is imported."""
    return bool(await fetch_value("SELECT EXISTS (SELECT FROM receipt)"))


async def has_customers() -> bool:
    """Whether anybody is registered. Asked like `has_receipts`."""
    return bool(await fetch_value("SELECT EXISTS (SELECT FROM customer)"))
