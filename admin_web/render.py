"""From data to an answer: whole pages, named blocks for htmx, toasts, ways on."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import aiohttp_session
import jinja2
from aiohttp import web
from markupsafe import Markup

from admin_web.assets import asset, icon
from admin_web.formats import FILTERS, currency_sign
from admin_web.i18n import LANGUAGE_NAMES, READER, gettext, mark, ngettext
from admin_web.keys import SHOP, STAFF
from admin_web.navigation import navigation_of
from admin_web.reach import is_open_to
from admin_web.words import role_hint, role_name
from loyalty.customers.rules import ERASED_NAME
from loyalty.staff.rules import Permission, may

TEMPLATES = Path(__file__).parent / "templates"
LEFT_TOAST = "toast"
THEMES = ("light", "dark")
ERASED = mark("Erased customer")


def prepare_templates(app: web.Application) -> None:
    """Give an application its templates."""
    app[aiohttp_jinja2.APP_KEY] = _templates()


@cache
def _templates() -> jinja2.Environment:
    """Jinja, once a process: strict, escaping, speaking the reader's language; `ui` is there in every block."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    env.filters.update(FILTERS)
    env.filters.update(role_name=role_name, role_hint=role_hint)
    env.globals.update(
        asset=asset,
        icon=icon,
        currency_sign=currency_sign,
        language_names=LANGUAGE_NAMES,
        Permission=Permission,
    )
    # A block rendered alone does not see what its template imported, so the macros are global.
    env.globals["ui"] = env.get_template("ui.html").module
    return env


def _shown(value: Any) -> Any:
    """What stands for the name of an erased person is said in words, wherever it comes up."""
    return gettext(ERASED) if value == ERASED_NAME else value


def is_htmx(request: web.Request) -> bool:
    """Whether htmx asks for a part of a page. Restoring history after a miss needs the whole of it."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def page(
    request: web.Request, template: str, *, block: str | None = None, status: int = 200, **data: Any
) -> web.Response:
    """The whole page; or only its `block` when htmx asks and a block is named.

    Templates see `request`, `staff` (None before signing in), `shop`, `reader`, `can(permission)`, `opens(path)` for
    what may be the whole chain's, `navigation` and `data`.
    """
    if block is not None and is_htmx(request):
        text: str = part(request, template, block, **data)
    else:
        text = aiohttp_jinja2.get_env(request.app).get_template(template).render(_context(request) | data)
    response = web.Response(text=text, status=status, content_type="text/html", charset="utf-8")
    response.headers["Vary"] = "HX-Request"
    return response


def part(request: web.Request, template: str, block: str, **data: Any) -> Markup:
    """One block of a page alone, to stand in another page. The templates escape what they show."""
    found = aiohttp_jinja2.get_env(request.app).get_template(template)
    return Markup("".join(found.blocks[block](found.new_context(_context(request) | data))))  # noqa: S704  see above


def toast(
    response: web.Response,
    text: str,
    undo_url: str | None = None,
    *,
    kind: str | None = None,
    link: tuple[str, str] | None = None,
) -> web.Response:
    """Have htmx show a message beside the answer; with `undo_url`, eight seconds with an Undo button.

    link: (address, words) of a way on.
    """
    message: dict[str, Any] = {"text": text, "undo": undo_url, "kind": kind}
    message["link"] = {"href": link[0], "text": link[1]} if link is not None else None
    message = {name: value for name, value in message.items() if value is not None}
    # Headers are Latin-1: JSON's \\u escapes carry the other letters.
    response.headers["HX-Trigger"] = json.dumps({"toast": message})
    return response


async def leave_toast(request: web.Request, text: str, undo_url: str | None = None) -> None:
    """Have the next page of this session show a message."""
    session = await aiohttp_session.get_session(request)
    session[LEFT_TOAST] = {"text": text, "undo": undo_url}


async def left_toast(request: web.Request) -> dict[str, str] | None:
    """The message left for the next page of this session."""
    session = await aiohttp_session.get_session(request)
    left: dict[str, str] | None = session.get(LEFT_TOAST)
    return left


async def forget_toast(request: web.Request) -> None:
    """The message was shown."""
    session = await aiohttp_session.get_session(request)
    session.pop(LEFT_TOAST, None)


async def go_to(
    request: web.Request, path: str, *, say: str | None = None, undo_url: str | None = None
) -> web.Response:
    """The way on after a form: 303, or HX-Redirect for htmx; `say` is a toast on the next page."""
    if say is not None:
        await leave_toast(request, say, undo_url)
    if is_htmx(request):
        return web.Response(status=204, headers={"HX-Redirect": path})
    return web.Response(status=303, headers={"Location": path})


def _context(request: web.Request) -> dict[str, Any]:
    staff = request.get(STAFF)
    theme = request.cookies.get("theme", "")
    return {
        "request": request,
        "staff": staff,
        "shop": request.get(SHOP),
        "reader": READER.get(),
        "theme": theme if theme in THEMES else "",
        "navigation": navigation_of(request, staff) if staff is not None else None,
        "left_toast": request.get(LEFT),
        "can": lambda permission: staff is not None and may(staff.role, permission),
        "opens": lambda path: staff is not None and is_open_to(path, staff),
    }


LEFT: web.RequestKey[dict[str, str]] = web.RequestKey("left_toast", dict)
"""The message left for this request, put there by the middleware for whole pages."""
