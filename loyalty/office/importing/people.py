"""A line of a file of customers: what it says of whom, checked. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.clock import end_of_day, start_of_day
from loyalty.customers import labels
from loyalty.customers.rules import (
    check_birthday,
    check_note,
    clean_email,
    clean_name,
    is_card_number,
    normalise_phone,
)
from loyalty.errors import Invalid
from loyalty.money import parse_amount
from loyalty.office.importing import Options
from loyalty.office.importing.cells import GENDERS, LANGUAGES, day_in, names_in, one_of, share_in, yes_or_no
from loyalty.segments.rules.segments import NAME_LENGTH as SEGMENT_NAME_LENGTH

FIRST_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Ground:
    """What lines are read against: the shop, its places and labels by their names in small letters.

    asked_segments: those by conditions, which nobody is put into by hand.
    """

    options: Options
    region: str
    language: str
    zone: str
    today: date
    now: datetime
    bonus_step: int
    locations: Mapping[str, int]
    categories: Mapping[str, int]
    segments: Mapping[str, int]
    asked_segments: frozenset[str]
    importance: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a line says, checked. Labels by their names, in small letters; None and (): nothing.

    lot: (hundredths, spendable from, until before or None for the programme's own term). is_known_by_mail: nothing
    else tells who it is.
    """

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    card: str | None = None
    gender: str | None = None
    birthday: date | None = None
    language: str | None = None
    home_location_id: int | None = None
    categories: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    importance: int | None = None
    discount_bp: int | None = None
    note: str | None = None
    marketing: bool | None = None
    registered_at: datetime | None = None
    lot: tuple[int, datetime | None, datetime | None] | None = None

    @property
    def is_known_by_mail(self) -> bool:
        """Whether nothing but the e-mail tells who it is."""
        return self.phone is None and self.card is None

    def to_body(self) -> dict[str, Any]:
        """As it is kept between a dry run and the run: only what was said."""
        body: dict[str, Any] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            if value in (None, ()):
                continue
            if isinstance(value, tuple):
                value = [one.isoformat() if isinstance(one, datetime) else one for one in value]
            body[name] = value.isoformat() if isinstance(value, date | datetime) else value
        return body


def draft_from(body: Mapping[str, Any]) -> Draft:
    """What `to_body` kept."""
    values = dict(body)
    if "birthday" in values:
        values["birthday"] = date.fromisoformat(values["birthday"])
    if "registered_at" in values:
        values["registered_at"] = datetime.fromisoformat(values["registered_at"])
    if "lot" in values:
        amount, *moments = values["lot"]
        values["lot"] = (amount, *(datetime.fromisoformat(one) if one else None for one in moments))
    for name in ("categories", "segments"):
        values[name] = tuple(values.get(name, ()))
    return Draft(**values)


# ------------------------------------------------------------------------------------------- reading


def draft_of(cells: Mapping[str, str], ground: Ground) -> Draft:
    """What a line says. cells: what stands in it, by target; empty ones left out.

    Raises Invalid(target, reason) for the first cell that is wrong; Invalid("phone", "no_key") when nothing in it
    tells who it is, for then a second run could not know them again.
    """
    said = cells.get
    phone = normalise_phone(said("phone", ""), ground.region) if said("phone") else None
    card = _card(cells["card"]) if said("card") else None
    email = clean_email(said("email", ""))
    if phone is None and card is None and email is None:
        raise Invalid("phone", "no_key")
    return Draft(
        name=_name(cells),
        phone=phone,
        email=email,
        card=card,
        gender=one_of(cells["gender"], "gender", GENDERS) if said("gender") else None,
        birthday=_birthday(cells["birthday"], ground) if said("birthday") else None,
        language=one_of(cells["language"], "language", LANGUAGES) if said("language") else None,
        home_location_id=_location(cells["home_location"], ground) if said("home_location") else None,
        categories=_labels(cells, "categories", labels.NAME_LENGTH, ground.categories, ground),
        segments=_labels(cells, "segments", SEGMENT_NAME_LENGTH, ground.segments, ground),
        importance=_importance(cells["importance"], ground) if said("importance") else None,
        discount_bp=share_in(cells["discount"], "discount") or None if said("discount") else None,
        note=_note(cells["note"]) if said("note") else None,
        marketing=yes_or_no(cells["marketing"], "marketing") if said("marketing") else None,
        registered_at=_registered(cells["registered_on"], ground) if said("registered_on") else None,
        lot=_lot(cells, ground),
    )


