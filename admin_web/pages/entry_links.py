"""Links by which people come: making them, their QR codes to hang up, and whom each of them brought."""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.chat_links import chat_links, drawn, png_file, svg_file
from admin_web.chats import CHANNELS
from admin_web.forms import Form, form_of, id_in, is_id, read_form
from admin_web.i18n import LANGUAGE_NAMES, READER, catalogue, mark
from admin_web.i18n import gettext as _
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.reach import places_for
from admin_web.render import go_to, page
from loyalty.customers.actions.entry_links import (
    NAME_LENGTH,
    SOURCE_LENGTH,
    add_entry_link,
    change_entry_link,
    delete_entry_link,
    restore_entry_link,
)
from loyalty.customers.queries.entry_links import EntryLinkView, entry_link, entry_links, entry_sources
from loyalty.errors import LoyaltyError, NotFound
from loyalty.staff.rules import Permission

PATH = "/settings/entry-links"
NAV = NavItem("entry_links", PATH, "qr-code", mark("Entry links"), "settings", Permission.ENTRY_LINKS_MANAGE)
PAYLOAD = "e_"
"""What stands before the code in the link; the chat knows it by this."""
FILES = {"svg": ("image/svg+xml", svg_file), "png": ("image/png", png_file)}
INVITING = mark("Scan the code: bonuses for every purchase")
"""What stands on the sheet that is hung up, in the language that was chosen for it."""


@requires(Permission.ENTRY_LINKS_MANAGE)
async def show_list(request: web.Request) -> web.Response:
    """GET /settings/entry-links?location=&source=&before=: newest first."""
    reader = staff_of(request)
    places = [(str(place.id), place.name) for place in await places_for(reader)]
    sources = await entry_sources()
    known: dict[str, Collection[str]] = {"location": dict(places), "source": sources}
    chosen = {name: value for name, values in known.items() if (value := request.query.get(name, "")) in values}
    before = request.query.get("before", "")
    rows, following = await entry_links(
        location_id=int(chosen["location"]) if "location" in chosen else None,
        source=chosen.get("source"),
        within=reader.location_ids,
        before=int(before) if is_id(before) and len(before) <= 9 else None,
    )
    return page(
        request,
        "entry_links/list.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        rows=rows,
        form=form_of(chosen),
        filters=[
            ("location", _("Location"), [("", _("Every location")), *places]),
            ("source", _("Source"), [("", _("Every source")), *((one, one) for one in sources)]),
        ],
        is_filtered=bool(chosen),
        older=f"{PATH}?{urlencode(chosen | {'before': following})}" if following else None,
        newest=f"{PATH}?{urlencode(chosen)}" if before else None,
    )


