"""Places that sell, as far as a key speaks for them."""

from pydantic import Field

from admin_web.api.fields import Out
from admin_web.api.operations import Answer, Call, Operation
from loyalty.shop.queries import locations


class Location(Out):
    """A place that sells."""

    id: int
    name: str = Field(examples=["Tverskaya, 12"])
    address: str
    time_zone: str = Field(examples=["Europe/Moscow"])
    is_open: bool = Field(description="A closed one takes no receipts.")
    burns_without_code: bool = Field(description="Bonuses can be used there without the customer's code.")


class LocationList(Out):
    """All of them."""

    locations: list[Location]


async def list_locations(call: Call) -> Answer:
    """Open and closed, by name."""
    places = [place for place in await locations() if call.key.reaches(place.id)]
    rows = [Location(**{name: getattr(place, name) for name in Location.model_fields}) for place in places]
    return Answer(LocationList(locations=rows))


OPERATIONS = (
    Operation(
        "GET",
        "/locations",
        "list_locations",
        "List the locations",
        "Those that this key speaks for.",
        list_locations,
        {200: LocationList},
        "Locations",
    ),
)