def _name(cells: Mapping[str, str]) -> str | None:
    whole = cells.get("name") or " ".join(
        cells[part] for part in ("first_name", "middle_name", "last_name") if cells.get(part)
    )
    return clean_name(whole) if whole.strip() else None


def _card(text: str) -> str:
    number = text.replace(" ", "").replace("-", "")
    # A table that takes it for a figure drops the noughts it begins with.
    number = number.rjust(8, "0") if number.isascii() and number.isdigit() else number
    if not is_card_number(number):
        raise Invalid("card", "not_a_card_number")
    return number


def _birthday(text: str, ground: Ground) -> date:
    return check_birthday(day_in(text, "birthday", ground.options.date_order, today=ground.today), ground.today)


def _location(text: str, ground: Ground) -> int:
    return one_of(text, "home_location", dict(ground.locations))


def _importance(text: str, ground: Ground) -> int:
    return one_of(text, "importance", dict(ground.importance))


def _labels(
    cells: Mapping[str, str], key: str, limit: int, known: Mapping[str, int], ground: Ground
) -> tuple[str, ...]:
    names = [name for name in names_in(cells.get(key, ""), key, limit) if name.isprintable()]
    if key == "segments" and any(name.casefold() in ground.asked_segments for name in names):
        raise Invalid(key, "segment_has_conditions")
    if not ground.options.make_missing and any(name.casefold() not in known for name in names):
        raise Invalid(key, "unknown_label")
    return tuple(sorted(names, key=str.casefold))


def _note(text: str) -> str:
    try:
        return check_note(text)
    except Invalid as error:
        raise Invalid("note", error.reason, **error.details) from None


def _registered(text: str, ground: Ground) -> datetime:
    day = day_in(text, "registered_on", ground.options.date_order, today=ground.today)
    if not FIRST_DAY <= day <= ground.today:
        raise Invalid("registered_on", "not_in_the_past")
    return min(datetime.combine(day, time(12), ZoneInfo(ground.zone)), ground.now)


def _lot(cells: Mapping[str, str], ground: Ground) -> tuple[int, datetime | None, datetime | None] | None:
    """An opening balance with its dates; none for nothing and for nought."""
    if not cells.get("opening"):
        return None
    amount = parse_amount(cells["opening"], 2, field="opening")
    if not amount:
        return None
    if amount % ground.bonus_step:
        raise Invalid("opening", "not_a_step", step=ground.bonus_step)
    order, dates = ground.options.date_order, {}
    for key in ("opening_earned_on", "opening_expires_on"):
        dates[key] = day_in(cells[key], key, order, today=ground.today) if cells.get(key) else None
    earned, expires = dates["opening_earned_on"], dates["opening_expires_on"]
    if earned is not None and not FIRST_DAY <= earned <= date(2099, 12, 31):
        raise Invalid("opening_earned_on", "not_a_date")
    if expires is not None and (expires < ground.today or expires.year > 2099):
        raise Invalid("opening_expires_on", "is_over" if expires < ground.today else "not_a_date")
    if earned is not None and expires is not None and expires < earned:
        raise Invalid("opening_expires_on", "ends_before_it_begins")
    return (
        amount,
        start_of_day(earned, ground.zone) if earned is not None else None,
        end_of_day(expires, ground.zone) if expires is not None else None,
    )


def labels_to_make(drafts: Sequence[Draft], ground: Ground) -> dict[str, dict[str, str]]:
    """Names that nothing has yet, by kind and in small letters."""
    made: dict[str, dict[str, str]] = {"categories": {}, "segments": {}}
    for draft in drafts:
        for key, known in (("categories", ground.categories), ("segments", ground.segments)):
            for name in getattr(draft, key):
                if name.casefold() not in known:
                    made[key].setdefault(name.casefold(), name)
    return made
