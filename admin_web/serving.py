"""Whom a cashier serves, and where: kept in the session, so that ids cannot be walked through nor codes made up."""

from dataclasses import dataclass

import aiohttp_session
from aiohttp import web

from admin_web.auth import staff_of
from loyalty.customers.queries import CustomerView, customer
from loyalty.customers.rules import CardProof
from loyalty.errors import NotFound
from loyalty.receipts.rules.sales import ReceiptDraft, ReceiptSource
from loyalty.shop.queries import location
from loyalty.shop.rules import LocationView
from loyalty.staff.queries import StaffView

LOCATION = "cashier_location"
SERVING = "cashier_serving"
CODE_STEP = "cashier_code_step"
CANDIDATES_SHOWN = "cashier_candidates"
NEW_PHONE = "cashier_new_phone"
OLD_CODE = 0
"""Stands for the step of a code that was out of date when it was scanned."""
ASKED = "cashier_asked"
"""The question under way: [hold, total typed, key of the sale]."""


@dataclass(frozen=True, slots=True)
class Served:
    """Where the cashier works, whom they serve, and the step of the code that was shown, if one was."""

    place: LocationView
    person: CustomerView
    code_step: int | None

    @property
    def proof(self) -> CardProof | None:
        """What the code proves, as far as it was in time."""
        return proof_of(self.person.id, self.code_step)

    def draft(self, total: int, *, key: str = "", burn: int = 0) -> ReceiptDraft:
        """The sale as it stands."""
        return ReceiptDraft(ReceiptSource.TILL, self.place.id, key, self.person.id, total, burn, proof=self.proof)


async def begin_search(request: web.Request) -> aiohttp_session.Session:
    """Forget whom one served: another person is asked for."""
    session = await aiohttp_session.get_session(request)
    for name in (SERVING, CODE_STEP, CANDIDATES_SHOWN, NEW_PHONE, ASKED):
        session.pop(name, None)
    return session


def proof_of(customer_id: int, code_step: int | None) -> CardProof | None:
    """What a code proves, as far as it was in time when it was shown."""
    return CardProof(customer_id, code_step) if code_step else None


async def served_at_till(request: web.Request) -> Served | None:
    """Where the cashier works and whom they serve; None when either is to be asked again."""
    session = await aiohttp_session.get_session(request)
    place, serving = await working_at(request), session.get(SERVING)
    if place is None or serving is None:
        return None
    return Served(place, await customer(serving), session.get(CODE_STEP))


async def working_at(request: web.Request) -> LocationView | None:
    """Where this person works (`workplace`); None when it is closed."""
    wanted = workplace(await aiohttp_session.get_session(request), staff_of(request))
    if wanted is None:
        return None
    try:
        place = await location(wanted)
    except NotFound:
        return None
    return place if place.is_open else None


def workplace(session: aiohttp_session.Session, person: StaffView) -> int | None:
    """The location chosen in this session, else the one that the account names, as far as their rights reach.

    Whose rights are for one location works there.
    """
    mine = person.location_ids
    for wanted in (session.get(LOCATION), person.location_id):
        if wanted is not None and (mine is None or wanted in mine):
            return int(wanted)
    return mine[0] if mine is not None and len(mine) == 1 else None
