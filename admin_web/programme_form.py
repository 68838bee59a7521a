"""The programme as a form: every setting as people write it, read back without a float."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_decimal_symbol

from admin_web.forms import Form
from admin_web.i18n import READER
from admin_web.programme_words import SECTIONS, SETTINGS, TIER_BASES, Setting, Unit
from loyalty.errors import Invalid
from loyalty.money import parse_amount
from loyalty.shop.rules import CATEGORY_LENGTH, TIERS_AT_MOST, Programme, Tier, TierBasis, clean_line
from loyalty.wording import NBSP, locale, sign_of

COUNTS = (Unit.DAYS, Unit.MONTHS, Unit.MINUTES, Unit.TIMES)
NEW_TIER = -1


def programme_values(programme: Programme) -> dict[str, str]:
    """The fields of the form, filled from a version."""
    values = {setting.name: _written(setting, getattr(programme, setting.name)) for setting in SETTINGS.values()}
    return values | _tier_values(programme.tiers, programme.tier_basis)


def read_programme(form: Form, base: Programme) -> Programme:
    """What the form says, over `base`, whose rules stay. Ask `form.ok` before using it."""
    values = {setting.name: _read(form, setting) for section in SECTIONS for setting in section.settings}
    # What cannot be read is told already; the base stands in, so that the rest can be checked.
    known = {name: getattr(base, name) if value is None else value for name, value in values.items()}
    return replace(base, **known, tiers=_read_tiers(form, TierBasis(known["tier_basis"])))


def read_settings(form: Form, base: Programme, names: Iterable[str]) -> Programme:
    """`base` with some of its settings as the form says. Ask `form.ok` before using it."""
    read = {name: _read(form, SETTINGS[name]) for name in names}
    return replace(base, **{name: value for name, value in read.items() if value is not None})


def tier_rows(form: Form) -> range:
    """Numbers of the rows of levels in the form."""
    text = form.value("tiers_count")
    return range(min(int(text), TIERS_AT_MOST) if text.isascii() and text.isdigit() and len(text) < 4 else 0)


def add_tier(form: Form) -> None:
    """One more row, empty, at the end."""
    number = len(tier_rows(form))
    form.values |= {f"tier_{number}_id": str(NEW_TIER), "tiers_count": str(min(number + 1, TIERS_AT_MOST))}


def remove_tier(form: Form, number: int) -> None:
    """The row away and those after it one up. The first stays: everybody begins there."""
    rows = tier_rows(form)
    if not 0 < number < len(rows):
        return
    for row in range(number, len(rows)):
        for part in ("id", "name", "threshold", "rate"):
            form.values[f"tier_{row}_{part}"] = form.values.pop(f"tier_{row + 1}_{part}", "")
    form.values["tiers_count"] = str(len(rows) - 1)


def effective_moment(form: Form, zone: str, now: datetime) -> datetime:
    """From when the form wants it: `now`, or a local moment of the shop's zone."""
    if form.value("when") != "later":
        return now
    text = form.value("effective_from").strip()
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        form.refuse(Invalid("effective_from", "required" if not text else "not_a_date"))
        return now
    moment = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if moment < now:
        form.refuse(Invalid("effective_from", "in_the_past"))
    return moment