@requires(Permission.ENTRY_LINKS_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /settings/entry-links/new."""
    return await _edit(request, Form(), None)


@requires(Permission.ENTRY_LINKS_MANAGE)
async def show_edit(request: web.Request) -> web.Response:
    """GET /settings/entry-links/{id}/edit."""
    link = await _shown(request)
    return await _edit(request, form_of({"name": link.name, "source": link.source, "location": link.location_id}), link)


@requires(Permission.ENTRY_LINKS_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/entry-links/new or …/{id}/edit."""
    form = await read_form(request)
    link = await _shown(request) if "id" in request.match_info else None
    place = form.choice("location", [value for value, _name in await _places(request, link)])
    if not form.ok:
        return await _edit(request, form, link, status=422)
    try:
        link_id = await _save(request, form, link, int(place) if place else None)
    except NotFound:
        raise
    except LoyaltyError as error:
        form.refuse(error)
        return await _edit(request, form, link, status=422)
    return await go_to(request, f"{PATH}/{link_id}", say=_("Saved"))


async def _save(request: web.Request, form: Form, link: EntryLinkView | None, location_id: int | None) -> int:
    name, source, actor, at = form.value("name"), form.value("source"), actor_of(request), now(request)
    if link is None:
        return await add_entry_link(name, source, location_id=location_id, actor=actor, now=at)
    await change_entry_link(link.id, name, source, location_id=location_id, actor=actor, now=at)
    return link.id


@requires(Permission.ENTRY_LINKS_MANAGE)
async def show_one(request: web.Request) -> web.Response:
    """GET /settings/entry-links/{id}: the link for each messenger with its code, and whom it brought."""
    link, counts = await entry_link(id_in(request))
    links = await chat_links(request, PAYLOAD + link.code)
    return page(
        request,
        "entry_links/link.html",
        link=link,
        counts=counts,
        ways=[(name, _(CHANNELS[name]), address, drawn(address)) for name, address in links.items()],
        languages=list(LANGUAGE_NAMES.items()),
    )


@requires(Permission.ENTRY_LINKS_MANAGE)
async def download(request: web.Request) -> web.Response:
    """GET /settings/entry-links/{id}/{messenger}.svg or .png: the code as a file."""
    link, _counts = await entry_link(id_in(request))
    address = (await chat_links(request, PAYLOAD + link.code)).get(request.match_info["messenger"])
    if address is None:
        raise web.HTTPNotFound
    kind, name = request.match_info["kind"], request.match_info["messenger"]
    content_type, draw = FILES[kind]
    headers = {"Content-Disposition": f'attachment; filename="{link.code}-{name}.{kind}"'}
    return web.Response(body=draw(address), content_type=content_type, headers=headers)


@requires(Permission.ENTRY_LINKS_MANAGE)
async def show_sheet(request: web.Request) -> web.Response:
    """GET /settings/entry-links/{id}/sheet?language=&in=: one A6 sheet to print, with one messenger's code or all."""
    link, _counts = await entry_link(id_in(request))
    links = await chat_links(request, PAYLOAD + link.code)
    language, chosen = request.query.get("language", ""), request.query.get("in", "")
    language = language if language in LANGUAGE_NAMES else READER.get().language
    shown = [chosen] if chosen in links else list(links)
    return page(
        request,
        "entry_links/sheet.html",
        link=link,
        codes=[(_(CHANNELS[name]), drawn(links[name])) for name in shown],
        inviting=catalogue(language).gettext(INVITING),
        language=language,
        languages=list(LANGUAGE_NAMES.items()),
        chosen=chosen if chosen in links else "",
        messengers=[(name, _(CHANNELS[name])) for name in links],
    )


@requires(Permission.ENTRY_LINKS_MANAGE)
async def delete(request: web.Request) -> web.Response:
    """POST /settings/entry-links/{id}/delete: at once, with an Undo."""
    link_id = id_in(request)
    await delete_entry_link(link_id, actor=actor_of(request), now=now(request))
    said = _("The link is not shown any more. Whoever opens it is still greeted.")
    return await go_to(request, PATH, say=said, undo_url=f"{PATH}/{link_id}/restore")


@requires(Permission.ENTRY_LINKS_MANAGE)
async def restore(request: web.Request) -> web.Response:
    """POST /settings/entry-links/{id}/restore."""
    link_id = id_in(request)
    await restore_entry_link(link_id, actor=actor_of(request), now=now(request))
    return await go_to(request, f"{PATH}/{link_id}", say=_("The link is back."))


async def _shown(request: web.Request) -> EntryLinkView:
    """The link in the path. Raises NotFound("entry_link") for one that is deleted, too."""
    link, _counts = await entry_link(id_in(request))
    if link.deleted_at is not None:
        raise NotFound("entry_link")
    return link


async def _places(request: web.Request, link: EntryLinkView | None) -> list[tuple[str, str]]:
    """Where a link may hang: nowhere in particular, a place that sells, or where it hangs already.

    Whose rights end with locations hangs it at one of those.
    """
    here, reader = link.location_id if link else None, staff_of(request)
    shown = [place for place in await places_for(reader) if place.is_open or place.id == here]
    nowhere = [("", _("No location of its own"))] if reader.location_ids is None else []
    return [*nowhere, *((str(place.id), place.name) for place in shown)]


async def _edit(request: web.Request, form: Form, link: EntryLinkView | None, *, status: int = 200) -> web.Response:
    details: dict[str, Any] = {"places": await _places(request, link), "sources": await entry_sources()}
    return page(
        request,
        "entry_links/edit.html",
        block="form" if status != 200 else None,
        status=status,
        form=form,
        link=link,
        url=request.path,
        name_length=NAME_LENGTH,
        source_length=SOURCE_LENGTH,
        **details,
    )


_ONE = PATH + r"/{id:\d{1,9}}"
ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(f"{PATH}/new", save),
    web.get(_ONE, show_one),
    web.get(f"{_ONE}/edit", show_edit),
    web.post(f"{_ONE}/edit", save),
    web.get(f"{_ONE}/sheet", show_sheet),
    web.get(_ONE + r"/{messenger:[a-z]{1,10}}.{kind:svg|png}", download),
    web.post(f"{_ONE}/delete", delete),
    web.post(f"{_ONE}/restore", restore),
)
