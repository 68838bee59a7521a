"""Reads of the chain: its settings, its locations, the programme in force."""

from datetime import datetime

from loyalty.errors import NotFound
from loyalty.shop import models
from loyalty.shop.rules import LocationView, Programme, ShopView


async def shop() -> ShopView:
    """The chain's settings. The first migration wrote the row, so it is always there."""
    row = await models.Shop.get(id=1)
    return ShopView(
        name=row.name,
        currency=row.currency,
        exponent=row.exponent,
        region=row.region,
        language=row.language,
        time_zone=row.time_zone,
    )


async def locations(*, only_open: bool = False) -> list[LocationView]:
    """All locations by name, those that sell before those that closed; only the former on demand."""
    query = models.Location.filter(is_open=True) if only_open else models.Location.all()
    return [_location_view(row) for row in await query.order_by("-is_open", "name", "id")]


async def location(location_id: int) -> LocationView:
    """One location, open or closed. Raises NotFound("location")."""
    row = await models.Location.get_or_none(id=location_id)
    if row is None:
        raise NotFound("location")
    return _location_view(row)


async def programme_at(now: datetime) -> Programme:
    """The programme in force at `now`: the newest version whose beginning is not ahead of it."""
    version = (
        await models.Programme.filter(effective_from__lte=now).order_by("-effective_from", "-id").first()
    )
    if version is None:
        raise NotFound("programme")
    return Programme.from_body(version.body)


def _location_view(row: models.Location) -> LocationView:
    return LocationView(
        id=row.id,
        name=row.name,
        address=row.address,
        time_zone=row.time_zone,
        burns_without_code=row.burns_without_code,
        is_open=row.is_open,
    )
