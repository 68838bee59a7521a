"""Publishing what people are asked to agree to."""

from collections.abc import Mapping
from datetime import datetime

from loyalty import db
from loyalty.customers.consenting import checked_texts
from loyalty.customers.queries.consent_texts import versions_of
from loyalty.customers.rules import Topic
from loyalty.errors import Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor


@db.use_case
async def publish_consent(topic: Topic, texts: Mapping[str, str], *, actor: Actor, now: datetime) -> int:
    """Ask for agreement in these words from now on, {language: text}; returns the number of the new version.

    Nobody's consent changes: it names the version they agreed to. Raises Invalid("text_<language>"),
    Refused("consent_is_the_same") for the words in force.
    """
    clean = checked_texts(topic, texts)
    # Two owners at once would share a number.
    await db.execute("LOCK TABLE consent_text IN SHARE ROW EXCLUSIVE MODE")
    newest = (await versions_of(topic))[0]
    if clean == newest.texts:
        raise Refused("consent_is_the_same")
    version = newest.version + 1
    await db.execute(
        "INSERT INTO consent_text (topic, version, language, text, staff_id, published_at)"
        " SELECT $1, $2, part.language, part.text, $3, $4 FROM unnest($5::text[], $6::text[]) part (language, text)",
        topic.value,
        version,
        actor.staff_id,
        now,
        list(clean),
        list(clean.values()),
    )
    await write_journal(
        actor, "consent_text.published", subject_kind="consent_text", subject_id=version, now=now, topic=topic.value
    )
    return version
