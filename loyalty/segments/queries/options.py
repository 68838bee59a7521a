"""What the choices of filters are: the shop's own categories, locations, people and so on, by name."""

from collections.abc import Iterable

from loyalty.db import fetch, from_json

# Each yields (value, name); small tables, read whole. Archived ones stay choosable where people still have them.
OPTIONS = {
    "category": "SELECT id::text AS value, name FROM category WHERE archived_at IS NULL ORDER BY lower(name), id",
    "segment": "SELECT id::text AS value, name FROM segment WHERE archived_at IS NULL ORDER BY lower(name), id",
    "importance": "SELECT id::text AS value, name FROM importance_class WHERE archived_at IS NULL ORDER BY rank, id",
    "location": "SELECT id::text AS value, name FROM location ORDER BY lower(name), id",
    "tier": """
        SELECT tier->>'id' AS value, tier->>'name' AS name FROM (SELECT body FROM programme
            WHERE effective_from <= now() ORDER BY effective_from DESC, id DESC LIMIT 1) p,
            jsonb_array_elements(p.body->'tiers') WITH ORDINALITY part (tier, number) ORDER BY number""",
    "team_member": "SELECT id::text AS value, name FROM team_member ORDER BY archived_at IS NOT NULL, lower(name), id",
    "service": "SELECT id::text AS value, name FROM service ORDER BY archived_at IS NOT NULL, lower(name), id",
    "service_category": """
        SELECT id::text AS value, name FROM service_category ORDER BY archived_at IS NOT NULL, lower(name), id""",
    "staff": "SELECT id::text AS value, name FROM staff_member ORDER BY NOT is_active, lower(name), id",
    # A series has one each week: the newest of very many.
    "campaign": """
        SELECT id::text AS value, name FROM campaign WHERE total > 0 AND name <> '' ORDER BY id DESC LIMIT 500""",
    "entry_link": "SELECT id::text AS value, name FROM entry_link ORDER BY deleted_at IS NOT NULL, lower(name), id",
}
QUESTIONS = (
    "SELECT id, labels, choices FROM question WHERE kind = 'choice' AND deleted_at IS NULL ORDER BY position, id"
)


async def options(sources: Iterable[str], language: str) -> dict[str, list[tuple[str, str]]]:
    """(value, name) of everything that can be chosen, by source."""
    found = {}
    for source in sources:
        if source == "answer":
            found[source] = await _answers(language)
        else:
            found[source] = [(row["value"], row["name"]) for row in await fetch(OPTIONS[source])]
    return found


async def _answers(language: str) -> list[tuple[str, str]]:
    """Each choice of each question: `7-2`, "How did you hear of us: friends"."""
    rows = []
    for row in await fetch(QUESTIONS):
        question = _said(from_json(row["labels"]), language)
        rows += [
            (f"{row['id']}-{choice['id']}", f"{question}: {_said(choice['labels'], language)}")
            for choice in from_json(row["choices"])
        ]
    return rows


def _said(labels: dict[str, str], language: str) -> str:
    return labels.get(language) or next(iter(labels.values()), "")
