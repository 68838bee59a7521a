"""What columns are guessed to be, and how the words in their cells are understood."""

from datetime import UTC, date, datetime, time

import pytest

from loyalty.customers.rules import clean_text
from loyalty.errors import Invalid
from loyalty.office.importing import DateOrder, Kind, Mode, Options, Pass, Settings, settings_from
from loyalty.office.importing.cells import (
    GENDERS,
    day_in,
    moment_in,
    names_in,
    one_of,
    share_in,
    time_in,
    yes_or_no,
)
from loyalty.office.importing.columns import Columns, guess, header_of, order_of
from loyalty.office.importing.people import Draft, draft_from

TODAY = date(2026, 3, 10)
PEOPLE = Kind.CUSTOMERS


def looked_at(*lines: tuple[str, ...]) -> Columns:
    columns = Columns()
    for line in lines:
        columns.look_at(line)
    return columns


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Name", "Phone", "E-mail", "Birthday"), ("name", "phone", "email", "birthday")),
        (("Имя", "Фамилия", "Отчество", "Моб. телефон"), ("first_name", "last_name", "middle_name", "phone")),
        (("Имя", "Телефон", "Эл. почта"), ("name", "phone", "email")),
        (("ФИО", "ТЕЛЕФОН", "Дата рождения", "Пол"), ("name", "phone", "birthday", "gender")),
        (("ПІБ", "Номер телефону", "Дата народження", "Стать"), ("name", "phone", "birthday", "gender")),
        (("Ім'я", "Прізвище", "Пошта", "Картка"), ("first_name", "last_name", "email", "card")),
        (("Клиент", "Баллы", "Дата сгорания", "Комментарий"), ("name", "opening", "opening_expires_on", "note")),
        (("Телефон", "Телефон", "Категория"), ("phone", "", "categories")),
        (("Телефон менеджера", "Что-то"), ("", "")),
    ],
)
def test_names_of_columns_are_known_in_three_languages_each_once(names, expected):
    assert guess(names, [], PEOPLE) == expected


def test_columns_without_a_name_are_known_by_what_stands_in_them():
    columns = looked_at(
        ("Анна", "8 (916) 111-22-33", "anna@example.com", "14.05.1990", "12"),
        ("Борис", "+79162223344", "b@example.com", "1.2.85", ""),
    )
    assert guess((), columns.all, PEOPLE) == ("", "phone", "email", "birthday", "")
    # A name that says something else is believed.
    assert guess(("", "Телефон менеджера"), columns.all, PEOPLE)[1] == ""


def test_a_column_of_cards_is_theirs_only_where_the_numbers_are_of_our_kind():
    ours, others = looked_at(("12345674",), ("00000018",)), looked_at(("4571",), ("99021",))
    assert guess(("Карта",), ours.all, PEOPLE) == ("card",)
    assert guess(("Карта",), others.all, PEOPLE) == ("",)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("03/04/2020", "31/12/2020"), DateOrder.DAY_FIRST),
        (("03/04/2020", "12/31/2020"), DateOrder.MONTH_FIRST),
        (("03/04/2020", "04/05/2020"), DateOrder.DAY_FIRST),
        (("2020-12-31",), DateOrder.DAY_FIRST),
    ],
)
def test_the_whole_column_tells_whether_the_day_comes_first(cells, expected):
    assert order_of(looked_at(*((cell,) for cell in cells)).all) is expected


