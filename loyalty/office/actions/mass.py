"""Acts on many customers: beginning one, stopping it, going on, taking back what it changed."""

from collections.abc import Sequence
from datetime import datetime

from loyalty import db
from loyalty.bonuses.actions.manual import check_amount, check_comment
from loyalty.customers.actions.discounts import check_share
from loyalty.customers.labels import NO_IMPORTANCE
from loyalty.customers.queries.categories import category, importance_classes
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.office.actions.mass_work import hold_action, work
from loyalty.office.mass import AT_MOST, OVER, TICKED_AT_MOST, MassKind, MassState, Order
from loyalty.segments.actions.segments import check_usable
from loyalty.segments.queries.base import Look, base_statement
from loyalty.shop.queries import programme_at
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

BEGIN = """
INSERT INTO mass_action (key, kind, params, look, state, total, done, skipped, failed, place, staff_id, created_at,
    resumed_at, resumed_from, undo_of_id)
VALUES ($1, $2, $3::jsonb, $4::jsonb, 'running', 0, 0, 0, 0, 0, $5, $6::timestamptz, $6, 0, $7)
ON CONFLICT (key) DO NOTHING RETURNING id
"""
FROZEN = """
WITH frozen AS (
    INSERT INTO mass_action_row (action_id, customer_id) SELECT {action}::int, found.id FROM ({found}) found
    LIMIT {limit} RETURNING 1
), counted AS (SELECT count(*)::int AS total FROM frozen)
UPDATE mass_action SET total = counted.total FROM counted WHERE mass_action.id = {action} RETURNING counted.total
"""
TICKED = "SELECT customer_id AS id FROM customer_facts WHERE customer_id = ANY($1::bigint[]) AND NOT is_hidden"
CHANGED = "SELECT customer_id AS id FROM mass_action_row WHERE action_id = $1 AND state = 'done'"
MOVE = """
UPDATE mass_action SET state = $2::varchar,
    resumed_at = CASE WHEN $2::varchar = 'running' THEN $3::timestamptz ELSE resumed_at END,
    resumed_from = CASE WHEN $2::varchar = 'running' THEN done + skipped + failed ELSE resumed_from END,
    finished_at = CASE WHEN $2::varchar = 'cancelled' THEN $3::timestamptz ELSE finished_at END
WHERE id = $1
"""


@db.use_case
async def begin(
    order: Order,
    whom: Look | Sequence[int],
    *,
    key: str,
    look: dict[str, str] | None = None,
    actor: Actor,
    now: datetime,
) -> int:
    """Begin an act on everybody found now, or on those who are named; returns its id. The same key begins it once.

    Who it concerns is settled here: whoever is found later is not of it. Hidden customers never are.
    look: how the address of the base said it. Raises NotFound for what is to be given, Refused("nobody_is_found" |
    "too_many_customers"), Refused when it cannot be given, Invalid("amount" | "comment" | "discount").
    """
    order, key = await _checked(order, now), f"form:{key}"
    body, said = db.to_json(order.to_body()), db.to_json(look) if look is not None else None
    action_id = await db.fetch_value(BEGIN, key, order.kind.value, body, said, actor.staff_id, now, None)
    if action_id is None:
        return int(await db.fetch_value("SELECT id FROM mass_action WHERE key = $1", key))
    if isinstance(whom, Look):
        found, params = await base_statement(whom, now=now)
    else:
        if len(whom) > TICKED_AT_MOST:
            raise Refused("too_many_customers", limit=TICKED_AT_MOST)
        found, params = TICKED, [list(whom)]
    total = await _freeze(action_id, found, params)
    await _note("mass_action.started", action_id, actor=actor, now=now, kind=order.kind.value, customers=total)
    return int(action_id)


@db.use_case
async def pause(action_id: int, *, actor: Actor, now: datetime) -> None:
    """Let an act stand still; what it is doing this moment is done first. Twice is once.

    Raises NotFound("mass_action"), Refused("mass_action_is_over").
    """
    if await _moved(action_id, {MassState.RUNNING}, MassState.PAUSED, now):
        await _note("mass_action.paused", action_id, actor=actor, now=now)


@db.use_case
async def resume(action_id: int, *, actor: Actor, now: datetime) -> None:
    """Let an act go on where it stood. Twice is once. Raises like `pause`."""
    if await _moved(action_id, {MassState.PAUSED}, MassState.RUNNING, now):
        await _note("mass_action.resumed", action_id, actor=actor, now=now)


