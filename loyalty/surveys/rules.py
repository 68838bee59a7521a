"""Asking people how it was: the programme, whom it may ask and when, and what their answers add up to. Pure.

A score is 0 to 10. 9 and 10 are promoters, 7 and 8 passives, the others detractors; NPS is the share of promoters less
that of detractors, in points from -100 to 100.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt
from typing import Any, Self
from urllib.parse import urlsplit

from loyalty.errors import Invalid
from loyalty.money import MAX_MINOR
from loyalty.staff.rules import LANGUAGES

KIND = "survey_asked"
"""The type of message that asks."""
BUTTON = "nps"
"""What the data of its buttons begins with: `nps:7:10` answers invitation 7 with ten."""
LOWEST, HIGHEST = 0, 10
PAUSE_DAYS = 90
"""A person is asked again after so many days at the earliest, whatever the programme says."""
LONGEST_PAUSE = 3650
LONGEST_DELAY = 720
CHANGEABLE = timedelta(hours=24)
"""So long a score may be changed, and what is written next is its comment."""
ANSWERED_WITHIN = timedelta(days=30)
"""So long after it was asked a question may be answered."""
TOO_LATE = timedelta(days=3)
"""What should have been asked longer ago than this, because nothing ran, is not asked any more."""
BONUS_AT_MOST = 100_000_00
COMMENT_LENGTH = 2_000
TEXT_LENGTH = 600
LINK_LENGTH = 300
RUN_AT_MOST = 1_000_000
"""So many people at most are asked in one run."""
FEW_ANSWERS = 100
"""Under so many answers a score is shown with its interval alone, because it says little without."""
EVERYWHERE = "0"
"""The key of the link for locations that have none of their own."""


class Group(StrEnum):
    """What a score makes of somebody."""

    PROMOTER = "promoter"
    PASSIVE = "passive"
    DETRACTOR = "detractor"


SCORES: Mapping[Group, range] = {
    Group.PROMOTER: range(9, HIGHEST + 1),
    Group.PASSIVE: range(7, 9),
    Group.DETRACTOR: range(LOWEST, 7),
}
PARTS = tuple(f"{part}_{group}" for group in Group for part in ("thanks", "prompt"))
"""Texts that the shop may say in its own words: after a score, and how it asks for a comment."""


class State(StrEnum):
    """Where an invitation stands. expired: nothing ran while it was due."""

    WAITING = "waiting"
    ASKED = "asked"
    ANSWERED = "answered"
    SKIPPED = "skipped"
    EXPIRED = "expired"


class Skip(StrEnum):
    """Why somebody is not asked, in the order in which it is looked at."""

    EXCLUDED = "excluded"
    NO_ACCOUNT = "no_account"
    BLOCKED = "blocked"
    NO_CONSENT = "no_consent"
    NOT_TAKEN = "not_taken"
    ASKED_LATELY = "asked_lately"
    WINDOW_CLOSED = "window_closed"
    REFUNDED = "refunded"
    NOT_IN_BASE = "is_not_in_base"
    CANCELLED = "cancelled"


def group_of(score: int) -> Group:
    """Which group a score of 0 to 10 belongs to."""
    return next(group for group, scores in SCORES.items() if score in scores)


@dataclass(frozen=True, slots=True)
class ProgrammeDraft:
    """After which purchases people are asked, what they are told, and what becomes of it.

    delay_hours: after a receipt; quiet hours delay further. pause_days: between two questions to one person. minimum:
    of a receipt, in minor units. location_ids: None for all. texts: {language: {part: text}}, parts as in PARTS; what
    is left out is said in the house's words. links: {location id, or EVERYWHERE: address} that promoters are shown.
    bonus: hundredths, once in a lifetime; 0 for none. makes_tasks: colleagues get one for each detractor, the assignee
    if there is one.
    """

    is_on: bool = False
    delay_hours: int = 2
    pause_days: int = PAUSE_DAYS
    minimum: int = 0
    location_ids: tuple[int, ...] | None = None
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    bonus: int = 0
    makes_tasks: bool = True
    assignee_id: int | None = None

    def text(self, language: str, part: str) -> str:
        """The shop's own words for a part; empty where it has none."""
        return self.texts.get(language, {}).get(part, "")

    def link(self, location_id: int | None) -> str:
        """Where a promoter who was at this location may say so to everybody; empty for nowhere."""
        return self.links.get(str(location_id), "") or self.links.get(EVERYWHERE, "")

    @property
    def pause(self) -> timedelta:
        """The least time between two questions to one person."""
        return timedelta(days=max(PAUSE_DAYS, self.pause_days))

    @property
    def delay(self) -> timedelta:
        """The time between a receipt and its question."""
        return timedelta(hours=self.delay_hours)


def checked(draft: ProgrammeDraft, known_locations: Collection[int]) -> ProgrammeDraft:
    """The draft without blanks, when it can be kept.

    Raises Invalid of the field: "delay_hours", "pause_days", "minimum", "bonus", "location_ids",
    "text-ru-thanks_promoter" and so on, "link-0".
    """
    _within("delay_hours", draft.delay_hours, 0, LONGEST_DELAY)
    _within("pause_days", draft.pause_days, PAUSE_DAYS, LONGEST_PAUSE)
    _within("minimum", draft.minimum, 0, MAX_MINOR)
    _within("bonus", draft.bonus, 0, BONUS_AT_MOST)
    if draft.location_ids is not None:
        if not draft.location_ids:
            raise Invalid("location_ids", "required")
        if not set(draft.location_ids) <= set(known_locations):
            raise Invalid("location_ids", "unknown_choice")
    return ProgrammeDraft(
        draft.is_on,
        draft.delay_hours,
        draft.pause_days,
        draft.minimum,
        None if draft.location_ids is None else tuple(sorted(set(draft.location_ids))),
        _texts(draft.texts),
        _links(draft.links, known_locations),
        draft.bonus,
        draft.makes_tasks,
        draft.assignee_id,
    )


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise Invalid(name, "not_in_range", low=low, high=high)


