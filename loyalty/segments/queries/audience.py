"""An audience of what is sent to many: who is meant, and which of them a segment keeps out of all of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.segments.queries.base import Look, base_statement
from loyalty.segments.rules.trees import Condition, Group

# By archived_at: segments are a few dozen.
EXCLUSIONS = "SELECT id FROM segment WHERE is_exclusion AND archived_at IS NULL ORDER BY id"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is meant: everybody whom a look finds, or those of them who were named one by one."""

    look: Look = field(default_factory=Look)
    ids: tuple[int, ...] | None = None


async def audience_statement(audience: Audience, *, now: datetime) -> tuple[str, list[Any]]:
    """SQL of one row a person who is meant, `id` and `is_marked`, with its parameters.

    is_marked: a segment keeps them out of whatever is sent to many.
    """
    excluded = ".".join(str(row["id"]) for row in await db.fetch(EXCLUSIONS))
    marked = Group(parts=(Condition("segment", "any", excluded),)) if excluded else None
    sql, params = await base_statement(audience.look, marked=marked, now=now)
    if marked is None:
        sql = sql.replace(" AS id", " AS id, false AS is_marked", 1)
    if audience.ids is not None:
        params.append(list(audience.ids))
        sql += f" AND f.customer_id = ANY(${len(params)}::bigint[])"
    return sql, params
