"""Reading the shop's own words in its dialogs."""

from loyalty import db
from loyalty.conversations.greetings import WORDS


async def own_words(name: str, language: str) -> str:
    """What the shop says in a language instead of the house's words; empty where it says nothing of its own."""
    found: str | None = await db.fetch_value(
        "SELECT text FROM dialog_text WHERE name = $1 AND language = $2", name, language
    )
    return found or ""


async def all_words() -> dict[str, dict[str, str]]:
    """All of the shop's own words: name -> language -> text."""
    words: dict[str, dict[str, str]] = {name: {} for name in WORDS}
    for row in await db.fetch("SELECT name, language, text FROM dialog_text"):
        words.setdefault(row["name"], {})[row["language"]] = row["text"]
    return words
