"""A campaign in several wordings: what may be one, who draws which, what each person reads, which did better."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction

import pytest

from loyalty import db
from loyalty.campaigns.actions.clicking import follow
from loyalty.campaigns.actions.drafting import Chosen, add_draft, change_draft, copy_campaign
from loyalty.campaigns.actions.feeding import feed_due
from loyalty.campaigns.actions.reporting import report_campaign
from loyalty.campaigns.actions.starting import start_due
from loyalty.campaigns.actions.trying import send_trial
from loyalty.campaigns.effect import Arm, Pair, Verdict, compare, estimate
from loyalty.campaigns.links import Click
from loyalty.campaigns.queries.campaigns import campaign
from loyalty.campaigns.queries.reach import Manner, split_of
from loyalty.campaigns.queries.report import count_report, kept_report
from loyalty.campaigns.queries.wordings import WordingCount, wordings_of
from loyalty.campaigns.rules.drafts import CampaignDraft, Terms, Timing
from loyalty.campaigns.rules.repeating import weekly
from loyalty.campaigns.rules.texts import LEFT_OUT, LETTERS, TEXT_LENGTH, Words, checked_words
from loyalty.conversations.content import Content
from loyalty.errors import Invalid
from loyalty.ids import new_key
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.queries.verify import verify
from loyalty.segments.queries.audience import Audience
from loyalty.staff.rules import COMMAND
from tests.builders import (
    EVERYBODY,
    NOW,
    a_campaign,
    a_cashier,
    a_location,
    a_message,
    a_programme,
    a_sale,
    assert_books_agree,
)
from tests.loyalty.campaigns import frozen
from tests.loyalty.campaigns.frozen import a_recipient, chat_of
from tests.loyalty.campaigns.test_campaigns import BOTH, LATER, a_reader
from tests.loyalty.campaigns.test_effect import arm, some
from tests.proofs.test_bulk import MANY_PEOPLE

THREE = Words(
    {"ru": "Первое для {first_name}", "en": "First for {first_name}"},
    other_texts=(
        {"ru": "Второе для {first_name}", "en": "Second for {first_name}"},
        {"ru": "Третье", "en": "Third"},
    ),
)
DRAFT = CampaignDraft("Осень", THREE)
DAY = timedelta(days=1)
LOTS = "SELECT customer_id, variant, state FROM recipient WHERE campaign_id = $1 ORDER BY 1"


@pytest.fixture
async def shop(database) -> None:
    await a_programme()


def test_wordings_are_kept_in_their_order_and_share_all_but_their_text():
    words = checked_words(replace(THREE, fallbacks={"first_name": {"ru": "друг"}}, attachment=7), "ru")
    assert [one.texts["ru"][:5] for one in words.wordings] == ["Перво", "Второ", "Треть"]
    assert {(one.attachment, one.other_texts) for one in words.wordings} == {(7, ())}
    assert {str(one.fallbacks) for one in words.wordings} == {"{'first_name': {'ru': 'друг'}}"}
    # What any of them needs, all do: who reads which is nobody's choice.
    assert replace(words, fallbacks={"first_name": LEFT_OUT}).needed == ["first_name"]
    assert words.named == {"first_name"}


@pytest.mark.parametrize(
    ("others", "field", "reason"),
    [
        (({},), "text-b-ru", "required"),
        (({"ru": "Б"}, {"ru": " \n "}), "text-c-ru", "required"),
        (({"ru": "я" * (TEXT_LENGTH + 1)},), "text-b-ru", "too_long"),
        (({"ru": "{name}"},), "text-b-ru", "unknown_variable"),
        (({"ru": "{"},), "text-b-ru", "odd_braces"),
        (({"ru": "Б"}, {"ru": "\x00"}), "text-c-ru", "odd_characters"),
        (({"ru": " А"},), "text-b-ru", "same_wording"),
        (({"ru": "Б"}, {"ru": "Б"}), "text-c-ru", "same_wording"),
        (({"ru": "Б", "en": "B"},), "text-en", "told_in_another_wording"),
        (({"ru": "Б"}, {"ru": "В"}, {"ru": "Г"}), "wordings", "too_many"),
        (({"ru": "{location}"},), "fallback-location-ru", "required"),
    ],
)
def test_a_wording_that_cannot_be_compared_names_its_field(others, field, reason):
    with pytest.raises(Invalid) as error:
        checked_words(Words({"ru": "А"}, other_texts=others), "ru")
    assert (error.value.field, error.value.reason) == (field, reason)


def test_a_wording_less_in_a_language_of_the_first_is_refused():
    with pytest.raises(Invalid) as error:
        checked_words(Words({"ru": "А", "en": "A"}, other_texts=({"ru": "Б"},)), "ru")
    assert (error.value.field, error.value.reason) == ("text-b-en", "told_in_another_wording")


async def drawn(manner: Manner) -> dict[int, tuple[bool, int]]:
    """Of everybody: whether they are of the control group, and which wording is theirs."""
    split = await split_of(Audience(), manner, working=BOTH, now=NOW)
    rows = await db.fetch_planned(split.sql, *split.params)
    return {row["customer_id"]: (row["is_drawn"], row["variant"]) for row in rows}


@pytest.mark.parametrize("wordings", [2, 3])
async def test_wordings_are_drawn_evenly_by_a_seed_and_apart_from_the_control_group(shop, wordings):
    await db.execute(MANY_PEOPLE.replace("to_char(number", "to_char(70000000 + number"), 3_000)
    lots = [await drawn(Manner(control_bp=4_000, seed=seed, wordings=wordings)) for seed in (0, 1, 2**31 - 1)]
    for lot in lots:
        found: dict[tuple[bool, int], int] = {}
        for one in lot.values():
            found[one] = found.get(one, 0) + 1
        expected = {
            (side, n): 3_000 * (0.4 if side else 0.6) / wordings for side in (True, False) for n in range(wordings)
        }
        # Chi squared of a table of two lots: so large a value comes once in a hundred thousand.
        assert sum((found[key] - many) ** 2 / many for key, many in expected.items()) < 32
    assert lots[0] == await drawn(Manner(control_bp=4_000, wordings=wordings))
    alike = sum(lots[0][one][1] == lots[1][one][1] for one in lots[0])
    assert abs(alike - 3_000 / wordings) < 150
    # One wording is drawn by nobody.
    assert {variant for _, variant in (await drawn(Manner(seed=1))).values()} == {0}


async def test_each_reads_their_own_wording_in_their_language_and_who_is_left_out_drew_none(shop):
    english = {await a_reader("Anna Belova", language="en") for _ in range(20)}
    russian = {await a_reader("Мария Соколова") for _ in range(20)}
    silent = {await a_reader(says_yes=False) for _ in range(8)}
    campaign_id = await a_campaign(replace(DRAFT, terms=Terms(control_bp=2_000)))
    rows = await db.fetch(LOTS, campaign_id)
    assert {row["variant"] for row in rows if row["state"] == "waiting"} == {0, 1, 2}
    assert {row["variant"] for row in rows if row["state"] != "waiting"} == {0}
    await feed_due(now=LATER)
    told = await db.fetch("SELECT customer_id, content FROM message WHERE kind = 'bulk'")
    said = {row["customer_id"]: Content.from_body(db.from_json(row["content"])).text for row in told}
    names = {
        "en": ("First for Anna", "Second for Anna", "Third"),
        "ru": ("Первое для Мария", "Второе для Мария", "Третье"),
    }
    assert said == {
        row["customer_id"]: names["en" if row["customer_id"] in english else "ru"][row["variant"]]
        for row in rows
        if row["state"] == "waiting"
    }
    assert russian & said.keys()
    assert not silent & said.keys()
    await assert_books_agree(now=LATER)


async def test_a_kept_draft_a_copy_and_each_time_of_a_series_have_all_wordings(shop):
    people = [await a_reader() for _ in range(30)]
    every_day = weekly([1, 2, 3, 4, 5, 6, 7], time(10, 0))
    timing = Timing(repeat=every_day, zone="Europe/Moscow")
    series = await a_campaign(replace(DRAFT, timing=timing))
    first = datetime(2026, 3, 11, 7, tzinfo=UTC)
    for at in (first, first + DAY):
        assert await start_due(now=at) == 1
    copied = await copy_campaign(series, key="1", actor=COMMAND, now=NOW)
    rows = await db.fetch("SELECT id FROM campaign WHERE series_id = $1 ORDER BY id", series)
    lots = []
    for row in rows:
        assert (await campaign(row["id"])).draft.words == THREE
        lots.append([one["variant"] for one in await db.fetch(LOTS, row["id"])])
    # Each time draws anew.
    assert lots[0] != lots[1]
    assert len(lots[0]) == len(people)
    view = await campaign(copied)
    assert view.draft.words == THREE
    alone = replace(view.draft, words=replace(THREE, other_texts=()))
    await change_draft(copied, alone, actor=COMMAND, now=NOW)
    assert (await campaign(copied)).draft.words.wordings == (alone.words,)
    assert await db.fetch_value("SELECT other_texts FROM campaign WHERE id = $1", copied) is None


async def test_a_trial_sends_each_wording_once_in_their_order(shop):
    me = await a_cashier()
    person = await a_reader()
    await db.execute("UPDATE staff_member SET phone = '+79165558811' WHERE id = $1", me.staff_id)
    await db.execute("UPDATE customer SET phone = '+79165558811', phone_verified_at = $2 WHERE id = $1", person, NOW)
    campaign_id = await add_draft(DRAFT, EVERYBODY, key=new_key(), actor=me, now=NOW)
    for _ in range(2):
        await send_trial(campaign_id, "en", {"first_name": "Ann"}, channels=BOTH, key="1", actor=me, now=NOW)
    rows = await db.fetch("SELECT content FROM message ORDER BY id")
    assert [db.from_json(row["content"])["text"] for row in rows] == ["First for Ann", "Second for Ann", "Third"]


async def test_an_erasure_takes_every_wording_of_words_for_them_alone(shop):
    person, other = await a_reader("Мария Соколова"), await a_reader()
    sent = await a_campaign(DRAFT, Chosen(ids=(person,)))
    await db.execute("UPDATE recipient SET variant = 2")
    both = await a_campaign(DRAFT, Chosen(ids=(person, other)))
    ahead = await add_draft(DRAFT, Chosen(ids=(person,)), key=new_key(), actor=COMMAND, now=NOW)
    await erase_customer(person, actor=COMMAND, now=LATER)
    for campaign_id in (sent, ahead):
        words = (await campaign(campaign_id)).draft.words
        assert (words.texts, words.other_texts) == ({}, ())
    assert (await campaign(both)).draft.words == THREE
    await assert_books_agree(now=LATER)


async def test_the_books_tell_of_a_wording_that_nobody_wrote(shop):
    person = await a_reader()
    one = await a_campaign(
        CampaignDraft("Осень", replace(THREE, other_texts=THREE.other_texts[:1])), Chosen(ids=(person,))
    )
    await assert_books_agree(now=LATER)
    await db.execute("UPDATE recipient SET variant = 2")
    found = [each for each in (await verify(now=LATER)).differences if each.check == "wording of recipient"]
    assert [(each.id, each.customer_id, each.expected, each.found) for each in found] == [(one, person, 1, 2)]
    await db.execute("UPDATE recipient SET variant = 1, state = 'control', account_id = NULL")
    assert "wording of recipient" in {each.check for each in (await verify(now=LATER)).differences}


async def test_each_wording_is_counted_by_whom_it_was_drawn_for(shop):
    place = await a_location()
    campaign_id = await frozen.a_campaign(buttons=("https://menu.example",))
    await db.execute('UPDATE campaign SET other_texts = \'[{"ru": "Б"}, {"ru": "В"}]\'')
    plain, failed, second, left = [
        await a_recipient(campaign_id, one, reason="too_late" if one == "skipped" else None)
        for one in ("sent", "failed", "sent", "skipped")
    ]
    drawn_not_to, before = (
        await a_recipient(campaign_id, "control"),
        await a_recipient(campaign_id, "skipped", reason="blocked"),
    )
    await db.execute("UPDATE recipient SET variant = 1 WHERE customer_id = ANY($1::bigint[])", [second, left])
    for person in (plain, second):
        await follow(Click(campaign_id, person, 0), counts=True, now=NOW + DAY)
        await follow(Click(campaign_id, person, 0), counts=True, now=NOW + DAY)
    account_id = await chat_of(second)
    await a_message(account_id, "Спасибо", now=NOW + DAY)
    await db.execute("UPDATE conversation SET heard_at = $2 WHERE account_id = $1", account_id, NOW + DAY)
    for person, total in ((plain, 500_00), (failed, 100_00), (left, 250_00), (drawn_not_to, 9_00), (before, 7_00)):
        await a_sale(person, place, total, now=NOW + DAY)
    early = (await count_report(campaign_id, now=NOW + 2 * DAY)).wordings
    assert early.counts == (
        WordingCount(2, 1, 0, 1, 2, 600_00),
        WordingCount(2, 1, 1, 1, 1, 250_00),
        WordingCount(0, 0, 0, 0, 0, 0),
    )
    assert [one.revenue_each for one in early.counts] == [300_00, 125_00, None]
    assert (early.verdict, early.pairs) == (Verdict.EARLY, ())
    report = await report_campaign(campaign_id, now=NOW + 8 * DAY)
    assert report.wordings.verdict is Verdict.TOO_SMALL
    assert [(one.first, one.other) for one in report.wordings.pairs] == [(0, 1), (0, 2), (1, 2)]
    assert (report.revenue, report.bought, report.replied, report.control_revenue) == (850_00, 3, 1, 9_00)
    assert await kept_report(campaign_id) == report
    await db.execute("UPDATE campaign SET window_days = 0")
    without = (await count_report(campaign_id, now=NOW + 8 * DAY)).wordings
    assert (without.verdict, without.counts[0]) == (Verdict.NO_WINDOW, WordingCount(2, 1, 0, 1))
    await db.execute("UPDATE campaign SET other_texts = NULL")
    assert (await count_report(campaign_id, now=NOW + 8 * DAY)).wordings.counts == ()


def sales(variant: int, paid: list[int], *, is_control: bool = False) -> dict[str, object]:
    """What the people of one wording bought, as the report's statement tells it."""
    group = arm(paid)
    told = {name: getattr(group, name) for name in ("people", "buyers", "total", "squares", "cubes")}
    return told | {"variant": variant, "is_control": is_control, "bought": group.buyers}


