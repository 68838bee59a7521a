"""Who people are, and what they answered."""

from datetime import date, timedelta
from typing import Any

from loyalty.clock import birthday_in
from loyalty.errors import Invalid
from loyalty.segments.filters.base import (
    MOST_CHOICES,
    Area,
    ChoiceFilter,
    Context,
    Filter,
    FlagFilter,
    Kind,
    ManyChoicesFilter,
    RangeFilter,
    Unit,
)
from loyalty.segments.rules.trees import Condition
from loyalty.wording import mark

BIRTHDAY_CODE = "((extract(month FROM c.birthday) * 100 + extract(day FROM c.birthday))::int)"
"""SQL: month x 100 + day, as the index customer_birthday has it."""
PROFILE = "EXISTS (SELECT FROM customer c WHERE c.id = f.customer_id AND {holds})"


class Gender(ChoiceFilter):
    """As the profile has it. Index: customer_gender."""

    key, label, area, column = "gender", mark("Gender"), Area.PERSON, "gender"
    choices = (("f", mark("Female")), ("m", mark("Male")), ("unknown", mark("Not known")))

    def test(self, wanted: list[Any], context: Context) -> str:
        """Both halves are things that the planner can count."""
        known = [one for one in wanted if one != "unknown"]
        tests = [f"c.gender = ANY({context.add(known)}::text[])"] if known else []
        tests += ["c.gender IS NULL"] if len(known) < len(wanted) else []
        return PROFILE.format(holds=f"({' OR '.join(tests)})")


class Age(RangeFilter):
    """Full years today, of those whose birthday is known."""

    key, label, area, column = "age", mark("Age"), Area.PERSON, "birthday"
    unit = Unit.YEARS

    @property
    def evidence(self) -> str | None:
        """It stands on the card."""
        return None

    def sql(self, condition: Condition, context: Context) -> str:
        """From the oldest birthday that is meant to the newest one."""
        low, high = self.read(condition)
        parts = ["c.birthday IS NOT NULL"]
        if low is not None:
            parts.append(f"c.birthday <= {context.add(years_before(context.today, low))}::date")
        if high is not None:
            parts.append(f"c.birthday > {context.add(years_before(context.today, high + 1))}::date")
        return PROFILE.format(holds=" AND ".join(parts))


class Birthday(Filter):
    """Coming in some days, today included, across the new year too; or in some months; or known at all.

    29 February is kept on the 28th in other years. Index: customer_birthday.
    """

    key, label, area, column = "birthday", mark("Birthday"), Area.PERSON, "birthday"
    kind = Kind.DAYS
    operators = ("soon", "month", "known", "unknown")

    def read(self, condition: Condition) -> list[int]:
        """The days ahead, or the months, 1 to 12."""
        if condition.operator in ("known", "unknown"):
            if condition.value:
                raise Invalid("value", "unknown_choice")
            return []
        parts = condition.value.split(".")
        if not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
            raise Invalid("value", "required" if not condition.value else "not_a_number")
        numbers = [int(part) for part in parts]
        if condition.operator == "soon" and (len(numbers) > 1 or numbers[0] > 366):
            raise Invalid("value", "not_a_number")
        if condition.operator == "month" and not all(1 <= month <= 12 for month in numbers):
            raise Invalid("value", "unknown_choice")
        return numbers

    def sql(self, condition: Condition, context: Context) -> str:
        """Known or not stands in the facts; the rest is asked along the index of the profile."""
        numbers = self.read(condition)
        if condition.operator in ("known", "unknown"):
            return f"f.birthday_code {'<>' if condition.operator == 'known' else '='} 0"
        if condition.operator == "month":
            ranges = [(month * 100, month * 100 + 31) for month in numbers]
        else:
            ranges = codes_ahead(context.today, numbers[0])
        tests = [
            f"{BIRTHDAY_CODE} BETWEEN {context.add(low)}::int AND {context.add(high)}::int" for low, high in ranges
        ]
        return PROFILE.format(holds=f"({' OR '.join(tests)})")


