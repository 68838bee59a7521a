"""The programme's settings: one form, what would change before it does, and every version there was."""

from dataclasses import dataclass, replace
from datetime import datetime

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.formats import currency_sign, format_datetime
from admin_web.forms import GENERAL, Form, id_in, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP, now
from admin_web.navigation import NavItem
from admin_web.past import periods, tried
from admin_web.programme_form import (
    add_tier,
    basis_of,
    effective_moment,
    local_moment,
    programme_values,
    read_programme,
    remove_tier,
    tier_rows,
)
from admin_web.programme_words import SECTIONS, SETTINGS, SIGNS, Change, Setting, changes
from admin_web.render import go_to, page
from loyalty.bonuses.actions.programme import change_programme
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.shop.actions import cancel_programme
from loyalty.shop.queries import ProgrammeVersion, locations, programme_versions, used_ids
from loyalty.shop.rules import TIERS_AT_MOST, Programme, check_programme
from loyalty.staff.rules import Permission

PATH = "/settings/programme"
NAV = NavItem("programme", PATH, "percent", mark("Programme"), "settings", Permission.SHOP_MANAGE)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A version with what it changed against the one before it. state: future, current or past."""

    version: ProgrammeVersion
    state: str
    changes: list[Change] | None


@requires(Permission.SHOP_MANAGE)
async def show(request: web.Request) -> web.Response:
    """GET /settings/programme?version=: the settings in force, or those of a version to come."""
    versions = await programme_versions()
    version = _asked(request, versions)
    values = programme_values(version.programme)
    values |= {"version": str(version.id), "seen": str((await used_ids()).version), "when": "now"}
    if version.effective_from > now(request):
        zone = request[SHOP].time_zone
        values |= {"when": "later", "effective_from": local_moment(version.effective_from, zone)}
    return await _form(request, Form(values), versions)


@requires(Permission.SHOP_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/programme: rows of levels come and go, then what would change is shown, then it is saved."""
    form = await read_form(request)
    versions = await programme_versions()
    step = form.value("step")
    if step == "add_tier":
        add_tier(form)
        return await _form(request, form, versions)
    if step.startswith("remove_tier_"):
        number = step.removeprefix("remove_tier_")
        remove_tier(form, int(number) if number.isascii() and number.isdigit() else 0)
        return await _form(request, form, versions)
    if step == "edit":
        return await _form(request, form, versions)
    # Asked once: "from now on" must not be in the past by the time it is saved.
    this_moment = now(request)
    moment = effective_moment(form, request[SHOP].time_zone, this_moment)
    # Rules are not edited here: they stay what they will be then, also when the form was drawn before.
    rules = version_at(versions, moment).programme.rules
    programme = replace(read_programme(form, _base(form, versions).programme), rules=rules)
    if form.ok:
        _check(form, programme)
    if not form.ok:
        return await _form(request, form, versions, status=422)
    if step != "save":
        return await _summary(request, form, versions, after=programme, moment=moment)
    return await _save(request, form, versions, programme, begins=moment, this_moment=this_moment)


async def _save(
    request: web.Request,
    form: Form,
    versions: list[ProgrammeVersion],
    programme: Programme,
    *,
    begins: datetime,
    this_moment: datetime,
) -> web.Response:
    try:
        await change_programme(
            programme, effective_from=begins, seen_version=seen_version(form), actor=actor_of(request), now=this_moment
        )
    except Refused as refused:
        # What was typed stays; from here on it is compared with what the other person saved.
        newest = max(versions, key=lambda version: version.id)
        form.values |= {"seen": str((await used_ids()).version), "version": str(newest.id)}
        form.refuse(refused)
        return await _form(request, form, versions, status=422)
    except Invalid as error:
        form.refuse(error)
        return await _form(request, form, versions, status=422)
    said = _("The programme is changed") if begins == this_moment else _("The programme will change")
    return await go_to(request, f"{PATH}/history", say=said)


@requires(Permission.SHOP_MANAGE)
async def show_history(request: web.Request) -> web.Response:
    """GET /settings/programme/history: every version, the last to begin first."""
    versions, names = await programme_versions(), await place_names()
    in_force = version_at(versions, now(request))
    lines = [
        HistoryLine(
            version,
            _state(version, in_force, now(request)),
            changes(before.programme, version.programme, names) if before else None,
        )
        for version, before in zip(versions, [*versions[1:], None], strict=True)
    ]
    return page(request, "programme/history.html", lines=lines, path=PATH)


