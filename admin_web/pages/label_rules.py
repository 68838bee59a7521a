"""Rules that give customers a category, a personal discount or a class of importance by conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.filter_words import names_for, sentence, wrong
from admin_web.formats import percent
from admin_web.forms import Form, form_of, id_in, read_form
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import now
from admin_web.navigation import NavItem
from admin_web.render import go_to, page
from loyalty.customers.queries.categories import categories, importance_classes
from loyalty.errors import Invalid, LoyaltyError, NotFound
from loyalty.money import parse_share
from loyalty.segments.actions.label_rules import add_rule, archive_rule, change_rule, move_rule, restore_rule
from loyalty.segments.queries.label_rules import LabelRuleView, label_rule, label_rules, rules_on_card
from loyalty.segments.rules.labels import LabelRuleDraft, Target
from loyalty.segments.rules.trees import Group, tree_from, tree_text
from loyalty.staff.rules import Permission

PATH = "/label-rules"
NAV = NavItem("label_rules", PATH, "wand-sparkles", mark("Label rules"), "customers", Permission.CUSTOMERS_READ)

TARGETS = {
    Target.CATEGORY: mark("Category"),
    Target.DISCOUNT: mark("Personal discount"),
    Target.IMPORTANCE: mark("Importance"),
}
STEPS = {"up": -1, "down": 1}


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule as it is shown: what it gives and to whom, in words; the base filtered by its conditions."""

    rule: LabelRuleView
    gives: str
    asks: str
    base_url: str


@requires(Permission.CUSTOMERS_READ)
async def show_list(request: web.Request) -> web.Response:
    """GET /label-rules."""
    lines = await _lines(await label_rules())
    groups = [(_(name), [line for line in lines if line.rule.target is target]) for target, name in TARGETS.items()]
    return page(request, "label_rules/list.html", groups=[(name, found) for name, found in groups if found])


