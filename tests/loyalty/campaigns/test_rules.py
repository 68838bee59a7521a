"""Words of campaigns and the clocks they go by."""

import random
import string
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from loyalty.campaigns.rules.repeating import (
    LAST_DAY,
    by_cron,
    check_repeat,
    instant_of,
    monthly,
    next_time,
    weekly,
)
from loyalty.campaigns.rules.texts import (
    TEXT_LENGTH,
    VARIABLES,
    ButtonKind,
    CampaignButton,
    Words,
    checked_words,
    content_for,
)
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.content import fit
from loyalty.errors import Invalid
from tests.proofs.conftest import sized

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def leaps(zone: str, year: int) -> list[tuple[datetime, int]]:
    """(instant, minutes) of each change of the clocks in a year."""
    place, found = ZoneInfo(zone), []
    moment = datetime(year, 1, 1, tzinfo=UTC)
    while moment.year == year:
        following = moment + timedelta(minutes=30)
        before, after = moment.astimezone(place).utcoffset(), following.astimezone(place).utcoffset()
        assert before is not None
        assert after is not None
        if after != before:
            found.append((following, int((after - before).total_seconds()) // 60))
        moment = following
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_a_time_that_is_leapt_over_moves_to_the_next_and_a_doubled_one_runs_once(zone):
    place = ZoneInfo(zone)
    changes = leaps(zone, 2026)
    assert sorted(minutes > 0 for _, minutes in changes) == [False, True]
    for instant, minutes in changes:
        local = instant.astimezone(place).replace(tzinfo=None)
        begins = local - timedelta(minutes=max(0, minutes))
        wall = begins + timedelta(minutes=abs(minutes) // 2)
        repeat = by_cron(f"{wall.minute} {wall.hour} * * *")
        times: list[datetime] = []
        following = next_time(repeat, zone, instant - timedelta(days=2))
        while following is not None and following < instant + timedelta(days=2):
            times.append(following)
            following = next_time(repeat, zone, following)
        days = [one.astimezone(place).date() for one in times]
        assert days == [days[0] + timedelta(days=number) for number in range(len(days))]
        [on_the_day] = [one for one in times if one.astimezone(place).date() == wall.date()]
        assert on_the_day == (instant if minutes > 0 else instant_of(wall, zone))
        if minutes < 0:
            assert on_the_day.astimezone(place).fold == 0


def test_every_hour_leaves_out_no_hour_and_doubles_none_while_the_clocks_change():
    for zone in ZONES:
        repeat, moment = by_cron("0 * * * *"), datetime(2026, 1, 1, tzinfo=UTC)
        seen = set()
        while (following := next_time(repeat, zone, moment)) is not None and following.year == 2026:
            local = following.astimezone(ZoneInfo(zone))
            assert following > moment
            assert (local.replace(tzinfo=None)) not in seen
            seen.add(local.replace(tzinfo=None))
            moment = following


def test_days_of_the_week_and_of_the_month_are_those_that_were_asked_for():
    after = datetime(2026, 1, 30, 12, tzinfo=UTC)
    assert next_time(weekly([7], time(9)), "UTC", after) == datetime(2026, 2, 1, 9, tzinfo=UTC)
    assert next_time(by_cron("0 9 * * 0"), "UTC", after) == datetime(2026, 2, 1, 9, tzinfo=UTC)
    assert next_time(by_cron("0 9 * * 1-5"), "UTC", after) == datetime(2026, 2, 2, 9, tzinfo=UTC)
    assert next_time(monthly(LAST_DAY, time(9)), "UTC", datetime(2026, 2, 1, tzinfo=UTC)) == datetime(
        2026, 2, 28, 9, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "required"),
        ("* * *", "not_a_cron_line"),
        ("a b c d e", "not_a_cron_line"),
        ("0 10 * * 9", "not_a_cron_line"),
        ("*/5 * * * *", "too_often"),
        ("0 10 30 2 *", "never_comes"),
    ],
)
def test_a_line_of_cron_that_cannot_be_meant_is_refused(line, reason):
    with pytest.raises(Invalid) as error:
        check_repeat(by_cron(line), "Europe/Moscow", NOON)
    assert (error.value.field, error.value.reason) == ("cron", reason)


@pytest.mark.parametrize(
    ("buttons", "field", "reason"),
    [
        ([("link", {"ru": "Меню"}, "http://shop.example")], "url-1", "must_be_https"),
        ([("link", {"ru": "Меню"}, "https://user@shop.example")], "url-1", "not_a_url"),
        ([("link", {"ru": "Меню"}, "javascript:alert(1)")], "url-1", "must_be_https"),
        ([("link", {"ru": "Меню"}, "https://shop")], "url-1", "not_a_url"),
        ([("link", {"ru": "Меню"}, "https://shop.example:x")], "url-1", "not_a_url"),
        ([("reply", {"en": "Yes"}, "")], "label-1-ru", "required"),
        ([("reply", {"ru": "я" * 21}, "")], "label-1-ru", "too_long"),
        ([("card", {"ru": "Да"}, ""), ("reply", {"ru": "да"}, "")], "buttons", "named_twice"),
        ([("reply", {"ru": str(number)}, "") for number in range(4)], "buttons", "too_many"),
    ],
)
def test_a_button_that_cannot_be_shown_names_its_field(buttons, field, reason):
    made = tuple(CampaignButton(ButtonKind(kind), labels, url) for kind, labels, url in buttons)
    with pytest.raises(Invalid) as error:
        checked_words(Words({"ru": "Привет"}, buttons=made), "ru")
    assert (error.value.field, error.value.reason) == (field, reason)


@pytest.mark.prove
def test_nothing_in_a_text_is_ever_evaluated_and_what_is_not_known_is_refused():
    """Mutated templates of other engines, braces and control signs: kept as plain words, or refused with a reason."""
    random.seed(20_261)
    seeds = (
        "{first_name}, {balance} у вас", "{{ 7*7 }}", "{% for x in y %}", "${jndi:ldap://x}", "%(first_name)s", "{0}",
        "{first_name!r}", "{first_name.__class__}", "{__import__('os')}", "#{7*7}", "<%= 7 %>", "{ first_name }",
        "{FIRST_NAME}", "{first_name}{first_name}", "{{first_name}}", "\x00{tier}", "\ud800", "{bonus:>1000000000}",
    )  # fmt: skip
    values = dict.fromkeys(VARIABLES, "{first_name}<b>%s{{7*7}}")
    kept, refused = 0, list[str | None]()
    for _ in range(sized(1_000, 10_000)):
        text = "".join(random.choices(seeds, k=random.randint(1, 4)))
        for _ in range(random.randint(0, 6)):
            place = random.randrange(len(text) + 1)
            text = text[:place] + random.choice(string.printable + "{}%$\u202e") + text[place:]
        try:
            words = checked_words(Words({"ru": text}, {"location": {"ru": "x"}}), "ru")
        except Invalid as error:
            refused.append(error.field)
            continue
        kept += 1
        said = content_for(words, "ru", "ru", values).text
        assert "49" not in said or "49" in text
        assert len(said) <= TEXT_LENGTH + 30 * TEXT_LENGTH
        for able in CAPABILITIES.values():
            assert len(fit(content_for(words, "ru", "ru", values), able).text) <= able.text_length
    assert kept > 10
    assert set(refused) == {"text-ru"}
