"""A campaign as it is to be: what it says, when, through what, what it gives, how its effect is measured. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from loyalty.campaigns.rules.repeating import Repeat, check_repeat, check_zone, next_time
from loyalty.campaigns.rules.texts import VARIABLE, Words, checked_words
from loyalty.conversations.kinds.base import nameless
from loyalty.errors import Invalid

NAME_LENGTH = 80
CONTROL_AT_MOST_BP = 5_000
WINDOW_DAYS = (3, 7, 14, 30, 60, 90)
USUAL_WINDOW_DAYS = 14
BONUS_AT_MOST = 100_000_00
BONUS_DAYS_AT_MOST = 730
AHEAD_AT_MOST = timedelta(days=366)

ACKNOWLEDGED_VERSION = 1
"""Of the words below: kept with each campaign, so a change of theirs is a new version."""
ACKNOWLEDGEMENT: Mapping[str, str] = {
    "en": "The people I am writing to agreed to get advertising from us; the message says truthfully who sends it and "
    "what is offered; I answer for its content before the law on advertising and personal data.",
    "ru": "Люди, которым я пишу, согласились получать от нас рекламу; в сообщении правдиво сказано, кто его отправил и "
    "что предлагается; за его содержание перед законом о рекламе и персональных данных отвечаю я.",
    "uk": "Люди, яким я пишу, погодилися отримувати від нас рекламу; у повідомленні правдиво сказано, хто його "
    "надіслав і що пропонується; за його зміст перед законом про рекламу та персональні дані відповідаю я.",
}
"""What an author confirms before anything is sent, in the language in which they read it."""


class CampaignTopic(StrEnum):
    """What it is about: offers go to those who agreed to get them, news of the service to all who take messages."""

    MARKETING = "marketing"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the author of a campaign confirmed: these words, of this version, in this language."""

    version: int
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Timing:
    """When it begins. starts_at: None is as soon as it is launched. send_until: nobody gets it after that.

    repeat: each time is a campaign of its own, by the clocks of `zone`.
    """

    starts_at: datetime | None = None
    send_until: datetime | None = None
    repeat: Repeat | None = None
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What it gives, and how it is known what it brought.

    control_bp: the share of those who would be written to and are not, by lot. window_days: for how long purchases
    count. bonus: hundredths for each to whom it was sent, good for bonus_days.
    """

    control_bp: int = 0
    window_days: int = USUAL_WINDOW_DAYS
    bonus: int = 0
    bonus_days: int = 0


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """A message to many. channels: in the order of preference; none: as the shop has ordered them."""

    name: str
    words: Words
    topic: CampaignTopic = CampaignTopic.MARKETING
    channels: tuple[str, ...] = ()
    timing: Timing = Timing()
    terms: Terms = Terms()


def acknowledgement(language: str) -> Acknowledgement:
    """What is confirmed by somebody who reads this language."""
    known = language if language in ACKNOWLEDGEMENT else "en"
    return Acknowledgement(ACKNOWLEDGED_VERSION, known, ACKNOWLEDGEMENT[known])


def check_acknowledged(said: Acknowledgement) -> None:
    """Raise Invalid("acknowledged") for other words than those of today."""
    if said.version != ACKNOWLEDGED_VERSION or ACKNOWLEDGEMENT.get(said.language) != said.text:
        raise Invalid("acknowledged", "required")


def checked_draft(
    draft: CampaignDraft, *, shop_language: str, possible: Collection[str], now: datetime
) -> CampaignDraft:
    """The draft without blanks. possible: channels in which anybody may be written to at all.

    Raises Invalid for what cannot be kept: of `checked_words`, and "name", "topic", "channels", "starts_at",
    "send_until", "zone", "cron" …, "control", "window", "bonus", "bonus_days".
    """
    words = checked_words(draft.words, shop_language)
    if not set(draft.channels) <= set(possible):
        raise Invalid("channels", "unknown_choice")
    if len(set(draft.channels)) < len(draft.channels):
        raise Invalid("channels", "named_twice")
    _check_terms(draft.terms)
    if "bonus" in words.named and not draft.terms.bonus:
        raise Invalid("bonus", "named_and_not_given")
    name = checked_name(draft.name, words, shop_language)
    return replace(draft, name=name, words=words, timing=checked_timing(draft.timing, now))


def checked_timing(timing: Timing, now: datetime) -> Timing:
    """When it begins, as it stands now: of a repeated one the next time. Raises Invalid as `checked_draft` says."""
    if timing.repeat is not None:
        check_repeat(timing.repeat, check_zone(timing.zone), now)
        return replace(timing, starts_at=next_time(timing.repeat, timing.zone, now), send_until=None)
    if timing.starts_at is not None:
        check_zone(timing.zone)
        if timing.starts_at <= now:
            raise Invalid("starts_at", "in_the_past")
        if timing.starts_at > now + AHEAD_AT_MOST:
            raise Invalid("starts_at", "too_far_ahead")
    if timing.send_until is not None and timing.send_until <= (timing.starts_at or now):
        raise Invalid("send_until", "before_the_start")
    return timing


def checked_name(name: str, words: Words, shop_language: str) -> str:
    """What a campaign is called: without a name, by the first words of its text. Raises Invalid("name")."""
    cleaned = " ".join(name.split())
    if len(cleaned) > NAME_LENGTH:
        raise Invalid("name", "too_long", limit=NAME_LENGTH)
    if cleaned and not cleaned.isprintable():
        raise Invalid("name", "odd_characters")
    if cleaned:
        return cleaned
    # What it says of a person is another thing for each.
    line = VARIABLE.sub("…", nameless(words.texts[shop_language])).partition("\n")[0].strip() or "…"
    return line if len(line) <= NAME_LENGTH else f"{line[: NAME_LENGTH - 1].rsplit(' ', 1)[0]}…"


def _check_terms(terms: Terms) -> None:
    if not 0 <= terms.control_bp <= CONTROL_AT_MOST_BP:
        raise Invalid("control", "unknown_choice")
    if terms.window_days not in WINDOW_DAYS:
        raise Invalid("window", "unknown_choice")
    if not 0 <= terms.bonus <= BONUS_AT_MOST:
        raise Invalid("bonus", "too_large")
    if terms.bonus and not 1 <= terms.bonus_days <= BONUS_DAYS_AT_MOST:
        raise Invalid("bonus_days", "out_of_range", least=1, most=BONUS_DAYS_AT_MOST)
