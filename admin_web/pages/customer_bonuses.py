"""Where a movement of bonuses came from and went: the lots behind it, on a customer's card."""

from datetime import datetime, timedelta

from aiohttp import web

from admin_web.auth import requires
from admin_web.bonus_words import EVENTS, KINDS, SOURCES
from admin_web.forms import id_in
from admin_web.i18n import gettext as _
from admin_web.keys import now
from admin_web.render import page
from loyalty.customers.queries import customer
from loyalty.office.queries.explain import explain_entry
from loyalty.staff.rules import Permission


@requires(Permission.CUSTOMERS_READ)
async def show_entry(request: web.Request) -> web.Response:
    """GET /customers/{id}/bonuses/entries/{entry}: one movement with its lots; a dialog for htmx."""
    person = await customer(id_in(request))
    return page(
        request,
        "customers/entry.html",
        block="dialog",
        person=person,
        story=await explain_entry(person.id, id_in(request, "entry")),
        kind_names={kind.value: _(name) for kind, (name, _tint) in KINDS.items()},
        kind_tints={kind.value: tint for kind, (_name, tint) in KINDS.items()},
        event_names={event: _(name) for event, name in EVENTS.items()},
        source_names={source.value: _(name) for source, name in SOURCES.items()},
        last_day=last_day,
        this_moment=now(request),
    )


def last_day(expires_at: datetime) -> datetime:
    """A lot ends with its last local day; an instant before that end lies on the day people know."""
    return expires_at - timedelta(microseconds=1)


ROUTES = (web.get("/customers/{id}/bonuses/entries/{entry}", show_entry),)