def local_moment(moment: datetime, zone: str) -> str:
    """A moment as a field of date and time holds it."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def decimal_text(amount: int, exponent: int) -> str:
    """Minor units as a person writes them: 184050 = "1840,5" or "1840.5"; from five digits on in groups."""
    whole, fraction = divmod(amount, 10**exponent)
    text = f"{whole:,}".replace(",", NBSP) if whole >= 10_000 else str(whole)
    rest = f"{fraction:0{exponent}}".rstrip("0") if exponent else ""
    return f"{text}{get_decimal_symbol(locale(READER.get().language))}{rest}" if rest else text


def words_of(text: str) -> list[str]:
    """Words between commas or line ends, in lower case, each once."""
    parts = (" ".join(part.split()).lower() for part in text.replace("\n", ",").split(","))
    return list(dict.fromkeys(part for part in parts if part))


def read_decimal(form: Form, name: str, exponent: int, *, unit: str = "%") -> int | None:
    """An amount in its minor unit, with or without the sign of its unit after it; None when it cannot be read."""
    try:
        return parse_amount(form.value(name).strip().removesuffix(unit), exponent, field=name)
    except Invalid as error:
        form.refuse(error)
        return None


def _written(setting: Setting, value: Any) -> str:
    """A value as the field shows it; empty where nothing stands for "no limit"."""
    if setting.empty and not value:
        return ""
    if setting.unit is Unit.WORDS:
        return ", ".join(value)
    if setting.options is not None or setting.unit in COUNTS:
        return str(value)
    return decimal_text(value, _exponent(setting.unit))


def _read(form: Form, setting: Setting) -> Any:
    """The value of a field, or None with its error noted."""
    text = form.text(setting.name)
    if not text and setting.empty:
        return () if setting.unit is Unit.WORDS else 0
    if setting.options is not None:
        chosen = form.choice(setting.name, setting.options)
        return next(option for option in setting.options if option == chosen)
    if setting.unit is Unit.WORDS:
        return _read_categories(form, setting.name)
    if setting.unit in COUNTS:
        return _read_count(form, setting.name)
    return read_decimal(form, setting.name, _exponent(setting.unit), unit=_sign(setting.unit))


def _read_count(form: Form, name: str) -> int | None:
    if not form.text(name):
        form.refuse(Invalid(name, "required"))
        return None
    return form.number(name)


def _read_categories(form: Form, name: str) -> tuple[str, ...] | None:
    words = words_of(form.value(name))
    try:
        return tuple(clean_line(name, word, CATEGORY_LENGTH) for word in words)
    except Invalid as error:
        form.refuse(error)
        return None


def _exponent(unit: Unit) -> int:
    return READER.get().exponent if unit is Unit.MONEY else 2


def _sign(unit: Unit) -> str:
    return sign_of(READER.get().currency) if unit is Unit.MONEY else "%"


def _tier_values(tiers: Iterable[Tier], basis: TierBasis) -> dict[str, str]:
    values: dict[str, str] = {}
    number = 0
    for number, tier in enumerate(tiers, start=1):
        row = f"tier_{number - 1}"
        threshold = decimal_text(tier.threshold, READER.get().exponent if basis is TierBasis.PAID else 0)
        values |= {
            f"{row}_id": str(tier.id),
            f"{row}_name": tier.name,
            f"{row}_threshold": threshold,
            f"{row}_rate": decimal_text(tier.rate_bp, 2),
        }
    return values | {"tiers_count": str(number)}


def _read_tiers(form: Form, basis: TierBasis) -> tuple[Tier, ...]:
    """The levels of the form, the first as the base, the others by what they ask for."""
    tiers = [_read_tier(form, number, basis) for number in tier_rows(form)]
    return (*tiers[:1], *sorted(tiers[1:], key=lambda tier: tier.threshold))


def _read_tier(form: Form, number: int, basis: TierBasis) -> Tier:
    row = f"tier_{number}"
    name = form.text(f"{row}_name", required=True)
    rate = read_decimal(form, f"{row}_rate", 2)
    threshold: int | None = 0
    if number:
        exponent = READER.get().exponent if basis is TierBasis.PAID else 0
        threshold = read_decimal(form, f"{row}_threshold", exponent, unit=sign_of(READER.get().currency))
    kept = form.value(f"{row}_id")
    tier_id = int(kept) if kept.isascii() and kept.isdigit() and len(kept) < 5 else NEW_TIER - number
    return Tier(tier_id, name, threshold or 0, rate or 0)


def basis_of(form: Form) -> TierBasis:
    """What the form's levels count, as far as it says."""
    text = form.value("tier_basis")
    return TierBasis(text) if text in TIER_BASES else TierBasis.PAID