@db.use_case
async def cancel(action_id: int, *, actor: Actor, now: datetime) -> None:
    """End an act before it is through; what it has changed stays, and can be undone. Twice is once.

    Raises like `pause`, and Refused("undo_goes_on"): what is half taken back is neither.
    """
    if await db.fetch_value("SELECT undo_of_id FROM mass_action WHERE id = $1", action_id) is not None:
        raise Refused("undo_goes_on")
    if await _moved(action_id, {MassState.RUNNING, MassState.PAUSED}, MassState.CANCELLED, now):
        await _note("mass_action.cancelled", action_id, actor=actor, now=now)


@db.use_case
async def undo(action_id: int, *, actor: Actor, now: datetime) -> int:
    """Begin to take back what an act has changed, where nothing came of it since; returns the act that does.

    Twice is once. Raises NotFound("mass_action"), Refused("mass_action_runs"), Refused("nothing_to_undo") when it
    changed nobody, or is itself an undo.
    """
    state = await _held(action_id)
    row = await db.fetch_row("SELECT kind, params, look, done, undo_of_id FROM mass_action WHERE id = $1", action_id)
    assert row is not None, "it is held"
    if state in {MassState.UNDOING, MassState.UNDONE}:
        return int(await db.fetch_value("SELECT id FROM mass_action WHERE undo_of_id = $1", action_id))
    if state not in OVER:
        raise Refused("mass_action_runs")
    if row["undo_of_id"] is not None or not row["done"]:
        raise Refused("nothing_to_undo")
    key = f"undo:{action_id}"
    undo_id: int = await db.fetch_value(
        BEGIN, key, row["kind"], row["params"], row["look"], actor.staff_id, now, action_id
    )
    total = await _freeze(undo_id, CHANGED, [action_id])
    await db.execute("UPDATE mass_action SET state = 'undoing' WHERE id = $1", action_id)
    await _note(
        "mass_action.started", undo_id, actor=actor, now=now, kind=row["kind"], customers=total, undo_of=action_id
    )
    return undo_id


async def finish(action_id: int, *, now: datetime) -> None:
    """Do all of a small act now, beside the worker that may have taken it."""
    while await work(action_id, patiently=True, now=now):
        pass


async def _checked(order: Order, now: datetime) -> Order:
    """The order as it is kept. Raises as `begin` says."""
    match order.kind:
        case MassKind.CATEGORY_GIVE | MassKind.CATEGORY_TAKE:
            if (await category(order.target)).archived_at is not None:
                raise Refused("category_is_archived")
        case MassKind.SEGMENT_ADD | MassKind.SEGMENT_REMOVE:
            await check_usable(order.target)
        case MassKind.IMPORTANCE if order.target != NO_IMPORTANCE:
            classes = await importance_classes(sized=False)
            if all(one.id != order.target or one.archived_at is not None for one in classes):
                raise NotFound("importance")
        case MassKind.DISCOUNT:
            check_share(order.target)
        case MassKind.BONUSES:
            programme = await programme_at(now)
            check_amount(order.amount, programme)
            if 0 < programme.manual_credit_alone < order.amount:
                raise Invalid("amount", "needs_second_person", limit=programme.manual_credit_alone)
            return Order(order.kind, amount=order.amount, comment=check_comment(order.comment))
    return order


async def _freeze(action_id: int, found: str, params: list[object]) -> int:
    """Keep who is concerned; returns how many."""
    sql = FROZEN.format(action=int(action_id), found=found, limit=AT_MOST + 1)
    total: int = (await db.fetch_planned(sql, *params))[0]["total"]
    if not total:
        raise Refused("nobody_is_found")
    if total > AT_MOST:
        raise Refused("too_many_customers", limit=AT_MOST)
    return total


async def _held(action_id: int) -> MassState:
    """The state of an act that nobody works on until the transaction ends."""
    await hold_action(action_id)
    state = await db.fetch_value("SELECT state FROM mass_action WHERE id = $1", action_id)
    if state is None:
        raise NotFound("mass_action")
    return MassState(state)


async def _moved(action_id: int, from_: set[MassState], to: MassState, now: datetime) -> bool:
    """Bring an act into another state; False when it is in it already."""
    state = await _held(action_id)
    if state is to:
        return False
    if state not in from_:
        raise Refused("mass_action_is_over")
    await db.execute(MOVE, action_id, to.value, now)
    return True


async def _note(action: str, action_id: int, *, actor: Actor, now: datetime, **details: object) -> None:
    await write_journal(actor, action, subject_kind="mass_action", subject_id=action_id, now=now, **details)
