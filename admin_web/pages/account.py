"""One's own account: name, language, theme, password, and where one is signed in."""

from aiohttp import web

from admin_web.auth import actor_of, safe_next, signed_in, staff_of
from admin_web.forms import Form, form_of, read_form
from admin_web.i18n import LANGUAGE_NAMES, choose_language
from admin_web.i18n import gettext as _
from admin_web.keys import SESSION_ID, now
from admin_web.pages.account_chat import chat_panel
from admin_web.render import THEMES, go_to, page
from admin_web.sessions import begin_session, end_other_sessions, end_session, sessions_of
from loyalty.errors import Invalid, LoyaltyError
from loyalty.staff.actions import change_password, rename, set_language
from loyalty.staff.rules import LANGUAGES

YEAR_SECONDS = 31_536_000
PATH = "/account"


@signed_in
async def show(request: web.Request) -> web.Response:
    """GET /account."""
    person = staff_of(request)
    return await _account(request, form_of({"name": person.name, "language": person.language}), Form())


@signed_in
async def save(request: web.Request) -> web.Response:
    """POST /account: name, language, theme."""
    form = await read_form(request)
    person = staff_of(request)
    language = form.choice("language", ("", *LANGUAGES)) or None
    theme = form.choice("theme", ("", *THEMES))
    if form.ok:
        try:
            await rename(person.id, form.value("name"), actor=actor_of(request), now=now(request))
            await set_language(person.id, language)
        except LoyaltyError as error:
            form.refuse(error)
    if not form.ok:
        return await _account(request, form, Form(), block="profile", status=422)
    # The answer is read in the language just chosen, so its words are left to the next page.
    response = await go_to(request, PATH, say=_("Saved"))
    if theme:
        response.set_cookie("theme", theme, max_age=YEAR_SECONDS, samesite="Lax")
    else:
        response.del_cookie("theme")
    return response


@signed_in
async def switch_language(request: web.Request) -> web.Response:
    """POST /account/language: from the switch beside the name, and back to the page one was on."""
    form = await read_form(request)
    language = choose_language(form.value("language"))
    await set_language(staff_of(request).id, language)
    response = await go_to(request, safe_next(form.value("next")))
    response.set_cookie("lang", language, max_age=YEAR_SECONDS, samesite="Lax", httponly=True)
    return response


@signed_in
async def save_password(request: web.Request) -> web.Response:
    """POST /account/password: every other browser is signed out."""
    form = await read_form(request)
    person = staff_of(request)
    if form.value("password") != form.value("again"):
        form.refuse(Invalid("again", "passwords_differ"))
    if form.ok:
        try:
            person = await change_password(
                person.id, form.value("old"), form.value("password"), actor=actor_of(request), now=now(request)
            )
        except LoyaltyError as error:
            form.refuse(error)
    if not form.ok:
        kept = form_of({"name": person.name, "language": person.language})
        return await _account(request, kept, form, block="password", status=422)
    await end_other_sessions(request, person)
    await begin_session(request, person)
    return await go_to(request, PATH, say=_("The password is changed. Other browsers are signed out."))


@signed_in
async def show_sessions(request: web.Request) -> web.Response:
    """GET /account/sessions."""
    views = await sessions_of(request, staff_of(request))
    return page(request, "account/sessions.html", sessions=views, this=request.get(SESSION_ID))


@signed_in
async def end_one(request: web.Request) -> web.Response:
    """POST /account/sessions/{id}/end."""
    await end_session(request, staff_of(request), request.match_info["id"])
    return await go_to(request, f"{PATH}/sessions", say=_("Signed out there"))


@signed_in
async def end_others(request: web.Request) -> web.Response:
    """POST /account/sessions/end-others."""
    await end_other_sessions(request, staff_of(request))
    return await go_to(request, f"{PATH}/sessions", say=_("All other browsers are signed out"))


async def _account(
    request: web.Request, form: Form, password: Form, *, block: str | None = None, status: int = 200
) -> web.Response:
    languages = [("", _("As the browser asks")), *LANGUAGE_NAMES.items()]
    themes = [("", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))]
    if "theme" not in form.values:
        theme = request.cookies.get("theme", "")
        form.values["theme"] = theme if theme in THEMES else ""
    return page(
        request,
        "account/detail.html",
        block=block,
        status=status,
        form=form,
        password=password,
        languages=languages,
        themes=themes,
        **await chat_panel(request),
    )


ROUTES = (
    web.get(PATH, show),
    web.post(PATH, save),
    web.post(f"{PATH}/language", switch_language),
    web.post(f"{PATH}/password", save_password),
    web.get(f"{PATH}/sessions", show_sessions),
    web.post(f"{PATH}/sessions/end-others", end_others),
    web.post(f"{PATH}/sessions/{{id}}/end", end_one),
)
