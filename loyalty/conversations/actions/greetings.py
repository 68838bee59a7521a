"""Keeping the shop's own words in its dialogs."""

from collections.abc import Mapping
from datetime import datetime

from loyalty import db
from loyalty.conversations.greetings import WORDS, checked_words
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

KEEP = """
INSERT INTO dialog_text (name, language, text, updated_at)
SELECT $1, part.language, part.text, $2::timestamptz FROM unnest($3::text[], $4::text[]) part (language, text)
ON CONFLICT (name, language) DO UPDATE SET text = excluded.text, updated_at = excluded.updated_at
WHERE dialog_text.text <> excluded.text RETURNING language
"""


@db.use_case
async def save_words(texts: Mapping[str, Mapping[str, str]], *, actor: Actor, now: datetime) -> None:
    """Say these words from now on: {name: {language: text}}, a blank one stands for the house's.

    Raises Invalid("<name>_<language>").
    """
    checked = {name: checked_words(name, texts.get(name, {})) for name in WORDS}
    changed = []
    for name, words in checked.items():
        kept = await db.fetch(KEEP, name, now, list(words), list(words.values()))
        gone = await db.fetch(
            "DELETE FROM dialog_text WHERE name = $1 AND language <> ALL ($2::text[]) RETURNING language",
            name,
            list(words),
        )
        changed += [name] if kept or gone else []
    if changed:
        await write_journal(actor, "dialog_text.changed", now=now, names=changed)
