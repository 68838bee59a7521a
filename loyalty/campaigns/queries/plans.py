"""A campaign as its row says it is to go: its words, its audience, its manner, its timing."""

from collections.abc import Mapping, Sequence

from loyalty import db
from loyalty.campaigns.queries.reach import Manner
from loyalty.campaigns.rules.drafts import CampaignDraft, CampaignTopic, Terms, Timing
from loyalty.campaigns.rules.repeating import Every, Repeat
from loyalty.campaigns.rules.texts import Words, buttons_from
from loyalty.customers.rules import parse_search
from loyalty.segments.filters import checked
from loyalty.segments.queries.audience import Audience
from loyalty.segments.queries.base import Look
from loyalty.segments.rules.trees import tree_from

COLUMNS = """name, topic, texts, other_texts, fallbacks, buttons, attachment_id, template_id, preferred, look, ids,
    starts_at, send_until, repeat, zone, control_bp, seed, window_days, bonus, bonus_days"""
"""Of `campaign`, all that the functions here read."""
BY_CARD = "card"
"""Of a look whose author may not see phones: digits find cards alone."""


def words_of(row: db.Row) -> Words:
    """What it says."""
    return Words(
        texts=db.from_json(row["texts"]),
        fallbacks=db.from_json(row["fallbacks"]) if row["fallbacks"] is not None else {},
        buttons=buttons_from(db.from_json(row["buttons"]) if row["buttons"] is not None else None),
        attachment=row["attachment_id"] or 0,
        template=row["template_id"] or 0,
        other_texts=tuple(db.from_json(row["other_texts"])) if row["other_texts"] is not None else (),
    )


def draft_of(row: db.Row) -> CampaignDraft:
    """The draft as it was kept."""
    repeat = db.from_json(row["repeat"]) if row["repeat"] is not None else None
    return CampaignDraft(
        name=row["name"],
        words=words_of(row),
        topic=CampaignTopic(row["topic"]),
        channels=_names(row["preferred"]),
        timing=Timing(
            row["starts_at"],
            row["send_until"],
            Repeat(Every(repeat["every"]), repeat["cron"]) if repeat is not None else None,
            row["zone"],
        ),
        terms=Terms(row["control_bp"], row["window_days"], row["bonus"], row["bonus_days"]),
    )


def audience_of(look: Mapping[str, str] | None, ids: Sequence[int] | None, region: str) -> Audience:
    """Whom it is for, judged anew: whoever fits at this moment. region: of the shop, for phones of a search.

    Raises Invalid("filter") when it asks for what is not there any more.
    """
    said = look or {}
    places = [int(text) for text in said.get("location", "").split(".") if text.isdigit()]
    found = Look(
        search=parse_search(said.get("q", ""), region),
        tree=checked(tree_from(said.get("f", ""))),
        by_phone=said.get("by") != BY_CARD,
        locations=tuple(places) or None,
    )
    return Audience(found, None if ids is None else tuple(ids))


def manner_of(draft: CampaignDraft, seed: int = 0) -> Manner:
    """How its people are written to. seed: by which the control group is drawn, and who reads which wording."""
    words, terms = draft.words, draft.terms
    return Manner(
        draft.topic,
        draft.channels or None,
        words.needed,
        bool(words.template),
        terms.control_bp,
        seed,
        len(words.wordings),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(one for one in text.split(",") if one)
