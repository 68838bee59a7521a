"""Acts on many customers as they stand, and what became of each customer of one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from loyalty.customers.queries import reach
from loyalty.db import Row, fetch, fetch_row, from_json
from loyalty.errors import NotFound
from loyalty.office.mass import OVER, MassKind, MassState, RowState

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class MassView:
    """An act. target: what is given, put or taken, and its name; amount: hundredths for each.

    look: the search and filter they were found by; None for those who were ticked. undo_of, undo_id: the act that this
    one takes back, and the one that takes this back.
    """

    id: int
    kind: MassKind
    target: int
    target_name: str
    amount: int
    comment: str
    look: Mapping[str, str] | None
    state: MassState
    total: int
    done: int
    skipped: int
    failed: int
    staff_name: str | None
    created_at: datetime
    resumed_at: datetime
    resumed_from: int
    finished_at: datetime | None
    undo_of: int | None
    undo_id: int | None

    @property
    def worked(self) -> int:
        """How many it has been through."""
        return self.done + self.skipped + self.failed

    @property
    def can_undo(self) -> bool:
        """Whether something of it can be taken back."""
        return self.state in OVER and self.undo_of is None and self.done > 0

    def pace(self, now: datetime) -> float:
        """Customers a second since it began or went on; 0 while nobody knows."""
        seconds = (now - self.resumed_at).total_seconds()
        return (self.worked - self.resumed_from) / seconds if seconds > 0 else 0.0

    def seconds_left(self, now: datetime) -> int | None:
        """How long it goes on at this pace; None while nobody knows."""
        pace = self.pace(now)
        return round((self.total - self.worked) / pace) if pace and self.state is MassState.RUNNING else None


@dataclass(frozen=True, slots=True)
class MassRow:
    """One customer of an act. reason: why they were left out, as a code."""

    customer_id: int
    name: str
    state: RowState
    reason: str | None
    at: datetime | None


ACTIONS = """
SELECT a.id, a.kind, a.params, a.look, a.state, a.total, a.done, a.skipped, a.failed, p.name AS staff_name,
    a.created_at, a.resumed_at, a.resumed_from, a.finished_at, a.undo_of_id AS undo_of, u.id AS undo_id,
    coalesce(CASE WHEN a.kind IN ('category_give', 'category_take')
            THEN (SELECT name FROM category WHERE id = (a.params->>'target')::int)
        WHEN a.kind IN ('segment_add', 'segment_remove')
            THEN (SELECT name FROM segment WHERE id = (a.params->>'target')::int)
        WHEN a.kind = 'importance'
            THEN (SELECT name FROM importance_class WHERE id = (a.params->>'target')::int) END, '') AS target_name
FROM mass_action a LEFT JOIN staff_member p ON p.id = a.staff_id LEFT JOIN mass_action u ON u.undo_of_id = a.id
"""
# Both by the primary key of mass_action.
ONE = f"{ACTIONS} WHERE a.id = $1"
PAGE = f"""
{ACTIONS} WHERE ($1::int IS NULL OR a.id < $1) AND ($3::int IS NULL OR a.staff_id = $3) ORDER BY a.id DESC LIMIT $2
"""
# By the primary key; those left out, who are few, by mass_action_row_left_out. Who waits lies behind the act's place.
ROWS = f"""
SELECT r.customer_id, c.name, r.state, r.reason, r.at FROM mass_action_row r JOIN customer c ON c.id = r.customer_id
WHERE r.action_id = $1 AND r.customer_id > $2 {{which}} AND {reach.within("r.customer_id", "$4")}
ORDER BY r.customer_id LIMIT $3
"""
WAITING = "AND r.customer_id > (SELECT place FROM mass_action WHERE id = $1)"
REASONS = """
SELECT state, reason, count(*) AS customers FROM mass_action_row
WHERE action_id = $1 AND state IN ('skipped', 'failed') GROUP BY 1, 2 ORDER BY 3 DESC, 2
"""


async def mass_action(action_id: int) -> MassView:
    """One act. Raises NotFound("mass_action")."""
    row = await fetch_row(ONE, action_id)
    if row is None:
        raise NotFound("mass_action")
    return _view(row)


async def mass_actions(
    *, staff_id: int | None = None, before_id: int | None = None
) -> tuple[list[MassView], int | None]:
    """Acts, the newest first, PAGE_ROWS at most, and where the next page begins; of one person of the panel, or all."""
    rows = await fetch(PAGE, before_id, PAGE_ROWS + 1, staff_id)
    found = [_view(row) for row in rows[:PAGE_ROWS]]
    return found, found[-1].id if len(rows) > PAGE_ROWS else None


async def mass_rows(
    action_id: int, *, state: RowState | None = None, within: Collection[int] | None = None, after_id: int = 0
) -> tuple[list[MassRow], int | None]:
    """Customers of an act by their ids, PAGE_ROWS at most, and where the next page begins.

    within: only those whom these locations reach, None for all.
    """
    which = f"AND r.state = '{state.value}'" if state else ""
    if state is RowState.WAITING:
        which += f" {WAITING}"
    places = None if within is None else list(within)
    rows = await fetch(ROWS.format(which=which), action_id, after_id, PAGE_ROWS + 1, places)
    found = [MassRow(**{**row, "state": RowState(row["state"])}) for row in rows[:PAGE_ROWS]]
    return found, found[-1].customer_id if len(rows) > PAGE_ROWS else None


async def left_out(action_id: int) -> list[tuple[str, int]]:
    """(reason, customers) of those who were left as they are, the most first. Index: mass_action_row_left_out."""
    return [(row["reason"] or "", row["customers"]) for row in await fetch(REASONS, action_id)]


def _view(row: Row) -> MassView:
    params = {"target": 0, "amount": 0, "comment": ""} | from_json(row.pop("params"))
    known = {"kind": MassKind(row["kind"]), "state": MassState(row["state"]), "look": from_json(row["look"])}
    return MassView(**(row | params | known))
