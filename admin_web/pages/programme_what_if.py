"""What another programme would have cost: percents and rules turned here and there, tried on past receipts."""

from dataclasses import replace

from aiohttp import web

from admin_web.auth import requires
from admin_web.earning_words import rule_sentence
from admin_web.forms import Form, read_form
from admin_web.keys import SHOP, now
from admin_web.pages.programme import PATH as PROGRAMME_PATH
from admin_web.pages.programme import place_names, setting_options, version_at
from admin_web.past import USUAL, Trial, periods, tried
from admin_web.programme_form import decimal_text, programme_values, read_decimal, read_settings
from admin_web.programme_words import SETTINGS, changes
from admin_web.render import page
from loyalty.errors import Invalid
from loyalty.shop.queries import programme_versions
from loyalty.shop.rules import Programme, check_programme
from loyalty.staff.rules import Permission

PATH = f"{PROGRAMME_PATH}/what-if"
TURNED = ("stacking", "rounding", "earn_cap_receipt", "earn_cap_day", "earn_cap_month")
"""Settings that this page offers beside levels and rules; all others can be tried where they are edited."""


@requires(Permission.SHOP_MANAGE)
async def show(request: web.Request) -> web.Response:
    """GET /settings/programme/what-if: the programme in force, to be turned."""
    programme = version_at(await programme_versions(), now(request)).programme
    settings = programme_values(programme)
    values = {name: settings[name] for name in TURNED}
    values |= {f"rate_{tier.id}": decimal_text(tier.rate_bp, 2) for tier in programme.tiers}
    values |= {f"rule_{rule.id}": "1" if rule.is_on else "" for rule in programme.rules}
    return await _page(request, Form(values | {"months": str(USUAL)}), programme, programme, None)


@requires(Permission.SHOP_MANAGE)
async def run(request: web.Request) -> web.Response:
    """POST /settings/programme/what-if: nothing is written."""
    form = await read_form(request)
    programme = version_at(await programme_versions(), now(request)).programme
    turned = _read(form, programme)
    if not form.ok:
        return await _page(request, form, programme, turned, None, status=422)
    trial = await tried(turned, programme, form, zone=request[SHOP].time_zone, now=now(request))
    return await _page(request, form, programme, turned, trial)


def _read(form: Form, programme: Programme) -> Programme:
    tiers = [replace(tier, rate_bp=read_decimal(form, f"rate_{tier.id}", 2) or 0) for tier in programme.tiers]
    rules = [replace(rule, is_on=form.checked(f"rule_{rule.id}")) for rule in programme.rules]
    turned = replace(read_settings(form, programme, TURNED), tiers=tuple(tiers), rules=tuple(rules))
    try:
        check_programme(turned)
    except Invalid as error:
        form.refuse(error)
    return turned


async def _page(
    request: web.Request,
    form: Form,
    programme: Programme,
    turned: Programme,
    trial: Trial | None,
    *,
    status: int = 200,
) -> web.Response:
    places = await place_names()
    return page(
        request,
        "programme/what_if.html",
        block="form" if request.method == "POST" else None,
        status=status,
        path=PROGRAMME_PATH,
        form=form,
        programme=programme,
        rules=[(rule, rule_sentence(rule, places)) for rule in programme.rules],
        settings=[(SETTINGS[name], setting_options(SETTINGS[name])) for name in TURNED],
        periods=periods(),
        summary=changes(programme, turned, places) if trial else [],
        trial=trial,
    )


ROUTES = (web.get(PATH, show), web.post(PATH, run))
