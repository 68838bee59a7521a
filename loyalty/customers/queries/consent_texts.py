"""Reading what people are asked to agree to, and how many agreed to what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.customers.consenting import (
    HOUSE,
    HOUSE_VERSION,
    ConsentWords,
    chosen_words,
    house_words,
    read_mark,
)
from loyalty.customers.rules import Topic
from loyalty.errors import NotFound

# Index: the unique one of (topic, version, language).
NEWEST = """
SELECT version, language, text FROM consent_text
WHERE topic = $1 AND version = (SELECT max(version) FROM consent_text WHERE topic = $1)
"""
VERSIONS = """
SELECT t.version, t.published_at, s.name AS staff_name, json_object_agg(t.language, t.text ORDER BY t.language) AS texts
FROM consent_text t LEFT JOIN staff_member s ON s.id = t.staff_id
WHERE t.topic = $1 GROUP BY t.version, t.published_at, s.name ORDER BY t.version DESC
"""
# Everybody's newest word. Index: consent_customer, walked once.
AGREED = """
SELECT text_version, count(*) AS people FROM (
    SELECT DISTINCT ON (customer_id) granted, text_version FROM consent WHERE topic = $1
    ORDER BY customer_id, topic, id DESC
) newest WHERE granted GROUP BY text_version
"""


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version of what people agree to. `published_at` None: the house's own words."""

    version: int
    texts: Mapping[str, str]
    published_at: datetime | None = None
    staff_name: str | None = None


async def newest_words(topic: Topic, language: str, shop_language: str) -> ConsentWords:
    """What somebody who speaks `language` is asked to agree to now."""
    rows = await db.fetch(NEWEST, topic.value)
    if not rows:
        return house_words(topic, language)
    texts = {row["language"]: row["text"] for row in rows}
    return chosen_words(topic, rows[0]["version"], texts, language, shop_language)


async def versions_of(topic: Topic) -> list[VersionView]:
    """All that was ever asked, the newest first; the house's words are the first version."""
    published = [
        VersionView(row["version"], db.from_json(row["texts"]), row["published_at"], row["staff_name"])
        for row in await db.fetch(VERSIONS, topic.value)
    ]
    return [*published, VersionView(HOUSE_VERSION, HOUSE[topic])]


async def words_of(topic: Topic, mark: str) -> ConsentWords:
    """The text that a consent names. Raises NotFound("consent_text")."""
    named = read_mark(mark)
    if named is None or topic not in HOUSE:
        raise NotFound("consent_text")
    version, language = named
    if version == HOUSE_VERSION and language in HOUSE[topic]:
        return house_words(topic, language)
    text = await db.fetch_value(
        "SELECT text FROM consent_text WHERE topic = $1 AND version = $2 AND language = $3",
        topic.value,
        version,
        language,
    )
    if text is None:
        raise NotFound("consent_text")
    return ConsentWords(topic, version, language, text)


async def agreed_by_version(topic: Topic) -> dict[int, int]:
    """How many people agree now, by the version of the text they agreed to; 0 stands for texts from elsewhere."""
    people: dict[int, int] = {}
    for row in await db.fetch(AGREED, topic.value):
        named = read_mark(row["text_version"])
        version = named[0] if named else 0
        people[version] = people.get(version, 0) + row["people"]
    return people
