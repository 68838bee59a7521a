"""Rules that label customers by conditions: making them, and applying them.

What somebody gave by hand stays. Of several rules for the discount, or for the class, the first one that fits counts;
a category is given by every rule that names it. Applying looks at everybody in one statement and changes those who
differ, a thousand at a time, each thousand behind their locks in one transaction: a till waits for none of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from loyalty import db
from loyalty.customers.actions.profile import lock_customers
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.segments import filters
from loyalty.segments.models import LabelRule
from loyalty.segments.queries.base import context_for
from loyalty.segments.queries.label_rules import LabelRuleView, label_rule, label_rules
from loyalty.segments.rules.labels import RULES_AT_MOST, LabelRuleDraft, Target, checked
from loyalty.segments.rules.trees import to_body
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

AGAIN = timedelta(minutes=5)
"""So often what rules gave is looked at again."""
PER_CALL = 1_000

ADD = """
    INSERT INTO label_rule (name, target, value, conditions, position, is_active, created_by_id, created_at, due_at,
        size)
    SELECT $1, $2::text, $3, $4::jsonb, coalesce(max(position), 0) + 1, $5, $6, $7::timestamptz, $7, 0
    FROM label_rule WHERE target = $2
    ON CONFLICT (lower(name)) WHERE archived_at IS NULL DO NOTHING RETURNING id
"""
KNOWN = {
    Target.CATEGORY: "SELECT EXISTS (SELECT FROM category WHERE id = $1 AND archived_at IS NULL)",
    Target.IMPORTANCE: "SELECT EXISTS (SELECT FROM importance_class WHERE id = $1 AND archived_at IS NULL)",
}
# A target is due when one of its rules is; a rule that was switched off or archived is due until it was taken back.
DUE = "SELECT DISTINCT target FROM label_rule WHERE due_at <= $1 ORDER BY target"
APPLIED = """
    UPDATE label_rule SET applied_at = $2,
        due_at = CASE WHEN is_active AND archived_at IS NULL THEN $3::timestamptz END,
        size = coalesce((SELECT size FROM unnest($4::int[], $5::int[]) part (id, size)
            WHERE part.id = label_rule.id), 0)
    WHERE target = $1 AND (due_at IS NOT NULL OR applied_at IS NULL)
"""
COLUMNS = {
    Target.DISCOUNT: ("discount_bp", "discount_rule_id"),
    Target.IMPORTANCE: ("importance_id", "importance_rule_id"),
}
# Nobody's hand set it: it is empty, or a rule's.
BY_RULE = "(f.{rule} <> 0 OR f.{value} = 0)"
DIFFERING = """
    SELECT customer_id, wanted FROM (SELECT f.customer_id, f.{rule} AS now, f.{value} AS value, {wanted} AS wanted
        FROM customer_facts f WHERE NOT f.is_hidden AND {by_rule}) f
    WHERE f.now <> f.wanted OR f.value <> {value_wanted} ORDER BY customer_id
"""
SET_FACT = """
    UPDATE customer_facts f SET {value} = part.value, {rule} = part.rule
    FROM unnest($1::bigint[], $2::int[], $3::int[]) part (id, rule, value)
    WHERE f.customer_id = part.id AND NOT f.is_hidden AND {by_rule}
"""
# A category that several rules give stands for the first of them.
GIVE = """
    INSERT INTO customer_category (category_id, customer_id, rule_id, added_at)
    SELECT $1, id, $3, $4 FROM unnest($2::bigint[]) id
    ON CONFLICT (category_id, customer_id) DO NOTHING
