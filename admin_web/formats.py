"""How values look to the reader. Every number and date of a page goes through here, and so through Babel.

Money comes in minor units of the shop's currency, bonuses in hundredths. Missing is a dash.
"""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import phonenumbers
from babel import dates, numbers
from babel.units import format_unit
from markupsafe import Markup

from admin_web.i18n import READER, gettext, ngettext
from loyalty import wording
from loyalty.customers.rules import short_name
from loyalty.wording import MINUS, NBSP, locale

MISSING = "—"

_RECENT_DAYS = 28
_EPOCH_YEAR = 1970


def currency_sign() -> str:
    """The sign of the shop's currency."""
    return wording.sign_of(READER.get().currency)


def num(value: float | Decimal | None) -> str:
    """A number with the reader's grouping: 10 400."""
    if value is None:
        return MISSING
    text = numbers.format_decimal(value, locale=locale(READER.get().language))
    return text.replace("-", MINUS)


def percent(basis_points: int | None) -> str:
    """Basis points as a share: 500 = 5 %."""
    if basis_points is None:
        return MISSING
    return wording.percent(basis_points, READER.get().language)


def money(minor: int | None) -> str:
    """A sum of money: 1 840 ₽; decimals only when there are any."""
    if minor is None:
        return MISSING
    reader = READER.get()
    return wording.money(minor, reader.currency, reader.exponent, reader.language)


def about(minor: int | None) -> str:
    """A sum of money to the whole unit, where many stand side by side."""
    unit = 10 ** READER.get().exponent
    return money(minor if minor is None else (2 * minor + unit) // (2 * unit) * unit)


def bonuses(hundredths: int | None) -> str:
    """An amount of bonuses: 1 040; decimals only when there are any."""
    if hundredths is None:
        return MISSING
    return wording.bonuses(hundredths, READER.get().language)


def signed(hundredths: int | None) -> str:
    """A change of bonuses with its sign: +64, −552."""
    return "+" + bonuses(hundredths) if hundredths and hundredths > 0 else bonuses(hundredths)


def signed_money(minor: int | None) -> str:
    """A change of money with its sign."""
    return "+" + money(minor) if minor and minor > 0 else money(minor)


def format_date(value: date | datetime | None, pattern: str = "d MMM y") -> str:
    """A day in the shop's zone: 22 Aug 2026."""
    day = _local_day(value)
    return MISSING if day is None else dates.format_date(day, pattern, locale=locale(READER.get().language))


def format_datetime(value: datetime | None) -> str:
    """A moment in the shop's zone: 22 Aug 2026, 14:05."""
    if value is None or value.year <= _EPOCH_YEAR:
        return MISSING
    local = _local(value)
    return f"{format_date(local)}, {format_time(local)}"


def format_time(value: datetime | None) -> str:
    """The time of day in the shop's zone: 14:05."""
    if value is None:
        return MISSING
    return dates.format_time(_local(value), "HH:mm", locale=locale(READER.get().language))


def countdown(seconds: int | None) -> str:
    """A time that runs down: 4:05."""
    return MISSING if seconds is None else f"{seconds // 60}:{seconds % 60:02d}"


def ago(value: date | datetime | None) -> str:
    """Today, yesterday, 3 days ago, then 22 Aug, then 22 Aug 2025; the whole date is in the title."""
    day = _local_day(value)
    if day is None:
        return MISSING
    whole = format_datetime(value) if isinstance(value, datetime) else format_date(day)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(day.isoformat(), whole, _how_long(day))


def phone(number: str | None) -> str:
    """A phone as people write it: +7 963 273-89-05."""
    if not number:
        return MISSING
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL).replace(" ", NBSP)


def phone_masked(number: str | None) -> str:
    """A phone of which one can see the country and the last two digits: +7 ··· ··-05."""
    if not number:
        return MISSING
    return wording.phone_masked(number)


def days_between(tenths: int | None) -> str:
    """A mean number of days with its noun: 1.5 days."""
    if not tenths:
        return MISSING
    return format_unit(tenths / 10, "duration-day", "long", format="#,##0.#", locale=READER.get().language)


def initials(name: str) -> str:
    """Up to two first letters of a name."""
    return "".join(word[0] for word in name.split()[:2]).upper() or "?"


def hue(name: str) -> int:
    """Which of the eight tints an avatar has; the same name always has the same."""
    return sum(map(ord, name)) % 8


def _local(value: datetime) -> datetime:
    return value.astimezone(ZoneInfo(READER.get().time_zone))


def _local_day(value: date | datetime | None) -> date | None:
    """The day in the shop's zone; the epoch stands for "never" in the facts and is missing here."""
    if value is None or value.year <= _EPOCH_YEAR:
        return None
    return _local(value).date() if isinstance(value, datetime) else value


def _how_long(day: date) -> str:
    today = _local(READER.get().now).date()
    days = (today - day).days
    if days == 0:
        return gettext("today")
    if days == 1:
        return gettext("yesterday")
    if 1 < days < _RECENT_DAYS:
        return ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": num(days)}
    return format_date(day, "d MMM" if day.year == today.year else "d MMM y")


FILTERS = {
    "num": num,
    "percent": percent,
    "money": money,
    "bonuses": bonuses,
    "signed": signed,
    "signed_money": signed_money,
    "date": format_date,
    "datetime": format_datetime,
    "time": format_time,
    "countdown": countdown,
    "days_between": days_between,
    "ago": ago,
    "phone": phone,
    "phone_masked": phone_masked,
    "initials": initials,
    "short_name": short_name,
    "hue": hue,
}
