"""What is open to those whose rights end with locations: one table for all addresses of the panel.

Whoever has rights for the whole chain is asked for their role alone (`admin_web/auth.py`). For the others an address
is one of three: open, and its handler shows what their locations reach; of a thing that has a customer, a location or
a beginner, which must be theirs, and else is not there; or the chain's, where only people of the chain go. What is
not named here is the chain's, so that nothing new opens by being forgotten.
"""

from collections.abc import Collection, Mapping
from enum import Enum

from aiohttp import web

from admin_web.forms import id_in
from loyalty.customers.queries.reach import reached_among
from loyalty.errors import NotFound
from loyalty.office.queries.reach import Thing, is_reached
from loyalty.shop.queries import locations
from loyalty.shop.rules import LocationView
from loyalty.staff.queries import StaffView


class Reach(Enum):
    """Whose an address is when it is of no single thing."""

    OPEN = "open"
    CHAIN = "chain"


class OnlyForTheChain(web.HTTPForbidden):
    """The role includes it, but it concerns the whole chain, and this person's rights end with locations."""


Rule = Reach | Mapping[str, Thing]
"""Or the parts of the address that must be reached, and what each is the number of."""

REACH: dict[str, Rule] = {
    "/": Reach.OPEN,
    "/account": Reach.OPEN,
    "/consents": Reach.OPEN,
    # Figures of their locations alone.
    "/dashboard": Reach.OPEN,
    # The base, its filters, columns, views and acts show and touch only those who are reached.
    "/customers": Reach.OPEN,
    "/customers/{id}": {"id": Thing.CUSTOMER},
    "/customers/{id}/merge/{other}": {"id": Thing.CUSTOMER, "other": Thing.CUSTOMER},
    "/customers/{id}/media/{media}": {"media": Thing.PHOTO},
    "/customers/actions/{id}": {"id": Thing.MASS_ACTION},
    "/customers/imports": Reach.CHAIN,
    "/campaigns": Reach.OPEN,
    "/campaigns/{id}": {"id": Thing.CAMPAIGN},
    # What was answered about their locations; the programme and asking on demand are the chain's.
    "/surveys": Reach.OPEN,
    "/surveys/programme": Reach.CHAIN,
    "/surveys/runs": Reach.CHAIN,
    # A file is its asker's, and of the locations that it was asked for (`office/exporting.why_not`).
    "/customers/exports": Reach.OPEN,
    "/merges/{id}": {"id": Thing.MERGE},
    # Everybody's to look at; a segment itself is the chain's, who is in it is not.
    "/segments": Reach.OPEN,
    "/segments/new": Reach.CHAIN,
    "/segments/by-conditions": Reach.CHAIN,
    "/segments/{id}/edit": Reach.CHAIN,
    "/segments/{id}/archive": Reach.CHAIN,
    "/segments/{id}/restore": Reach.CHAIN,
    "/segments/{id}/members/{customer}": {"customer": Thing.CUSTOMER},
    # Lists show what somebody has to do, has made, or reaches by its customer.
    "/tasks": Reach.OPEN,
    "/tasks/{id}": {"id": Thing.TASK},
    "/conversations": Reach.OPEN,
    "/conversations/{account}": {"account": Thing.ACCOUNT},
    "/messages": Reach.OPEN,
    "/messages/{id}": {"id": Thing.MESSAGE},
    "/link-requests": Reach.OPEN,
    "/link-requests/{id}": {"id": Thing.LINK_REQUEST},
    "/credit-requests": Reach.OPEN,
    "/credit-requests/{id}": {"id": Thing.CREDIT_REQUEST},
    "/claims": Reach.OPEN,
    "/claims/{id}": {"id": Thing.CLAIM},
    # At the till whoever comes is served; it stands at one of their locations (`admin_web/serving.py`).
    "/cashier": Reach.OPEN,
    "/cashier/receipts/{id}": {"id": Thing.RECEIPT},
    "/cashier/refund/{id}": {"id": Thing.RECEIPT},
    "/cashier/join/{id}": {"id": Thing.WAITING_SALE},
    "/settings/entry-links": Reach.OPEN,
    "/settings/entry-links/{id}": {"id": Thing.ENTRY_LINK},
    "/journal": Reach.OPEN,
}
"""By the beginning of an address; the longest that fits counts. "/" is the start alone."""


def reach_of(path: str) -> Rule:
    """Whose an address is: a path as the routes have it, with names in braces."""
    while path not in REACH:
        path = path.rpartition("/")[0]
        if not path:
            return Reach.CHAIN
    return REACH[path]


def is_open_to(path: str, person: StaffView) -> bool:
    """Whether a section opens to somebody, as far as locations go."""
    return person.location_ids is None or reach_of(path) is not Reach.CHAIN


async def check_reach(request: web.Request, person: StaffView) -> None:
    """Let nobody further than their locations reach.

    Raises OnlyForTheChain, and NotFound for a thing of others just as for one that does not exist.
    """
    if person.location_ids is None:
        return
    resource = request.match_info.route.resource
    rule = reach_of(resource.canonical) if resource is not None else Reach.CHAIN
    if rule is Reach.CHAIN:
        raise OnlyForTheChain
    if isinstance(rule, Mapping):
        for part, thing in rule.items():
            number = id_in(request, part)
            if not await is_reached(thing, number, staff_id=person.id, location_ids=person.location_ids):
                raise NotFound(thing.value)


async def places_for(person: StaffView, *, only_open: bool = False) -> list[LocationView]:
    """The locations that somebody may choose among: all of them, or those that their rights are for."""
    known = await locations(only_open=only_open)
    return [place for place in known if person.location_ids is None or place.id in person.location_ids]


async def cards_open_to(person: StaffView, customer_ids: Collection[int]) -> set[int]:
    """Whose cards of these somebody may open: what stands beside them is shown without a way to nowhere."""
    if person.location_ids is None:
        return set(customer_ids)
    return await reached_among(customer_ids, person.location_ids)