def test_the_line_of_names_is_found_beneath_a_title_and_missed_where_there_is_none():
    title, names, line = (1, ["Клиенты, май 2026"]), (3, ["Имя", "Телефон"]), (4, ["Анна", "+79161112233"])
    assert header_of([title, names, line], PEOPLE) == (3, ("Имя", "Телефон"))
    assert header_of([line, (5, ["Борис", "+79162223344"])], PEOPLE) == (0, ())
    assert header_of([(1, ["Кто", "Куда звонить"]), line], PEOPLE) == (1, ("Кто", "Куда звонить"))


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2026-03-04", DateOrder.MONTH_FIRST, date(2026, 3, 4)),
        ("04.03.2026", DateOrder.DAY_FIRST, date(2026, 3, 4)),
        ("03/04/2026", DateOrder.MONTH_FIRST, date(2026, 3, 4)),
        ("4-3-26", DateOrder.DAY_FIRST, date(2026, 3, 4)),
        ("4.3.85", DateOrder.DAY_FIRST, date(1985, 3, 4)),
        ("04.03.2026 00:00:00", DateOrder.DAY_FIRST, date(2026, 3, 4)),
        ("2026-03-04T10:00:00Z", DateOrder.DAY_FIRST, date(2026, 3, 4)),
    ],
)
def test_days_are_understood_as_people_write_them(text, order, expected):
    assert day_in(text, "birthday", order, today=TODAY) == expected


@pytest.mark.parametrize("text", ["", "31.02.2026", "4 марта", "20260304", "٠٤.٠٣.٢٠٢٦", "1.1.1", "12/31/2026"])
def test_what_is_no_day_is_refused(text):
    with pytest.raises(Invalid, match="not_a_date"):
        day_in(text, "birthday", DateOrder.DAY_FIRST, today=TODAY)


def test_times_are_read_by_24_hours_and_by_halves_of_a_day():
    assert [time_in(text, "time") for text in ("9:05", "21.30", "9:05 PM", "12:00 am")] == [
        time(9, 5),
        time(21, 30),
        time(21, 5),
        time(0),
    ]
    for text in ("24:00", "13:00 pm", "9", "полдень"):
        with pytest.raises(Invalid, match="not_a_time"):
            time_in(text, "time")
    moments = ("04.03.2026 15:30", "2026-03-04T15:30:00", "2026-03-04 15:30:00.000", "04.03.2026 3:30 PM")
    assert {moment_in(one, "starts_at", DateOrder.DAY_FIRST, today=TODAY) for one in moments} == {
        datetime(2026, 3, 4, 15, 30)  # noqa: DTZ001  a time on a wall
    }


def test_yes_and_no_genders_shares_and_names_are_understood():
    assert [yes_or_no(text, "marketing") for text in ("Да", "TRUE", "1", "нет", "Ні", "-")] == [True] * 3 + [False] * 3
    assert [one_of(text, "gender", GENDERS) for text in ("Ж", "муж.", "Female", "чол.")] == ["f", "m", "f", "m"]
    assert [share_in(text, "discount") for text in ("5", "7,5 %", "0.25%", "100")] == [500, 750, 25, 10_000]
    assert names_in("VIP, vip;  Офис\nЧай|", "categories", 40) == ["VIP", "Офис", "Чай"]
    for text, reason in (("-5", "not_a_share"), ("пять", "not_a_share"), ("101", "not_a_share")):
        with pytest.raises(Invalid, match=reason):
            share_in(text, "discount")
    with pytest.raises(Invalid, match="too_many"):
        names_in(",".join(map(str, range(30))), "categories", 40)


def test_what_a_line_says_is_kept_and_read_again_as_it_was():
    lot = (100_00, None, datetime(2026, 12, 31, 21, tzinfo=UTC))
    whole = Draft(
        "Анна", "+79161112233", "a@b.cc", None, "f", date(1990, 5, 14), "ru", 1, ("VIP",), (), 2, 500, "Чай", False,
        datetime(2026, 1, 1, tzinfo=UTC), lot,
    )  # fmt: skip
    assert draft_from(whole.to_body()) == whole
    assert draft_from(Draft().to_body()) == Draft()
    settings = Settings({"a": 1}, 3, ("x",), ("phone",), Options(Mode.LEAVE, DateOrder.MONTH_FIRST, True), Pass.TWINS)
    assert settings_from(settings.to_body()) == settings
    assert settings_from({}) == Settings()


@pytest.mark.parametrize(
    "text", ["Анна  Белова", "a\x00b", "é", "e\u0301", "👩\u200d🚒 x", " \u202eab ", "\u00a0a", "\u2028"]
)
def test_the_short_way_of_cleaning_a_text_gives_what_the_long_one_does(text):
    slow = clean_text(f"{text}\x00")
    assert clean_text(text) == slow