@requires(Permission.SEGMENTS_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /label-rules/new?f=: a rule for whom the client base shows."""
    return await _edit(request, form_of({"f": request.query.get("f", ""), "is_active": "1"}), None)


@requires(Permission.SEGMENTS_MANAGE)
async def add(request: web.Request) -> web.Response:
    """POST /label-rules/new."""
    form = await read_form(request)
    draft = _draft(form, None)
    if draft is not None:
        try:
            await add_rule(draft, actor=actor_of(request), now=now(request))
        except LoyaltyError as error:
            _refuse(form, error)
        else:
            return await go_to(request, PATH, say=_("The rule is made. It is applied within a minute."))
    return await _edit(request, form, None, status=422)


@requires(Permission.SEGMENTS_MANAGE)
async def show_edit(request: web.Request) -> web.Response:
    """GET /label-rules/{id}."""
    rule = await label_rule(id_in(request))
    values = {"name": rule.name, "f": tree_text(rule.conditions), "is_active": "1" if rule.is_active else ""}
    value = f"{rule.value / 100:g}" if rule.target is Target.DISCOUNT else rule.value
    return await _edit(request, form_of(values | {rule.target.value: value}), rule)


@requires(Permission.SEGMENTS_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /label-rules/{id}."""
    form, rule = await read_form(request), await label_rule(id_in(request))
    draft = _draft(form, rule)
    if draft is not None:
        try:
            await change_rule(rule.id, draft, actor=actor_of(request), now=now(request))
        except NotFound:
            raise
        except LoyaltyError as error:
            _refuse(form, error)
        else:
            return await go_to(request, PATH, say=_("Saved. The rule is applied within a minute."))
    return await _edit(request, form, rule, status=422)


@requires(Permission.SEGMENTS_MANAGE)
async def move(request: web.Request) -> web.Response:
    """POST /label-rules/{id}/up|down: of rules for the discount and the class the first that fits counts."""
    await move_rule(id_in(request), STEPS[request.match_info["way"]], actor=actor_of(request), now=now(request))
    return await go_to(request, PATH)


@requires(Permission.SEGMENTS_MANAGE)
async def archive(request: web.Request) -> web.Response:
    """POST /label-rules/{id}/archive: what it gave is taken back; with an Undo."""
    rule_id = id_in(request)
    await archive_rule(rule_id, actor=actor_of(request), now=now(request))
    said = _("The rule is archived. What it gave is taken back within a minute.")
    return await go_to(request, PATH, say=said, undo_url=f"{PATH}/{rule_id}/restore")


@requires(Permission.SEGMENTS_MANAGE)
async def restore(request: web.Request) -> web.Response:
    """POST /label-rules/{id}/restore: what an Undo asks for."""
    await restore_rule(id_in(request), actor=actor_of(request), now=now(request))
    return await go_to(request, PATH)


async def rules_of(customer_id: int) -> list[RuleLine]:
    """The rules by which a customer has a category, a discount or a class, as the card shows them."""
    return await _lines(await rules_on_card(customer_id))


async def _lines(rules: list[LabelRuleView]) -> list[RuleLine]:
    """Each rule in words."""
    trees = [rule.conditions for rule in rules]
    names, values = await names_for(trees), await _values()
    return [
        RuleLine(
            rule,
            percent(rule.value) if rule.target is Target.DISCOUNT else values[rule.target].get(rule.value, "—"),
            sentence(rule.conditions, names),
            f"/customers?{urlencode({'f': tree_text(rule.conditions)})}",
        )
        for rule in rules
    ]


async def _values() -> Mapping[Target, dict[int, str]]:
    """What rules may give, by name."""
    return {
        Target.CATEGORY: {one.id: one.name for one in await categories(sized=False) if one.archived_at is None},
        Target.IMPORTANCE: {
            one.id: one.name for one in await importance_classes(sized=False) if one.archived_at is None
        },
    }


def _share(form: Form) -> int:
    """The discount in basis points; 0 with the form saying what is wrong: a rule gives something."""
    try:
        value = parse_share(form.text("discount"), field="discount")
    except Invalid as error:
        form.refuse(error)
        return 0
    if not value:
        form.refuse(Invalid("discount", "not_a_share"))
    return value


def _draft(form: Form, rule: LabelRuleView | None) -> LabelRuleDraft | None:
    """The rule in the form, or None with the form saying what is wrong."""
    target = rule.target if rule else Target(form.choice("target", [one.value for one in Target]))
    value = _share(form) if target is Target.DISCOUNT else form.number(target.value) or 0
    try:
        tree = tree_from(form.value("f"))
    except Invalid as error:
        _refuse(form, error)
        return None
    if not form.ok:
        return None
    return LabelRuleDraft(form.value("name"), target, value, tree, form.checked("is_active"))


def _refuse(form: Form, error: LoyaltyError) -> None:
    """Each error beside what it is about: the value has three fields, the filter none of its own."""
    if isinstance(error, Invalid) and error.field == "filter":
        form.errors.setdefault(
            "", _("Choose conditions in the client base first.") if error.reason == "required" else wrong(error)
        )
    elif isinstance(error, Invalid) and error.field == "value":
        form.refuse(Invalid(form.value("target") or "discount", error.reason, **error.details))
    else:
        form.refuse(error)


async def _edit(request: web.Request, form: Form, rule: LabelRuleView | None, *, status: int = 200) -> web.Response:
    values = await _values()
    try:
        tree = tree_from(form.value("f"))
        asks = sentence(tree, await names_for([tree])) if tree.parts else ""
    except Invalid:
        tree, asks = Group(), ""
    return page(
        request,
        "label_rules/edit.html",
        block="form",
        status=status,
        form=form,
        rule=rule,
        asks=asks,
        base_url=f"/customers?{urlencode({'f': tree_text(tree)})}" if tree.parts else "/customers",
        targets=[(target.value, _(name)) for target, name in TARGETS.items()],
        chosen=rule.target.value if rule else form.value("target") or Target.CATEGORY.value,
        categories=list(values[Target.CATEGORY].items()),
        classes=list(values[Target.IMPORTANCE].items()),
        url=request.path,
    )


ROUTES = (
    web.get(PATH, show_list),
    web.get(f"{PATH}/new", show_new),
    web.post(f"{PATH}/new", add),
    web.get(PATH + r"/{id:\d{1,9}}", show_edit),
    web.post(PATH + r"/{id:\d{1,9}}", save),
    web.post(PATH + r"/{id:\d{1,9}}/{way:up|down}", move),
    web.post(PATH + r"/{id:\d{1,9}}/archive", archive),
    web.post(PATH + r"/{id:\d{1,9}}/restore", restore),
)
