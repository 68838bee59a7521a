"""Earning rules of the programme: their list in the owner's order, and the form of one, drawn from what it asks for."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.earning_form import read_rule, rule_values
from admin_web.earning_words import EFFECTS, KINDS, rule_sentence, weekday_names
from admin_web.forms import GENERAL, Form, id_in, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP, now
from admin_web.pages.programme import PATH as PROGRAMME_PATH
from admin_web.pages.programme import future_versions, place_names, seen_version, version_at
from admin_web.past import Trial, periods, tried
from admin_web.programme_form import effective_moment
from admin_web.render import go_to, page
from loyalty.bonuses.actions.programme import change_programme
from loyalty.bonuses.earning import RULES, check_rules
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.shop.queries import programme_versions, used_ids
from loyalty.shop.rules import RULES_AT_MOST, Effect, Programme, RuleSettings, Stacking
from loyalty.staff.rules import Permission

PATH = f"{PROGRAMME_PATH}/rules"
NEW = -1


@requires(Permission.SHOP_MANAGE)
async def show_list(request: web.Request) -> web.Response:
    """GET /settings/programme/rules: the rules in force, in the owner's order."""
    versions = await programme_versions()
    programme, places = version_at(versions, now(request)).programme, await place_names()
    return page(
        request,
        "programme/rules.html",
        path=PROGRAMME_PATH,
        rules=[(rule, rule_sentence(rule, places), KINDS.get(rule.kind)) for rule in programme.rules],
        kinds={kind: words for kind, words in KINDS.items() if kind in RULES},
        is_full=len(programme.rules) >= RULES_AT_MOST,
        adds_up=programme.stacking is Stacking.SUM,
        seen=(await used_ids()).version,
        future=future_versions(versions, now(request)),
    )