def _texts(texts: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    kept: dict[str, dict[str, str]] = {}
    for language, parts in texts.items():
        if language not in LANGUAGES or not set(parts) <= set(PARTS):
            raise Invalid(f"text-{language}", "unknown_choice")
        for part, words in parts.items():
            text = "\n".join(line.rstrip() for line in words.splitlines()).strip()
            if len(text) > TEXT_LENGTH:
                raise Invalid(f"text-{language}-{part}", "too_long", limit=TEXT_LENGTH)
            if text:
                kept.setdefault(language, {})[part] = text
    return kept


def _links(links: Mapping[str, str], known_locations: Collection[int]) -> dict[str, str]:
    kept = {}
    for key, address in links.items():
        if key != EVERYWHERE and not (key.isascii() and key.isdigit() and int(key) in known_locations):
            raise Invalid(f"link-{key}", "unknown_choice")
        if url := address.strip():
            kept[key] = checked_link(url, f"link-{key}")
    return kept


_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+", re.IGNORECASE)


def checked_link(address: str, name: str) -> str:
    """An address that customers may be sent to: https, of a named host, without a password. Raises Invalid(name)."""
    if len(address) > LINK_LENGTH:
        raise Invalid(name, "too_long", limit=LINK_LENGTH)
    if not address.isascii() or not address.isprintable() or " " in address:
        raise Invalid(name, "not_a_link")
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  raises for one that is none
    except ValueError:
        raise Invalid(name, "not_a_link") from None
    if parts.scheme != "https":
        raise Invalid(name, "link_not_https")
    if parts.username is not None or not _HOST.fullmatch(parts.hostname or ""):
        raise Invalid(name, "not_a_link")
    return address


# ------------------------------------------------------------------------------------------- figures


Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Tally:
    """How many answered in each group."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0

    @classmethod
    def of(cls, scores: Mapping[int, int]) -> Self:
        """From how many gave each score."""
        return cls(*(sum(scores.get(score, 0) for score in SCORES[group]) for group in Group))

    @property
    def total(self) -> int:
        """How many answered."""
        return self.promoters + self.passives + self.detractors

    @property
    def nps(self) -> float | None:
        """The score in points; None without an answer."""
        return nps(self.promoters, self.passives, self.detractors)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the score lies with 95 % certainty, in points; None without an answer."""
        return interval(self.promoters, self.passives, self.detractors)

    @property
    def is_small(self) -> bool:
        """Too few answers for the score to stand without its interval."""
        return self.total < FEW_ANSWERS

    def share_bp(self, group: Group) -> int:
        """The share of a group in basis points."""
        counts = {Group.PROMOTER: self.promoters, Group.PASSIVE: self.passives, Group.DETRACTOR: self.detractors}
        return round(counts[group] * 10_000 / self.total) if self.total else 0

    def to_body(self) -> dict[str, Any]:
        """As JSON."""
        return {"promoters": self.promoters, "passives": self.passives, "detractors": self.detractors}


def nps(promoters: int, passives: int, detractors: int) -> float | None:
    """Promoters less detractors, in points of all who answered; None without an answer."""
    total = promoters + passives + detractors
    return (promoters - detractors) * 100 / total if total else None


def interval(promoters: int, passives: int, detractors: int) -> tuple[float, float] | None:
    """The 95 % interval of the score, in points from -100 to 100; None without an answer.

    The adjusted Wald interval AW(3, T): three answers are added, 3/4 to each end and 3/2 to the middle, and with the
    shares p and d of promoters and detractors that come of it the interval is p - d -/+ 1.96 sqrt((p + d - (p - d)^2) /
    (n + 3)). It keeps its promise for ten answers and for shares near 0 and 1, where the plain one collapses.
    Source: B. Rocks, Interval Estimation for the "Net Promoter Score", The American Statistician 70 (2016), 365-372.
    """
    if not promoters + passives + detractors:
        return None
    total = promoters + passives + detractors + 3
    up, down = (promoters + 0.75) / total, (detractors + 0.75) / total
    middle = up - down
    half = Z_95 * sqrt((up + down - middle**2) / total)
    return max(-100.0, 100 * (middle - half)), min(100.0, 100 * (middle + half))


# ------------------------------------------------------------------------------------------- one answer


def is_changeable(answered_at: datetime, now: datetime) -> bool:
    """Whether a score may still be changed or commented on."""
    return now < answered_at + CHANGEABLE


def is_answerable(asked_at: datetime, now: datetime) -> bool:
    """Whether a question may still be answered for the first time."""
    return now < asked_at + ANSWERED_WITHIN


def clean_comment(text: str) -> str:
    """A comment as it is kept: without what no table holds, and not longer than people read."""
    cleaned = "".join(sign for sign in text if sign in "\n\t" or (sign >= " " and sign != "\x7f")).strip()
    return cleaned[:COMMENT_LENGTH].rstrip()


def typed_score(text: str) -> int | None:
    """The score that a text of nothing but a number from 0 to 10 means; None for any other text."""
    digits = text.strip().rstrip(".)")
    if digits.isascii() and digits.isdigit() and len(digits) <= 2 and int(digits) <= HIGHEST:
        return int(digits)
    return None
