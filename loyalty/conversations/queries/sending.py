"""What sending needs to know beside the message: the night, templates, attachments."""

from collections.abc import Mapping
from dataclasses import dataclass

from loyalty import db
from loyalty.conversations.rules import Cap, Manners, Quiet


@dataclass(frozen=True, slots=True)
class FilledTemplate:
    """An approved template with its variables' values, in their order."""

    name: str
    language: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AttachmentBody:
    """A picture or file that we send."""

    body: bytes
    mime: str
    name: str


async def manners() -> Manners:
    """When nothing is sent that can wait, and how much advertising a person may get."""
    row = await db.fetch_row("SELECT quiet_from, quiet_until, cap_messages, cap_days FROM messaging")
    if row is None:
        return Manners()
    return Manners(Quiet(row["quiet_from"], row["quiet_until"]), Cap(row["cap_messages"], row["cap_days"]))


# The template in the person's language, else in English, else in any.
FOR_KIND = """
SELECT name, language, variables FROM message_template WHERE kind = $1 AND status = 'approved'
ORDER BY left(language, 2) = $2 DESC, left(language, 2) = 'en' DESC, id LIMIT 1
"""


# Templates of one name say the same in several languages.
LIKE = """
SELECT t.name, t.language, t.variables FROM message_template t JOIN message_template chosen ON chosen.name = t.name
WHERE chosen.id = $1 AND t.status = 'approved'
ORDER BY left(t.language, 2) = $2 DESC, t.id = $1 DESC, left(t.language, 2) = 'en' DESC, t.id LIMIT 1
"""


async def template_for(kind: str, language: str, values: Mapping[str, str]) -> FilledTemplate | None:
    """The approved template that stands in for this type of message, filled in; None when there is none."""
    return _filled(await db.fetch_row(FOR_KIND, kind, language), values)


async def template_like(template_id: int, language: str, values: Mapping[str, str]) -> FilledTemplate | None:
    """The approved template of this number's name in the person's language, filled in; else the one of this number.

    None when none of that name is approved any more.
    """
    return _filled(await db.fetch_row(LIKE, template_id, language), values)


async def template_named(template_id: int, values: Mapping[str, str]) -> FilledTemplate | None:
    """The template of this number, filled in; None when it is not approved any more."""
    row = await db.fetch_row(
        "SELECT name, language, variables FROM message_template WHERE id = $1 AND status = 'approved'", template_id
    )
    return _filled(row, values)


def _filled(row: dict[str, object] | None, values: Mapping[str, str]) -> FilledTemplate | None:
    if row is None:
        return None
    variables: list[dict[str, str]] = db.from_json(row["variables"])
    # WhatsApp takes no empty value and no line break in one.
    filled = (" ".join((values.get(one["name"]) or one["fallback"]).split()) for one in variables)
    return FilledTemplate(str(row["name"]), str(row["language"]), tuple(filled))


async def attachment(attachment_id: int) -> AttachmentBody | None:
    """A picture or file to send along; None for one that is gone."""
    row = await db.fetch_row("SELECT body, mime, name FROM attachment WHERE id = $1", attachment_id)
    return AttachmentBody(**row) if row else None