@requires(Permission.SHOP_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /settings/programme/rules/new?kind=: the empty form of a kind, which is chosen in the list."""
    kind = request.query.get("kind", "")
    if kind not in RULES:
        return await go_to(request, PATH)
    seen = (await used_ids()).version
    values = {"kind": kind, "name": _(KINDS[kind].name), "effect": Effect.MULTIPLY.value, "is_on": "1"}
    return await _form(request, Form(values | {"seen": str(seen), "when": "now"}), kind)


@requires(Permission.SHOP_MANAGE)
async def show_one(request: web.Request) -> web.Response:
    """GET /settings/programme/rules/{id}: the form of a rule in force."""
    rule = _rule(await _in_force(request), id_in(request))
    if rule.kind not in RULES:
        raise web.HTTPNotFound
    values = rule_values(rule) | {"seen": str((await used_ids()).version), "when": "now"}
    return await _form(request, Form(values), rule.kind)


@requires(Permission.SHOP_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/programme/rules/new and /settings/programme/rules/{id}: a version with this rule."""
    form, this_moment = await read_form(request), now(request)
    moment = effective_moment(form, request[SHOP].time_zone, this_moment)
    # The version of that moment, which may be one to come: its other rules and settings stay.
    programme = version_at(await programme_versions(), moment).programme
    rule_id = id_in(request) if "id" in request.match_info else NEW
    kind = _rule(programme, rule_id).kind if rule_id != NEW else form.value("kind")
    if kind not in RULES:
        raise web.HTTPNotFound
    rule = read_rule(form, rule_id, kind)
    if not form.ok:
        return await _form(request, form, kind, status=422)
    rules = [rule if one.id == rule_id else one for one in programme.rules] + ([rule] if rule_id == NEW else [])
    changed = replace(programme, rules=tuple(rules))
    if form.value("step") == "try":
        return await _try(request, form, programme, changed, rule)
    try:
        await change_programme(
            changed,
            effective_from=moment,
            seen_version=seen_version(form),
            actor=actor_of(request),
            now=this_moment,
        )
    except Refused as refused:
        # What was typed stays; saving again puts it over what the other person saved.
        form.values["seen"] = str((await used_ids()).version)
        form.refuse(refused)
        return await _form(request, form, kind, status=422)
    except Invalid as error:
        _refuse(form, error, programme, rule_id)
        return await _form(request, form, kind, status=422)
    said = _("The rule is saved") if moment == this_moment else _("The rule will be in force from then on")
    return await go_to(request, PATH, say=said)


async def _try(
    request: web.Request, form: Form, programme: Programme, changed: Programme, rule: RuleSettings
) -> web.Response:
    """The form again with what the rule would have given; nothing is saved."""
    try:
        check_rules(changed)
    except Invalid as error:
        _refuse(form, error, programme, rule.id)
        return await _form(request, form, rule.kind, status=422)
    trial = await tried(changed, programme, form, zone=request[SHOP].time_zone, now=now(request))
    return await _form(request, form, rule.kind, trial=trial)


@requires(Permission.SHOP_MANAGE)
async def act(request: web.Request) -> web.Response:
    """POST /settings/programme/rules/{id}/{act}: on, off, up, down or remove, at once."""
    form, programme, rule_id = await read_form(request), await _in_force(request), id_in(request)
    rule = _rule(programme, rule_id)
    name = request.match_info["act"]
    if name not in ACTS:
        raise web.HTTPNotFound
    change, said = ACTS[name]
    rules = change(list(programme.rules), programme.rules.index(rule))
    if tuple(rules) != programme.rules:
        moment = now(request)
        await change_programme(
            replace(programme, rules=tuple(rules)),
            effective_from=moment,
            seen_version=seen_version(form),
            actor=actor_of(request),
            now=moment,
        )
    return await go_to(request, PATH, say=_(said) if said else None)


def _switched(rules: list[RuleSettings], at: int, *, is_on: bool) -> list[RuleSettings]:
    return [*rules[:at], replace(rules[at], is_on=is_on), *rules[at + 1 :]]


def _moved(rules: list[RuleSettings], at: int, step: int) -> list[RuleSettings]:
    to = max(0, min(len(rules) - 1, at + step))
    rest = rules[:at] + rules[at + 1 :]
    return [*rest[:to], rules[at], *rest[to:]]


def _without(rules: list[RuleSettings], at: int) -> list[RuleSettings]:
    return rules[:at] + rules[at + 1 :]


ACTS: dict[str, tuple[Callable[[list[RuleSettings], int], list[RuleSettings]], str]] = {
    "on": (partial(_switched, is_on=True), mark("The rule is on")),
    "off": (partial(_switched, is_on=False), mark("The rule is off")),
    "up": (partial(_moved, step=-1), ""),
    "down": (partial(_moved, step=1), ""),
    "remove": (_without, mark("The rule is removed")),
}
"""What a button does to the rules and the place of one among them, and what is said then."""


async def _in_force(request: web.Request) -> Programme:
    return version_at(await programme_versions(), now(request)).programme


def _rule(programme: Programme, rule_id: int) -> RuleSettings:
    for rule in programme.rules:
        if rule.id == rule_id:
            return rule
    raise NotFound("rule")


def _refuse(form: Form, error: Invalid, programme: Programme, rule_id: int) -> None:
    """Note an error beside its field; one of another rule or of the programme concerns the whole form."""
    about = error.details.get("rule")
    # A new rule was checked under the id it would have got, which no rule in force has.
    is_ours = about == rule_id or (rule_id == NEW and about not in {rule.id for rule in programme.rules})
    form.refuse(error)
    if (about is not None and not is_ours) or (about is None and error.field != "effective_from"):
        form.errors[GENERAL] = form.errors.pop(error.field)


async def _form(
    request: web.Request, form: Form, kind: str, *, trial: Trial | None = None, status: int = 200
) -> web.Response:
    versions = await programme_versions()
    words = KINDS[kind]
    return page(
        request,
        "programme/rule.html",
        block="form" if request.method == "POST" else None,
        status=status,
        path=PROGRAMME_PATH,
        url=request.path,
        form=form,
        is_new="id" not in request.match_info,
        title=_(words.name),
        hint=_(words.hint),
        kind=kind,
        fields=[(field, *map(_, words.fields[field.name])) for field in RULES[kind].fields],
        effects=[(effect.value, _(text)) for effect, text in EFFECTS.items()],
        weekdays=weekday_names(),
        places=await place_names(),
        future=future_versions(versions, now(request)),
        trial=trial,
        periods=periods(),
    )


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(f"{PATH}/new", save),
    web.get(f"{PATH}/{{id}}", show_one),
    web.post(f"{PATH}/{{id}}", save),
    web.post(f"{PATH}/{{id}}/{{act}}", act),
)