class Language(ChoiceFilter):
    """What people are written to in. Index: customer_language."""

    key, label, area, column = "language", mark("Language"), Area.PERSON, "language"
    choices = (("en", "English"), ("ru", "Русский"), ("uk", "Українська"))
    with_any = PROFILE.format(holds="c.language = ANY({wanted})")


class HasPhone(FlagFilter):
    """A number is known. Index: customer_without_phone."""

    key, label, area, column = "has_phone", mark("Phone is known"), Area.PERSON, "phone"
    holds = PROFILE.format(holds="c.phone IS NOT NULL")
    lacks = PROFILE.format(holds="c.phone IS NULL")


class PhoneIsVerified(FlagFilter):
    """Its owner has shown that it is theirs."""

    key, label, area, column = "phone_verified", mark("Phone is verified"), Area.PERSON, "phone"
    holds = PROFILE.format(holds="c.phone_verified_at IS NOT NULL")
    lacks = PROFILE.format(holds="c.phone_verified_at IS NULL")


class HasEmail(FlagFilter):
    """An address is known."""

    key, label, area, column = "has_email", mark("E-mail is known"), Area.PERSON, "email"
    holds = PROFILE.format(holds="c.email IS NOT NULL")
    lacks = PROFILE.format(holds="c.email IS NULL")


class Answered(ManyChoicesFilter):
    """What people answered to the shop's own questions of choice: `7-2` is the second choice of the seventh question.

    Index: answer_question.
    """

    key, label, area = "answer", mark("Answered"), Area.PERSON
    source = "answer"

    def read(self, condition: Condition) -> list[tuple[int, int]]:
        """Pairs of a question and a choice."""
        pairs = [part.split("-") for part in condition.value.split(".") if part]
        if not pairs:
            raise Invalid("value", "required")
        if len(pairs) > MOST_CHOICES:
            raise Invalid("value", "too_many", limit=MOST_CHOICES)
        if not all(
            len(pair) == 2 and all(one.isascii() and one.isdigit() and len(one) < 5 for one in pair) for pair in pairs
        ):
            raise Invalid("value", "unknown_choice")
        return [(int(question), int(choice)) for question, choice in pairs]

    def test(self, wanted: list[Any], context: Context) -> str:
        """Pairs are compared as pairs."""
        questions, choices = context.add([one[0] for one in wanted]), context.add([one[1] for one in wanted])
        return (
            "EXISTS (SELECT FROM answer a WHERE a.customer_id = f.customer_id AND (a.question_id, a.choice) IN"
            f" (SELECT * FROM unnest({questions}::int[], {choices}::smallint[])))"
        )


FILTERS = (Gender, Age, Birthday, Language, HasPhone, PhoneIsVerified, HasEmail, Answered)


def years_before(today: date, years: int) -> date:
    """The newest birthday of those who are `years` old today; the oldest date there is, for more than there are."""
    if today.year - years < 1:
        return date.min
    day = birthday_in(today, today.year - years)
    # Who was born on 29 February is a year older on the 28th of other years.
    if (day.month, day.day) == (2, 28) and birthday_in(date(2000, 2, 29), today.year).day == 28:
        leap = date(day.year, 2, 28) + timedelta(days=1)
        return leap if leap.month == 2 else day
    return day


def codes_ahead(today: date, days: int) -> list[tuple[int, int]]:
    """Ranges of month x 100 + day from today to `days` on, across the new year."""
    last = today + timedelta(days=min(days, 366))
    if (last - today).days >= 365:
        return [(101, 1231)]
    begin, end = _code(today), _code(last)
    if last.year == today.year:
        return [(begin, end)]
    return [(begin, 1231), (101, end)]


def _code(day: date) -> int:
    """Of a day; on 28 February of a year without a 29th both are kept."""
    if (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3:
        return 229
    return day.month * 100 + day.day