"""
TAKE = "DELETE FROM customer_category WHERE customer_id = ANY($1::bigint[]) AND rule_id = $2"


@db.use_case
async def add_rule(draft: LabelRuleDraft, *, actor: Actor, now: datetime) -> int:
    """Make a rule, the last of its kind; it is applied within a minute. Returns its id.

    Raises Invalid for a field, Invalid("name", "name_taken"), Refused("too_many_rules").
    """
    draft = await _checked(draft, now)
    if len(await label_rules()) >= RULES_AT_MOST:
        raise Refused("too_many_rules", limit=RULES_AT_MOST)
    conditions = db.to_json(to_body(draft.conditions))
    rule_id: int | None = await db.fetch_value(
        ADD, draft.name, draft.target.value, draft.value, conditions, draft.is_active, actor.staff_id, now
    )
    if rule_id is None:
        raise Invalid("name", "name_taken")
    await write_journal(actor, "label_rule.added", now=now, subject_kind="label_rule", subject_id=rule_id)
    return rule_id


@db.use_case
async def change_rule(rule_id: int, draft: LabelRuleDraft, *, actor: Actor, now: datetime) -> None:
    """Change what a rule is called, asks or gives, or switch it off. What it gives is of one kind for ever.

    Raises NotFound("rule"), Invalid for a field, Refused("rule_is_of_another_kind").
    """
    row = await _locked(rule_id)
    draft = await _checked(draft, now)
    if draft.target != row.target:
        raise Refused("rule_is_of_another_kind")
    wanted = {
        "name": draft.name,
        "value": draft.value,
        "conditions": to_body(draft.conditions),
        "is_active": draft.is_active,
    }
    changed = {field: value for field, value in wanted.items() if getattr(row, field) != value}
    if not changed:
        return
    taken = "SELECT EXISTS (SELECT FROM label_rule WHERE lower(name) = lower($1) AND id <> $2 AND archived_at IS NULL)"
    if await db.fetch_value(taken, draft.name, rule_id):
        raise Invalid("name", "name_taken")
    row.update_from_dict(changed)
    row.due_at = now
    await row.save(update_fields=[*changed, "due_at"])
    await write_journal(
        actor, "label_rule.changed", now=now, subject_kind="label_rule", subject_id=rule_id, fields=sorted(changed)
    )


@db.use_case
async def archive_rule(rule_id: int, *, actor: Actor, now: datetime) -> None:
    """Put a rule away; what it gave is taken back within a minute. Twice is once. Raises NotFound("rule")."""
    row = await _locked(rule_id)
    if row.archived_at is not None:
        return
    row.archived_at, row.due_at = now, now
    await row.save(update_fields=["archived_at", "due_at"])
    await write_journal(actor, "label_rule.archived", now=now, subject_kind="label_rule", subject_id=rule_id)


@db.use_case
async def restore_rule(rule_id: int, *, actor: Actor, now: datetime) -> None:
    """Use an archived rule again. Twice is once. Raises NotFound("rule"), Refused("name_taken")."""
    row = await _locked(rule_id)
    if row.archived_at is None:
        return
    taken = "SELECT EXISTS (SELECT FROM label_rule WHERE lower(name) = lower($1) AND archived_at IS NULL)"
    if await db.fetch_value(taken, row.name):
        raise Refused("name_taken")
    row.archived_at, row.due_at = None, now
    await row.save(update_fields=["archived_at", "due_at"])
    await write_journal(actor, "label_rule.restored", now=now, subject_kind="label_rule", subject_id=rule_id)


@db.use_case
async def move_rule(rule_id: int, step: int, *, actor: Actor, now: datetime) -> None:
    """Change places with the rule before (-1) or after (+1) of its kind; at an end nothing happens.

    Raises NotFound("rule").
    """
    moved = await label_rule(rule_id)
    order = [one.id for one in await label_rules() if one.target is moved.target]
    if rule_id not in order or step not in (-1, 1):
        raise NotFound("rule")
    place = order.index(rule_id)
    if not 0 <= place + step < len(order):
        return
    order[place], order[place + step] = order[place + step], order[place]
    await db.execute(
        "UPDATE label_rule r SET position = part.position, due_at = $2"
        " FROM unnest($1::int[]) WITH ORDINALITY part (id, position) WHERE r.id = part.id",
        order,
        now,
    )
    await write_journal(actor, "label_rule.moved", now=now, subject_kind="label_rule", subject_id=rule_id, step=step)


async def apply_due(*, now: datetime) -> int:
    """Apply the rules of each kind that is due; returns how many customers changed. Twice is once."""
    return sum([await apply_rules(Target(row["target"]), now=now) for row in await db.fetch(DUE, now)])


async def apply_rules(target: Target, *, now: datetime) -> int:
    """Bring what rules of a kind have given in line with their conditions now; returns how many customers changed."""
    rules = [one for one in await label_rules() if one.target is target and one.is_active]
    changed, sizes = await (
        _apply_categories(rules, now=now) if target is Target.CATEGORY else _apply_facts(target, rules, now=now)
    )
    await db.execute(APPLIED, target.value, now, now + AGAIN, list(sizes), list(sizes.values()))
    return changed


async def _apply_facts(target: Target, rules: Sequence[LabelRuleView], *, now: datetime) -> tuple[int, dict[int, int]]:
    value, rule = COLUMNS[target]
    context = await context_for([one.conditions for one in rules], now)
    cases = [f"WHEN {filters.compile_tree(one.conditions, context)} THEN {one.id}" for one in rules]
    values = {one.id: one.value for one in rules} | {0: 0}
    worth = " ".join(f"WHEN {one.id} THEN {one.value}" for one in rules)
    sql = DIFFERING.format(
        value=value,
        rule=rule,
        wanted=f"CASE {' '.join(cases)} ELSE 0 END" if cases else "0",
        value_wanted=f"CASE f.wanted {worth} ELSE 0 END" if worth else "0",
        by_rule=BY_RULE.format(value=value, rule=rule),
    )
    differing = await db.fetch_planned(sql, *context.params)
    set_fact = SET_FACT.format(value=value, rule=rule, by_rule=BY_RULE.format(value=value, rule=rule))
    for begin in range(0, len(differing), PER_CALL):
        part = {row["customer_id"]: row["wanted"] for row in differing[begin : begin + PER_CALL]}
        async with db.transaction():
            held = await lock_customers(list(part))
            await db.execute(set_fact, held, [part[one] for one in held], [values[part[one]] for one in held])
    counts = await db.fetch(f"SELECT {rule} AS id, count(*) AS size FROM customer_facts WHERE {rule} <> 0 GROUP BY 1")
    return len(differing), {row["id"]: row["size"] for row in counts}


async def _apply_categories(rules: Sequence[LabelRuleView], *, now: datetime) -> tuple[int, dict[int, int]]:
    changed = 0
    gone = await db.fetch(
        "SELECT DISTINCT rule_id AS id FROM customer_category WHERE rule_id IS NOT NULL AND rule_id <> ALL($1::int[])",
        [one.id for one in rules],
    )
    for row in gone:
        given = await db.fetch("SELECT customer_id AS id FROM customer_category WHERE rule_id = $1", row["id"])
        changed += await _take([one["id"] for one in given], row["id"])
    for one in rules:
        context = await context_for([one.conditions], now)
        fits = filters.compile_tree(one.conditions, context)
        rule, category = context.add(one.id), context.add(one.value)
        lost = await db.fetch_planned(
            "SELECT p.customer_id AS id FROM customer_category p JOIN customer_facts f USING (customer_id)"
            f" WHERE p.rule_id = {rule}::int AND (f.is_hidden OR p.category_id <> {category}::int OR NOT ({fits}))"
            " ORDER BY 1",
            *context.params,
        )
        changed += await _take([row["id"] for row in lost], one.id)
        new = await db.fetch_planned(
            f"SELECT f.customer_id AS id FROM customer_facts f WHERE NOT f.is_hidden AND ({fits}) AND {rule}::int > 0"
            " AND NOT EXISTS (SELECT FROM customer_category p WHERE p.customer_id = f.customer_id"
            f" AND p.category_id = {category}::int) ORDER BY 1",
            *context.params,
        )
        ids = [row["id"] for row in new]
        for begin in range(0, len(ids), PER_CALL):
            async with db.transaction():
                held = await lock_customers(ids[begin : begin + PER_CALL])
                await db.execute(GIVE, one.value, held, one.id, now)
        changed += len(ids)
    counts = await db.fetch(
        "SELECT rule_id AS id, count(*) AS size FROM customer_category WHERE rule_id IS NOT NULL GROUP BY 1"
    )
    return changed, {row["id"]: row["size"] for row in counts}


async def _take(ids: Sequence[int], rule_id: int) -> int:
    for begin in range(0, len(ids), PER_CALL):
        async with db.transaction():
            held = await lock_customers(list(ids[begin : begin + PER_CALL]))
            await db.execute(TAKE, held, rule_id)
    return len(ids)


async def _checked(draft: LabelRuleDraft, now: datetime) -> LabelRuleDraft:
    """The draft, when it can be applied. A rule may not ask for what rules of its own kind give: it would swing."""
    draft = checked(draft)
    filters.checked(draft.conditions)
    if draft.target in KNOWN and not await db.fetch_value(KNOWN[draft.target], draft.value):
        raise Invalid("value", "unknown_choice")
    segments = (await context_for([draft.conditions], now)).segments.values()
    asked = {condition.field for tree in (draft.conditions, *segments) for condition in tree.conditions}
    if draft.target.value in asked:
        raise Invalid("filter", "rule_asks_for_itself")
    return draft


async def _locked(rule_id: int) -> LabelRule:
    row = await LabelRule.filter(id=rule_id).select_for_update(no_key=True).first()
    if row is None:
        raise NotFound("rule")
    return row