def test_the_better_wording_is_told_when_the_window_is_over_and_the_control_group_is_none_of_them():
    better, plain, control = some(1000, 0.3, 500_00), some(1000, 0.1, 500_00, seed=2), [900_00] * 400
    rows = [sales(0, plain), sales(1, better), sales(0, control, is_control=True)]
    told = wordings_of(2, [], {}, rows, is_over=True)
    [pair] = told.pairs
    assert (told.verdict, pair.first, pair.other) == (Verdict.EARNED, 1, 0)
    assert pair.difference == round(Fraction(sum(better) - sum(plain), 1000))
    assert pair.low is not None
    assert 0 < pair.low < pair.difference
    assert told.counts[0].revenue == sum(plain)
    assert wordings_of(2, [], {}, rows, is_over=False).pairs == ()
    alike = wordings_of(2, [], {}, [sales(0, plain), sales(1, some(1000, 0.1, 500_00, seed=3))], is_over=True)
    assert alike.verdict is Verdict.UNCLEAR


def test_two_wordings_are_compared_as_a_campaign_is_with_its_control_group():
    one, other = arm(some(1000, 0.3, 500_00)), arm(some(1000, 0.25, 500_00, seed=2))
    [pair], effect = compare([one, other]), estimate(one, other)
    for ours, theirs in ((pair.difference, effect.difference), (pair.low, effect.low), (pair.high, effect.high)):
        assert ours is not None
        assert theirs is not None
        assert abs(ours * 1000 - theirs) <= 500


def test_of_three_wordings_each_interval_is_wider_and_small_ones_say_nothing():
    groups = [arm(some(1000, share, 500_00, seed=seed)) for share, seed in ((0.1, 1), (0.3, 2), (0.12, 3))]
    pairs = compare(groups)
    assert [(one.first, one.other) for one in pairs] == [(1, 2), (1, 0), (2, 0)]
    [alone] = compare([groups[1], groups[2]])
    assert pairs[0].margin is not None
    assert alone.margin is not None
    # 2.394 standard errors instead of 1.96.
    assert abs(pairs[0].margin / alone.margin - 2.394 / 1.96) < 0.002
    none = Arm(0, 0, 0, 0, 0)
    assert compare([none, groups[1], none])[0] == Pair(1, 0, Verdict.TOO_SMALL)
    assert len(LETTERS) == 3
