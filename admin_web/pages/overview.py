"""The start: first steps while there are some left, then wherever one works."""

from dataclasses import dataclass

from aiohttp import web

from admin_web.auth import signed_in, staff_of
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, WORK
from admin_web.navigation import allowed_items
from admin_web.pages.books import PATH as BOOKS
from admin_web.pages.books import proof_data
from admin_web.render import page
from loyalty.office.queries.work import Work
from loyalty.shop.queries import has_customers, has_receipts, locations
from loyalty.staff.queries import staff_list
from loyalty.staff.rules import Role

CASHIER_HOME = "/cashier"
FIGURES = "/dashboard"
HOME = "/customers"
HOMES = {Role.CASHIER: CASHIER_HOME, Role.OWNER: FIGURES, Role.ANALYST: FIGURES}
"""Where somebody begins who does not begin with the customers."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the beginning; done when the data says so."""

    title: str
    text: str
    path: str
    verb: str
    is_done: bool


@signed_in
async def show(request: web.Request) -> web.Response:
    """GET /: first steps for an owner, then the figures; the cashier page for cashiers, the customers for others.

    Books that do not agree, or were not proved, come before an owner's figures.
    """
    person = staff_of(request)
    if person.role is Role.OWNER:
        steps, proof = await _steps(request), await proof_data(request)
        if not all(step.is_done for step in steps):
            done = sum(step.is_done for step in steps)
            work = request.get(WORK) or Work()
            return page(request, "overview.html", steps=steps, done=done, waiting=work.chats, **proof)
        if proof["alarms"]:
            return web.Response(status=303, headers={"Location": BOOKS})
    paths = [item.path for item in allowed_items(request.app, person)]
    wanted = HOMES.get(person.role, HOME)
    home = wanted if wanted in paths else (paths or ["/account"])[0]
    return web.Response(status=303, headers={"Location": home})


async def _steps(request: web.Request) -> list[Step]:
    people = await staff_list()
    return [
        Step(
            title=_("Name the shop"),
            text=_("Its name, currency and time zone. The currency is fixed by the first receipt."),
            path="/settings/shop",
            verb=_("Open settings"),
            is_done=bool(request[SHOP].name),
        ),
        Step(
            title=_("Add a location"),
            text=_("Every receipt belongs to a place that sells."),
            path="/settings/locations/new",
            verb=_("Add a location"),
            is_done=bool(await locations()),
        ),
        Step(
            title=_("Invite a cashier"),
            text=_("You get a link to hand over; the cashier sets a password by it and sees only the cashier page."),
            path="/settings/staff/invite?role=cashier",
            verb=_("Invite"),
            is_done=any(other.role is Role.CASHIER for other in people),
        ),
        Step(
            title=_("Add the first customer"),
            text=_("By hand here or by phone number at the till."),
            path="/customers",
            verb=_("To the customers"),
            is_done=await has_customers(),
        ),
        Step(
            title=_("Credit the first receipt"),
            text=_("Open the cashier page, find the customer, enter the sum."),
            path=CASHIER_HOME,
            verb=_("To the cashier page"),
            is_done=await has_receipts(),
        ),
    ]


ROUTES = (web.get("/", show),)
