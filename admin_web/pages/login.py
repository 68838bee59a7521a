"""Coming in and going out: sign in, sign out, the link of an invitation or of a forgotten password."""

from aiohttp import web

from admin_web.auth import public, safe_next
from admin_web.client import client_of
from admin_web.forms import GENERAL, Form, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import ngettext
from admin_web.keys import REDIS, STAFF, now
from admin_web.render import go_to, page
from admin_web.sessions import begin_session, end_this_session
from admin_web.throttle import forgive, seconds_to_wait
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.staff.actions import accept_invitation, sign_in
from loyalty.staff.queries import invited_by
from loyalty.staff.rules import LANGUAGES

YEAR_SECONDS = 31_536_000


@public
async def show_login(request: web.Request) -> web.Response:
    """GET /login; `?lang=` chooses the language of this browser."""
    if request.query.get("lang") in LANGUAGES:
        return _remember_language(request)
    if STAFF in request:
        return web.Response(status=303, headers={"Location": safe_next(request.query.get("next", "/"))})
    return page(request, "login.html", form=Form(), next=safe_next(request.query.get("next", "/")))


@public
async def do_login(request: web.Request) -> web.Response:
    """POST /login."""
    form = await read_form(request)
    email, password = form.text("email", required=True), form.value("password")
    onward = safe_next(form.value("next"))
    if not password:
        form.refuse(Invalid("password", "required"))
    if not form.ok:
        return _login_again(request, form, onward, 422)
    address = client_of(request).address
    if wait := await seconds_to_wait(request.app[REDIS], email, address):
        form.errors[GENERAL] = _wait_words(wait)
        response = _login_again(request, form, onward, 429)
        response.headers["Retry-After"] = str(wait)
        return response
    try:
        person = await sign_in(email, password, now(request))
    except LoyaltyError as error:
        form.refuse(error)
        return _login_again(request, form, onward, 422)
    await forgive(request.app[REDIS], email, address)
    await begin_session(request, person)
    return await go_to(request, onward)


@public
async def do_logout(request: web.Request) -> web.Response:
    """POST /logout."""
    await end_this_session(request)
    return await go_to(request, "/login")


@public
async def show_join(request: web.Request) -> web.Response:
    """GET /join/{token}: set a password by a link."""
    if request.query.get("lang") in LANGUAGES:
        return _remember_language(request)
    try:
        person = await invited_by(request.match_info["token"], now(request))
    except NotFound:
        return page(request, "join_over.html", status=404)
    return page(request, "join.html", form=Form({"name": person.name}), person=person)


@public
async def do_join(request: web.Request) -> web.Response:
    """POST /join/{token}: the password is set, the person signed in."""
    form = await read_form(request)
    token = request.match_info["token"]
    name, password = form.text("name", required=True), form.value("password")
    if password != form.value("again"):
        form.refuse(Invalid("again", "passwords_differ"))
    try:
        invited = await invited_by(token, now(request))
    except NotFound:
        return page(request, "join_over.html", status=404)
    if form.ok:
        try:
            person = await accept_invitation(token, password, now=now(request), name=name)
        except LoyaltyError as error:
            form.refuse(error)
        else:
            await begin_session(request, person)
            return await go_to(request, "/", say=_("The password is set. Welcome."))
    return page(request, "join.html", block="form", status=422, form=form, person=invited)


def _login_again(request: web.Request, form: Form, onward: str, status: int) -> web.Response:
    return page(request, "login.html", block="form", status=status, form=form, next=onward)


def _wait_words(seconds: int) -> str:
    if seconds < 60:
        sentence = ngettext("Too many tries. Wait %(n)s second.", "Too many tries. Wait %(n)s seconds.", seconds)
        return sentence % {"n": seconds}
    minutes = -(-seconds // 60)
    sentence = ngettext("Too many tries. Wait %(n)s minute.", "Too many tries. Wait %(n)s minutes.", minutes)
    return sentence % {"n": minutes}


def _remember_language(request: web.Request) -> web.Response:
    rest = request.rel_url.without_query_params("lang")
    response = web.Response(status=303, headers={"Location": str(rest)})
    response.set_cookie("lang", request.query["lang"], max_age=YEAR_SECONDS, samesite="Lax", httponly=True)
    return response


ROUTES = (
    web.get("/login", show_login),
    web.post("/login", do_login),
    web.post("/logout", do_logout),
    web.get("/join/{token}", show_join),
    web.post("/join/{token}", do_join),
)
