"""Templates of the shop, whatever WhatsApp says of them."""

from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.conversations.queries.sending import FOR_KIND
from loyalty.conversations.templating import TemplateStatus, Variable
from loyalty.errors import NotFound


@dataclass(frozen=True, slots=True)
class TemplateLine:
    """A template. reason: why WhatsApp rejected or paused it. kind: the type of message that it stands in for."""

    id: int
    name: str
    language: str
    category: str
    body: str
    variables: tuple[Variable, ...]
    status: TemplateStatus
    reason: str | None
    kind: str | None
    updated_at: datetime


ALL = "SELECT id, name, language, category, body, variables, status, reason, kind, updated_at FROM message_template"


async def all_templates() -> list[TemplateLine]:
    """Every template, by name."""
    return [_line(row) for row in await db.fetch(f"{ALL} ORDER BY name, language")]


async def template_line(template_id: int) -> TemplateLine:
    """One of them. Raises NotFound("message_template")."""
    row = await db.fetch_row(f"{ALL} WHERE id = $1", template_id)
    if row is None:
        raise NotFound("message_template")
    return _line(row)


async def standing_in(kind: str, language: str) -> TemplateLine | None:
    """The template that is sent instead of this type of message once it is too late for free words."""
    chosen = f"SELECT found.id FROM ({FOR_KIND.replace('SELECT name,', 'SELECT id, name,')}) found"
    row = await db.fetch_row(f"{ALL} WHERE id = ({chosen})", kind, language)
    return _line(row) if row else None


def _line(row: db.Row) -> TemplateLine:
    variables = tuple(Variable(one["name"], one.get("fallback", "")) for one in db.from_json(row["variables"]))
    return TemplateLine(**{**row, "variables": variables, "status": TemplateStatus(row["status"])})
