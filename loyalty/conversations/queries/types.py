"""What the shop decided about its types of messages, and what one would say to somebody."""

from collections.abc import Mapping
from dataclasses import dataclass

from loyalty import db
from loyalty.conversations.message_types import NAMES, MessageTypeView
from loyalty.conversations.queries.recipients import own_texts
from loyalty.errors import NotFound

TYPES = "SELECT name, channels, own_first, texts, updated_at FROM message_type"


async def message_types() -> list[MessageTypeView]:
    """Every type of message there is, as the shop has it."""
    rows = {row["name"]: row for row in await db.fetch(TYPES)}
    return [_view(name, rows.get(name)) for name in NAMES]


async def message_type(name: str) -> MessageTypeView:
    """One of them. Raises NotFound("message_type")."""
    if name not in NAMES:
        raise NotFound("message_type")
    return _view(name, await db.fetch_row(f"{TYPES} WHERE name = $1", name))


async def channels_for(name: str) -> tuple[str, ...]:
    """The channels of a type, in the order of preference."""
    return (await message_type(name)).channels


def _view(name: str, row: db.Row | None) -> MessageTypeView:
    if row is None:
        return MessageTypeView(name)
    channels = tuple(one for one in row["channels"].split(",") if one)
    return MessageTypeView(name, channels, row["own_first"], own_texts(row["texts"]), row["updated_at"])


@dataclass(frozen=True, slots=True)
class Example:
    """The values of a message that was sent, in which language; is_theirs: to the customer who was asked about."""

    customer_id: int
    language: str
    values: Mapping[str, str]
    is_theirs: bool


LOOKED = 20_000
"""So many of the newest messages are looked through for one of a type."""
# Indexes: messenger_account_customer, message_account.
THEIRS = """
SELECT m.customer_id, a.language, m.content->'values' AS values
FROM messenger_account a JOIN message m ON m.account_id = a.id
WHERE a.customer_id = $2 AND m.kind = $1 AND m.direction = 'out' AND m.customer_id = $2 AND a.language = $3
    AND m.content ? 'values' ORDER BY m.id DESC LIMIT 1
"""
ANYBODYS = """
SELECT m.customer_id, a.language, m.content->'values' AS values
FROM (SELECT * FROM message ORDER BY id DESC LIMIT $2) m JOIN messenger_account a ON a.id = m.account_id
WHERE m.kind = $1 AND m.direction = 'out' AND m.customer_id IS NOT NULL AND a.language = $3
    AND m.content ? 'values' ORDER BY m.id DESC LIMIT 1
"""
SOMEBODY = """
SELECT coalesce(
    (SELECT m.customer_id FROM (SELECT * FROM message ORDER BY id DESC LIMIT $1) m WHERE m.customer_id IS NOT NULL
        ORDER BY m.id DESC LIMIT 1),
    (SELECT max(id) FROM customer)) AS id
"""


async def example_of(name: str, customer_id: int | None, language: str) -> Example | None:
    """What this type last told this customer in a language, else anybody lately; None where nobody was told of it."""
    row = await db.fetch_row(THEIRS, name, customer_id, language) if customer_id is not None else None
    is_theirs = row is not None
    row = row or await db.fetch_row(ANYBODYS, name, LOOKED, language)
    return Example(row["customer_id"], language, db.from_json(row["values"]), is_theirs) if row else None


async def somebody() -> int | None:
    """A customer to show an example with: whoever was written to last, else the newest one."""
    found: int | None = await db.fetch_value(SOMEBODY, LOOKED)
    return found
