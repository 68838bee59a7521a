"""Where a customer is written to about something, and in whose words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loyalty import db
from loyalty.conversations.channels import USUAL
from loyalty.conversations.content import Content
from loyalty.conversations.kinds.said import service_content


def channels_of(kind: str) -> str:
    """SQL: the channels of a type of message, in the order of preference; `kind` is SQL, too."""
    return f"""string_to_array(coalesce((SELECT channels FROM message_type WHERE name = {kind}), '{USUAL}'), ',')"""


def place_for(kind: str, customer: str, columns: str = "a.id") -> str:
    """SQL of one row at most: the account to which a service message of this `kind` goes; `customer` is SQL.

    The messenger that a customer has chosen goes before the shop's order, where the shop has not said otherwise.
    Indexes: messenger_account_customer, message_type_pkey.
    """
    return f"""
    SELECT {columns} FROM messenger_account a LEFT JOIN message_type t ON t.name = '{kind}',
        LATERAL (SELECT string_to_array(coalesce(t.channels, '{USUAL}'), ',') AS names) wanted
    WHERE a.customer_id = {customer} AND a.is_active AND a.takes_service AND a.channel = ANY(wanted.names)
    ORDER BY a.is_default AND coalesce(t.own_first, true) DESC, array_position(wanted.names, a.channel::text), a.id
    LIMIT 1
    """


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a service message goes to, and where. texts: the shop's own words for it, by language."""

    kind: str
    account_id: int
    language: str
    name: str
    texts: Mapping[str, Mapping[str, str]]

    def content(self, values: Mapping[str, str]) -> Content:
        """What the message says to them."""
        return service_content(self.kind, self.language, {**self.known, **values}, self.texts)

    @property
    def known(self) -> dict[str, str]:
        """What every message may name."""
        return {"first_name": first_name(self.name)}


def first_name(name: str) -> str:
    """How a person is spoken to; empty for somebody without a name."""
    return name.split(maxsplit=1)[0] if name.strip() else ""


def own_texts(column: Any) -> Mapping[str, Mapping[str, str]]:
    """The column `texts` of a message type as it was read; nothing for NULL."""
    found: Mapping[str, Mapping[str, str]] = db.from_json(column) if column else {}
    return found


async def recipient_of(customer_id: int, kind: str) -> Recipient | None:
    """Where a customer is told of this; None when nowhere."""
    row = await db.fetch_row(
        "SELECT place.id AS account_id, c.language, c.name, place.texts FROM customer c,"
        f" LATERAL ({place_for(kind, 'c.id', 'a.id, t.texts')}) place WHERE c.id = $1",
        customer_id,
    )
    return Recipient(kind=kind, **{**row, "texts": own_texts(row["texts"])}) if row else None


async def texts_of(kind: str) -> Mapping[str, Mapping[str, str]]:
    """The shop's own words for a type of message, by language."""
    return own_texts(await db.fetch_value("SELECT texts FROM message_type WHERE name = $1", kind))
