"""The form of a campaign: what was typed as a draft, and a draft as what is typed."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from admin_web.forms import Form, is_id
from loyalty.campaigns.rules.drafts import (
    USUAL_WINDOW_DAYS,
    CampaignDraft,
    CampaignTopic,
    Terms,
    Timing,
)
from loyalty.campaigns.rules.repeating import Every, Repeat, by_cron, check_zone, instant_of, monthly, weekly
from loyalty.campaigns.rules.texts import (
    BUTTONS_AT_MOST,
    CAN_BE_MISSING,
    LEFT_OUT,
    LETTERS,
    ButtonKind,
    CampaignButton,
    Fallbacks,
    Texts,
    Words,
    text_field,
)
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.message_types import LANGUAGES
from loyalty.errors import Invalid
from loyalty.money import parse_amount
from loyalty.wording import decimal

WHEN = ("now", "at", "repeat")
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def draft_in(form: Form, zone: str) -> CampaignDraft:
    """What the form says. zone: of the shop, where none is named. Raises Invalid for what cannot be read."""
    topic = form.value("topic") or CampaignTopic.MARKETING.value
    if topic not in list(CampaignTopic):
        raise Invalid("topic", "unknown_choice")
    ordered = [form.value(f"channel-{place}") for place in range(1, len(CAPABILITIES) + 1)]
    return CampaignDraft(
        name=form.value("name"),
        words=words_in(form),
        topic=CampaignTopic(topic),
        channels=tuple(one for one in ordered if one),
        timing=_timing_in(form, zone),
        terms=_terms_in(form),
    )


def words_in(form: Form) -> Words:
    """All that it is to say, but for the file, which is kept apart."""
    fallbacks: dict[str, Mapping[str, str] | None] = {}
    for name in CAN_BE_MISSING:
        told = {language: form.value(f"fallback-{name}-{language}") for language in LANGUAGES}
        fallbacks[name] = LEFT_OUT if form.checked(f"skip-{name}") else told
    template = form.value("template")
    texts, *others = (_texts_in(form, variant) for variant in range(wordings_in(form)))
    return Words(
        texts=texts,
        fallbacks=fallbacks,
        buttons=tuple(_buttons_in(form)),
        template=int(template) if is_id(template) and len(template) <= 9 else 0,
        other_texts=others,
    )


def wordings_in(form: Form) -> int:
    """How many wordings there is a place for."""
    told = form.value("wordings")
    return int(told) if told in {"1", "2", "3"} else 1


def change_wordings(form: Form, step: str) -> None:
    """Make a place for one wording more, take one away, or put back behind the others what was taken away last.

    step: add, drop-0, drop-1, drop-2, back. What the others say is left alone.
    """
    texts = [_texts_in(form, variant) for variant in range(wordings_in(form))]
    deed, _, place = step.partition("-")
    taken: Texts = {}
    if deed == "add" and len(texts) < len(LETTERS):
        texts.append({})
    elif deed == "back" and len(texts) < len(LETTERS):
        texts.append({language: form.value(f"taken_{language}") for language in LANGUAGES})
    elif deed == "drop" and len(texts) > 1 and place in {str(one) for one in range(len(texts))}:
        taken = texts.pop(int(place))
    form.values |= {f"taken_{language}": taken.get(language, "") for language in LANGUAGES}
    form.values["wordings"] = str(len(texts))
    for variant in range(len(LETTERS)):
        told = texts[variant] if variant < len(texts) else {}
        form.values |= {text_field(variant, language): told.get(language, "") for language in LANGUAGES}


def bonus_in(form: Form) -> int:
    """The bonus that goes with it, in hundredths; none for what is not one."""
    try:
        return _terms_in(form).bonus
    except Invalid:
        return 0


def fill(draft: CampaignDraft, zone: str) -> dict[str, str]:
    """What stands in the form of a draft. zone: of the shop."""
    words, timing, terms = draft.words, draft.timing, draft.terms
    zone = timing.zone or zone
    filled = {
        "name": draft.name,
        "topic": draft.topic.value,
        "template": str(words.template or ""),
        "zone": zone,
        "when": "repeat" if timing.repeat else "at" if timing.starts_at else "now",
        "control": str(terms.control_bp // 100),
        "window": str(terms.window_days),
        "bonus": decimal(terms.bonus, 2, "en").replace(",", "") if terms.bonus else "",
        "bonus_days": str(terms.bonus_days or ""),
    }
    filled["wordings"] = str(len(words.wordings))
    for variant, one in enumerate(words.wordings):
        filled |= {text_field(variant, language): text for language, text in one.texts.items()}
    filled |= {f"channel-{place}": name for place, name in enumerate(draft.channels, 1)}
    filled |= _fallbacks_out(words.fallbacks)
    for number, button in enumerate(words.buttons, 1):
        filled |= {f"kind-{number}": button.kind.value, f"url-{number}": button.url}
        filled |= {f"label-{number}-{language}": label for language, label in button.labels.items()}
    if timing.starts_at is not None and timing.repeat is None:
        filled |= _moment_out("starts", timing.starts_at, zone)
    if timing.send_until is not None:
        filled |= _moment_out("until", timing.send_until, zone)
    return filled | (_repeat_out(timing.repeat) if timing.repeat is not None else {})


def _texts_in(form: Form, variant: int) -> Texts:
    return {language: form.value(text_field(variant, language)) for language in LANGUAGES}


def _buttons_in(form: Form) -> list[CampaignButton]:
    found = []
    for number in range(1, BUTTONS_AT_MOST + 1):
        kind = form.value(f"kind-{number}")
        if not kind:
            continue
        if kind not in list(ButtonKind):
            raise Invalid("buttons", "unknown_choice")
        labels = {language: form.value(f"label-{number}-{language}") for language in LANGUAGES}
        found.append(CampaignButton(ButtonKind(kind), labels, form.value(f"url-{number}")))
    return found


def _timing_in(form: Form, shop_zone: str) -> Timing:
    when, zone = form.value("when") or "now", form.value("zone") or shop_zone
    if when not in WHEN:
        raise Invalid("when", "unknown_choice")
    check_zone(zone)
    if when == "repeat":
        return Timing(repeat=_repeat_in(form), zone=zone)
    starts_at = _moment_in(form, "starts", zone) if when == "at" else None
    if when == "at" and starts_at is None:
        raise Invalid("starts_at", "required")
    return Timing(starts_at, _moment_in(form, "until", zone), zone=zone)


def _repeat_in(form: Form) -> Repeat:
    every = form.value("every") or Every.WEEK.value
    if every == Every.CRON:
        return by_cron(form.value("cron"))
    at = _clock(form.value("repeat_at"), "repeat_at")
    if every == Every.WEEK:
        return weekly([day for day in range(1, 8) if form.checked(f"day-{day}")], at)
    if every == Every.MONTH:
        text = form.value("month_day")
        return monthly(int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0, at)
    raise Invalid("every", "unknown_choice")


def _repeat_out(repeat: Repeat) -> dict[str, str]:
    minute, hour, day, _, days = repeat.cron.split()
    if repeat.every is Every.CRON:
        return {"every": repeat.every.value, "cron": repeat.cron}
    told = {"every": repeat.every.value, "repeat_at": f"{int(hour):02d}:{int(minute):02d}"}
    if repeat.every is Every.WEEK:
        return told | {f"day-{_WEEK.index(name) + 1}": "1" for name in days.split(",")}
    return told | {"month_day": "31" if day == "last" else day}


def _terms_in(form: Form) -> Terms:
    control, window, days = form.value("control") or "0", form.value("window"), form.value("bonus_days")
    for name, text in (("control", control), ("window", window or "0"), ("bonus_days", days or "0")):
        if not (text.isascii() and text.isdigit() and len(text) <= 4):
            raise Invalid(name, "not_a_number")
    bonus = form.value("bonus").strip()
    return Terms(
        control_bp=int(control) * 100,
        window_days=int(window) if window else USUAL_WINDOW_DAYS,
        bonus=parse_amount(bonus, 2, field="bonus") if bonus else 0,
        bonus_days=int(days) if days else 0,
    )


def _fallbacks_out(fallbacks: Fallbacks) -> dict[str, str]:
    filled: dict[str, str] = {}
    for name, told in fallbacks.items():
        if told is LEFT_OUT:
            filled[f"skip-{name}"] = "1"
        else:
            filled |= {f"fallback-{name}-{language}": text for language, text in told.items()}
    return filled


def _moment_in(form: Form, name: str, zone: str) -> datetime | None:
    """A day and a time by the clocks of a zone; None where neither is named."""
    day, at = form.value(f"{name}_day").strip(), form.value(f"{name}_at").strip()
    field = "starts_at" if name == "starts" else "send_until"
    if not day and not at:
        return None
    try:
        date = datetime.fromisoformat(day).date()
    except ValueError:
        raise Invalid(field, "not_a_date") from None
    return instant_of(datetime.combine(date, _clock(at, field)), zone)


def _moment_out(name: str, moment: datetime, zone: str) -> dict[str, str]:
    local = moment.astimezone(UTC).astimezone(ZoneInfo(zone))
    return {f"{name}_day": local.date().isoformat(), f"{name}_at": f"{local:%H:%M}"}


def _clock(text: str, field: str) -> time:
    try:
        return time.fromisoformat(text.strip()).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise Invalid(field, "not_a_time") from None
