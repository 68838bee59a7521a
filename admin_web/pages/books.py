"""The proof of the books: when everything was last computed again from the ledger, and what did not agree."""

from datetime import timedelta
from typing import Any

from aiohttp import web

from admin_web.auth import requires
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.render import page
from loyalty.office.queries.proofs import last_proof
from loyalty.staff.rules import Permission

PATH = "/settings/books"
NAV = NavItem("books", PATH, "scale", mark("Books"), "settings", Permission.SHOP_MANAGE)
FRESH_FOR = timedelta(days=2)
"""An older proof alarms: the nightly one did not run."""


CHECKS = (
    mark("balance of customer"),
    mark("whether customer is hidden"),
    mark("debt of customer"),
    mark("balance after entry"),
    mark("remaining in lot"),
    mark("lots of credit"),
    mark("lots of debit"),
    mark("owner of lot"),
    mark("earned by customer"),
    mark("burnt by customer"),
    mark("expired of customer"),
    mark("burnt on receipt"),
    mark("earned on receipt"),
    mark("refunded of receipt"),
    mark("sold to customer"),
    mark("paid by customer"),
    mark("receipts of customer"),
    mark("visits of customer"),
    mark("visits of customer to a location"),
    mark("last visit of customer to a location (epoch)"),
    mark("locations of customer"),
    mark("last year of customer: days, the first, the last, frequency"),
    mark("last year of customer behind the calendar"),
    mark("tips of customer"),
    mark("next booking of customer (epoch)"),
    mark("visits of customer with a team member"),
    mark("visits of customer with a service"),
    mark("visits of customer with a service category"),
    mark("last visit of customer (epoch)"),
    mark("first visit of customer (epoch)"),
    mark("tier of customer"),
    mark("facts of customer"),
    mark("reach of customer by telegram"),
    mark("reach of customer by whatsapp"),
    mark("reach of customer by sms"),
    mark("reach of customer by email"),
    mark("phone of customer as sms"),
    mark("email of customer as email"),
    mark("default account of customer"),
    mark("code of burn"),
    mark("newest score of customer"),
    mark("time of newest score of customer (epoch)"),
    mark("message of survey"),
    mark("answer of survey"),
    mark("people of survey run"),
    mark("owner of message"),
    mark("chat of account with messages"),
    mark("lines of receipt"),
    mark("refunded of line of receipt"),
    mark("awards of receipt"),
    mark("receipt of claim"),
    mark("claim of receipt"),
    mark("held of lot"),
    mark("amount of hold"),
    mark("burn of hold"),
    mark("receipt of waiting sale"),
    mark("audience of campaign"),
    mark("left out of campaign"),
    mark("wording of recipient"),
    mark("bonus of recipient"),
    mark("message of recipient"),
    mark("message of automation"),
    mark("bonus of automation"),
    mark("lot expired and not swept for a day"),
)
"""Names of the checks, for the catalogues; one that is not here yet is shown as it is."""


@requires(Permission.SHOP_MANAGE)
async def show(request: web.Request) -> web.Response:
    """GET /settings/books."""
    return page(request, "books/detail.html", **await proof_data(request))


async def proof_data(request: web.Request) -> dict[str, Any]:
    """What `books/_proof.html` shows, wherever it stands."""
    kept = await last_proof()
    is_old = kept is not None and now(request) - kept.at > FRESH_FOR
    return {"kept": kept, "is_old": is_old, "alarms": kept is not None and (is_old or kept.found > 0)}


ROUTES = (web.get(PATH, show),)