@requires(Permission.SHOP_MANAGE)
async def cancel(request: web.Request) -> web.Response:
    """POST /settings/programme/versions/{id}/cancel: a version whose time has not come is gone."""
    await cancel_programme(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, f"{PATH}/history", say=_("The version is taken back"))


def version_at(versions: list[ProgrammeVersion], moment: datetime) -> ProgrammeVersion:
    """The version in force at a moment. Raises NotFound("programme")."""
    for version in versions:
        if version.effective_from <= moment:
            return version
    raise NotFound("programme")


def future_versions(versions: list[ProgrammeVersion], moment: datetime) -> list[ProgrammeVersion]:
    """Versions to come, the next first."""
    return [version for version in reversed(versions) if version.effective_from > moment]


async def place_names() -> dict[int, str]:
    """Names of all locations by id."""
    return {place.id: place.name for place in await locations()}


def setting_options(setting: Setting) -> list[tuple[str, str]]:
    """What a setting may be chosen from; empty when it is written."""
    return [(value, _(text)) for value, text in (setting.options or {}).items()]


def seen_version(form: Form) -> int:
    """The newest version that whoever typed had seen."""
    text = form.value("seen")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _asked(request: web.Request, versions: list[ProgrammeVersion]) -> ProgrammeVersion:
    """The version to come that the address names, else the one in force."""
    wanted = request.query.get("version", "")
    for version in future_versions(versions, now(request)):
        if str(version.id) == wanted:
            return version
    return version_at(versions, now(request))


def _base(form: Form, versions: list[ProgrammeVersion]) -> ProgrammeVersion:
    """The version the form was drawn from; the newest one when it is gone."""
    drawn = [version for version in versions if str(version.id) == form.value("version")]
    return drawn[0] if drawn else max(versions, key=lambda version: version.id)


def _check(form: Form, programme: Programme) -> None:
    try:
        check_programme(programme)
    except Invalid as error:
        form.refuse(error)


def _state(version: ProgrammeVersion, in_force: ProgrammeVersion, moment: datetime) -> str:
    if version.effective_from > moment:
        return "future"
    return "current" if version.id == in_force.id else "past"


async def _summary(
    request: web.Request, form: Form, versions: list[ProgrammeVersion], *, after: Programme, moment: datetime
) -> web.Response:
    # Compared with what would be in force then, which a version to come may have changed.
    found = changes(version_at(versions, moment).programme, after, await place_names())
    trial = None
    if found and form.value("step") == "try":
        in_force = version_at(versions, now(request)).programme
        trial = await tried(after, in_force, form, zone=request[SHOP].time_zone, now=now(request))
    if not found:
        form.errors[GENERAL] = _("Nothing differs from what is set already.")
        return await _form(request, form, versions, status=422)
    return page(
        request,
        "programme/edit.html",
        block="form",
        path=PATH,
        form=form,
        summary=found,
        trial=trial,
        periods=periods(),
        begins=format_datetime(moment) if moment > now(request) else "",
        future=future_versions(versions, now(request)),
    )


async def _form(
    request: web.Request, form: Form, versions: list[ProgrammeVersion], *, status: int = 200
) -> web.Response:
    return page(
        request,
        "programme/edit.html",
        block="form" if request.method == "POST" else None,
        status=status,
        path=PATH,
        form=form,
        summary=None,
        sections=SECTIONS,
        options={setting.name: setting_options(setting) for setting in SETTINGS.values()},
        signs={unit: _(sign) if sign else currency_sign() for unit, sign in SIGNS.items()},
        rows=tier_rows(form),
        rows_at_most=TIERS_AT_MOST,
        basis=basis_of(form),
        base=_base(form, versions),
        future=future_versions(versions, now(request)),
    )


ROUTES = (
    web.get(PATH, show),
    web.post(PATH, save),
    web.get(f"{PATH}/history", show_history),
    web.post(f"{PATH}/versions/{{id}}/cancel", cancel),
)
