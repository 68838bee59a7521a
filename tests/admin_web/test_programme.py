"""The programme's pages: the form, the rules, the versions."""

import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from admin_web.earning_words import KINDS, rule_sentence
from admin_web.i18n import READER, Reader
from admin_web.programme_form import decimal_text, programme_values
from admin_web.programme_words import SETTINGS, changes
from loyalty.bonuses.earning import RULES
from loyalty.shop.actions import set_programme
from loyalty.shop.queries import programme_at, programme_versions, used_ids
from loyalty.shop.rules import Effect, Programme, Rounding, RuleSettings, Tier, TierBasis
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.builders import PROGRAMME, a_customer, a_location, a_programme, a_sale

PATH = "/settings/programme"
RULES_PATH = f"{PATH}/rules"
WEEKEND = {
    "kind": "weekday_hours",
    "name": "Quiet weekend",
    "weekdays_6": "1",
    "weekdays_7": "1",
    "from_time": "10:00",
    "until_time": "14:00",
    "effect": "multiply",
    "amount": "2",
    "is_on": "1",
    "when": "now",
}


def test_every_setting_of_the_programme_is_on_the_page():
    assert {one.name for one in fields(Programme)} - {"tiers", "rules"} == SETTINGS.keys()


def test_every_kind_of_rule_has_its_words():
    assert KINDS.keys() == RULES.keys()
    for kind, rule in RULES.items():
        assert KINDS[kind].fields.keys() == {field.name for field in rule.fields}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            RuleSettings(1, "weekday_hours", "", Effect.MULTIPLY, 20_000, True,
                         {"weekdays": [6, 7], "from_time": 600, "until_time": 840}),
            "Sat–Sun 10:00–14:00: twice the level's percent",
        ),
        (
            RuleSettings(1, "weekday_hours", "", Effect.ADD, 550, True,
                         {"weekdays": [1, 2, 3, 5], "from_time": 0, "until_time": 1440}),
            "Mon–Wed, Fri: 5.5% on top of the level's percent",
        ),
        (
            RuleSettings(1, "birthday", "", Effect.FIXED, 100_00, True, {"days_before": 3, "days_after": 0}),
            "The birthday, 3 days before it: 100 bonuses for the receipt",
        ),
        (
            RuleSettings(1, "category", "", Effect.MULTIPLY, 15_000, True, {"categories": ["tea"], "skus": ["7"]}),
            "Goods of tea; Articles 7: 1.5 times the level's percent",
        ),
        (
            RuleSettings(1, "location", "", Effect.MULTIPLY, 20_000, True, {"locations": [3, 4]}),
            "Tverskaya; №\u00a04: twice the level's percent",
        ),
        (
            RuleSettings(1, "promo_code", "", Effect.FIXED, 1_00, True,
                         {"code": "MAY", "from_day": "2026-05-01", "until_day": None, "customer_limit": 1,
                          "total_limit": 500}),
            "Promo code MAY, from May 1, 2026, 1 time a customer, 500 times in all: 1 bonus for the receipt",
        ),
        (RuleSettings(1, "of_the_future", "", Effect.ADD, 100), "of_the_future: 1% on top of the level's percent"),
    ],
)  # fmt: skip
def test_a_rule_says_in_words_what_it_does(rule, said):
    sentence = rule_sentence(rule, {3: "Tverskaya"})
    # Dates are in the reader's own order.
    assert sentence.replace("1 May 2026", "May 1, 2026") == said


@pytest.mark.parametrize(
    ("amount", "exponent", "text"),
    [
        (0, 2, "0"),
        (1000_00, 2, "1000"),
        (10_000_00, 2, "10\u00a0000"),
        (5_50, 2, "5.5"),
        (7, 0, "7"),
        (12_345, 3, "12.345"),
    ],
)
def test_amounts_are_written_as_people_type_them(amount, exponent, text):
    assert decimal_text(amount, exponent) == text


def test_a_russian_reader_has_a_comma():
    token = READER.set(Reader(language="ru"))
    try:
        assert decimal_text(5_50, 2) == "5,5"
    finally:
        READER.reset(token)


def test_differences_are_told_setting_by_setting():
    rule = RuleSettings(1, "first_purchase", "Hello", Effect.ADD, 500)
    before = replace(PROGRAMME, rules=(rule,))
    after = replace(
        before,
        burn_share_bp=5000,
        earn_cap_day=100_00,
        tiers=(*before.tiers[:2], Tier(3, "Black", 90_000_00, 1500)),
        rules=(replace(rule, is_on=False),),
    )
    told = {change.what: (change.before, change.after) for change in changes(before, after, {})}
    assert told == {
        "Level · Gold": ("Gold: from €50,000, 10%", "—"),
        "Level · Black": ("—", "Black: from €90,000, 15%"),
        "Rule · Hello": (
            "The first purchase: 5% on top of the level's percent",
            "The first purchase: 5% on top of the level's percent (off)",
        ),
        "Earning · At most a day": ("no limit", "100 bonuses"),
        "Using bonuses · Part of a receipt": ("30%", "50%"),
    }


async def a_form(panel, **changed):
    """What the page's form would send, with these fields changed."""
    programme = await programme_at(START)
    values = programme_values(programme)
    newest = (await used_ids()).version
    return values | {"version": str(newest), "seen": str(newest), "when": "now"} | changed


async def text_of(answer):
    return unescape(await answer.text())


async def test_only_who_manages_the_shop_sees_the_programme(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    for path in (PATH, RULES_PATH, f"{PATH}/history"):
        assert (await panel.get(path)).status == 403


async def test_what_would_change_is_shown_before_it_is_saved(panel, sign_in_as):
    await sign_in_as()
    await a_programme()
    form = await a_form(panel, burn_share_bp="50 %", welcome_bonus="1 000", rounding="nearest", step="check")
    page = await text_of(await panel.post(PATH, data=form))
    assert "Using bonuses · Part of a receipt" in page
    assert "What exists is not touched" in page
    assert len(await programme_versions()) == 1
    answer = await panel.post(PATH, data=form | {"step": "save"}, allow_redirects=False)
    assert answer.headers["Location"] == f"{PATH}/history"
    programme = await programme_at(START)
    assert (programme.burn_share_bp, programme.welcome_bonus, programme.rounding) == (5000, 1000_00, Rounding.NEAREST)
    assert "30%" in await text_of(await panel.get(f"{PATH}/history"))


async def test_what_was_not_touched_is_the_same_after_saving(panel, sign_in_as):
    await sign_in_as()
    before = await a_programme(earn_cap_day=12_50, excluded_categories=("gift cards", "tobacco"))
    await panel.post(PATH, data=await a_form(panel, hold_minutes="20", step="save"))
    assert await programme_at(START) == replace(before, hold_minutes=20)


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("burn_share_bp", "101", "Must be between 0 and 100 percent."),
        ("burn_share_bp", "5.005", "Too many digits after the point."),
        ("hold_minutes", "", "Fill this in."),
        ("hold_minutes", "0", "Must be above zero."),
        ("welcome_bonus", "1e3", "Write a number."),
        ("tier_window_days", "99999", "This is too much."),
        ("tier_1_threshold", "0", "Levels must begin at zero and rise."),
        ("tier_1_rate", "", "Fill this in."),
        ("excluded_categories", "x" * 65, "At most 64 characters."),
    ],
)
async def test_an_error_stands_beside_its_field_and_what_was_typed_stays(panel, sign_in_as, field, typed, said):
    await sign_in_as()
    await a_programme()
    answer = await panel.post(PATH, data=await a_form(panel, **{field: typed}, step="save"))
    page = await text_of(answer)
    assert answer.status == 422
    assert said in page
    assert typed in page
    assert len(await programme_versions()) == 1


async def test_nothing_changed_is_said_and_makes_no_version(panel, sign_in_as):
    await sign_in_as()
    await a_programme()
    page = await text_of(await panel.post(PATH, data=await a_form(panel, step="check")))
    assert "Nothing differs from what is set already." in page


async def test_levels_come_and_go_before_anything_is_saved(panel, sign_in_as):
    await sign_in_as()
    await a_programme()
    page = await text_of(await panel.post(PATH, data=await a_form(panel, step="add_tier")))
    assert 'name="tier_3_name"' in page
    page = await text_of(await panel.post(PATH, data=await a_form(panel, step="remove_tier_1")))
    assert 'value="Silver"' not in page
    assert re.search(r'name="tier_1_name"[^>]* value="Gold"', page)
    form = await a_form(panel, tiers_count="4", tier_3_id="-1", tier_3_name="Bronze", tier_3_threshold="5000",
                        tier_3_rate="6,5", step="save")  # fmt: skip
    await panel.post(PATH, data=form)
    tiers = (await programme_at(START)).tiers
    assert [(tier.id, tier.name, tier.rate_bp) for tier in tiers[:2]] == [(0, "Base", 500), (3, "Bronze", 650)]


async def test_levels_may_count_visits(panel, sign_in_as):
    await sign_in_as()
    await a_programme()
    form = await a_form(panel, tier_basis="visits", tier_1_threshold="10", tier_2_threshold="25", step="save")
    await panel.post(PATH, data=form)
    programme = await programme_at(START)
    assert programme.tier_basis is TierBasis.VISITS
    assert [tier.threshold for tier in programme.tiers] == [0, 10, 25]


async def test_a_version_for_a_later_moment_waits_by_the_shop_s_clock(panel, sign_in_as, clock):
    await sign_in_as()
    await panel.post(
        "/settings/shop",
        data={"name": "L", "currency": "RUB", "region": "RU", "language": "ru", "time_zone": "Europe/Moscow"},
    )
    await a_programme()
    later = {"when": "later", "effective_from": "2026-12-01T00:00"}
    await panel.post(PATH, data=await a_form(panel, welcome_bonus="", step="save", **later))
    version = (await programme_versions())[0]
    assert version.effective_from.isoformat() == "2026-11-30T21:00:00+00:00"
    assert (await programme_at(START)).welcome_bonus
    assert "Another version comes into force" in await text_of(await panel.get(PATH))
    assert 'value="2026-12-01T00:00"' in await text_of(await panel.get(f"{PATH}?version={version.id}"))
    history = await text_of(await panel.get(f"{PATH}/history"))
    assert "Will come into force" in history
    await panel.post(f"{PATH}/versions/{version.id}/cancel")
    assert len(await programme_versions()) == 1
    assert (await panel.post(f"{PATH}/versions/1/cancel")).status == 409


async def test_a_moment_behind_us_is_refused(panel, sign_in_as):
    await sign_in_as()
    await a_programme()
    form = await a_form(panel, welcome_bonus="", when="later", effective_from="2020-01-01T00:00", step="check")
    assert "This moment has passed." in await text_of(await panel.post(PATH, data=form))


async def test_of_two_owners_the_second_is_told_and_keeps_what_was_typed(panel, sign_in_as):
    await sign_in_as()
    programme = await a_programme()
    form = await a_form(panel, burn_share_bp="40", step="save")
    await set_programme(replace(programme, welcome_bonus=0), effective_from=START, actor=COMMAND, now=START)
    answer = await panel.post(PATH, data=form)
    page = await text_of(answer)
    assert answer.status == 422
    assert "Somebody changed the programme meanwhile." in page
    assert re.search(r'name="burn_share_bp"[^>]* value="40"', page)
    assert (await programme_at(START)).burn_share_bp == 3000
    # From now on it is compared with what the other person saved.
    newest = (await used_ids()).version
    again = form | {"seen": str(newest), "version": str(newest), "step": "check"}
    assert "Gifts · Welcome bonus" in await text_of(await panel.post(PATH, data=again))


async def seen(**form):
    return form | {"seen": str((await used_ids()).version)}


async def test_a_rule_is_added_by_its_kind_and_listed_in_words(panel, sign_in_as):
    await sign_in_as()
    await a_programme()
    assert "No rules yet" in await text_of(await panel.get(RULES_PATH))
    page = await text_of(await panel.get(f"{RULES_PATH}/new?kind=weekday_hours"))
    assert 'name="weekdays_7"' in page
    await panel.post(f"{RULES_PATH}/new", data=await seen(**WEEKEND))
    rule = (await programme_at(START)).rules[0]
    assert rule == RuleSettings(1, "weekday_hours", "Quiet weekend", Effect.MULTIPLY, 20_000, True,
                                {"weekdays": [6, 7], "from_time": 600, "until_time": 840})  # fmt: skip
    assert "Sat–Sun 10:00–14:00: twice the level's percent" in await text_of(await panel.get(RULES_PATH))


@pytest.mark.parametrize("kind", RULES)
async def test_the_form_of_every_kind_gives_back_what_it_was_filled_with(panel, sign_in_as, kind):
    await sign_in_as()
    place = await a_location()
    params: dict[str, dict[str, Any]] = {
        "category": {"categories": ["coffee", "tea"], "skus": []},
        "location": {"locations": [place]},
        "weekday_hours": {"weekdays": [1, 7], "from_time": 1320, "until_time": 90},
        "birthday": {"days_before": 3, "days_after": 7},
        "first_purchase": {},
        "promo_code": {"code": "MAY-26", "from_day": "2026-05-01", "until_day": None, "customer_limit": 1,
                       "total_limit": 0},
    }  # fmt: skip
    rule = RuleSettings(4, kind, "As it was", Effect.FIXED, 12_50, False, params[kind])
    await a_programme(rules=(rule,))
    page = await text_of(await panel.get(f"{RULES_PATH}/4"))
    sent = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page))
    boxes = re.findall(r'<input type="(?:checkbox|radio)" name="([^"]+)" value="([^"]+)"( checked)?>', page)
    sent |= {name: "" for name, _, _ in boxes} | {name: value for name, value, ticked in boxes if ticked}
    sent |= dict(re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>([^<]*)</textarea>', page))
    answer = await panel.post(f"{RULES_PATH}/4", data=sent | {"effect": "fixed"}, allow_redirects=False)
    assert answer.status == 303
    assert (await programme_at(START)).rules == (rule,)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"amount": "1"}, "It must be more than once the percent"),
        ({"amount": ""}, "Fill this in."),
        ({"name": " "}, "Fill this in."),
        ({"weekdays_6": "", "weekdays_7": ""}, "Fill this in."),
        ({"from_time": "25:00"}, "From 0 to 1440."),
        ({"from_time": "soon"}, "This is not a time of day."),
        ({"effect": "add", "amount": "101"}, "Must be between 0 and 100 percent."),
    ],
)
async def test_a_rule_that_cannot_be_lived_by_is_told_beside_its_field(panel, sign_in_as, changed, said):
    await sign_in_as()
    await a_programme()
    answer = await panel.post(f"{RULES_PATH}/new", data=await seen(**WEEKEND | changed))
    assert answer.status == 422
    assert said in await text_of(answer)
    assert not (await programme_at(START)).rules


async def test_rules_are_switched_moved_and_removed_at_once(panel, sign_in_as, clock):
    await sign_in_as()
    first, second = (RuleSettings(number, "first_purchase", f"R{number}", Effect.ADD, 500) for number in (1, 2))
    await a_programme(rules=(first, second))

    async def press(path):
        clock.move(seconds=1)
        await panel.post(f"{RULES_PATH}/{path}", data=await seen())
        return (await programme_at(clock.now())).rules

    assert await press("2/up") == (second, first)
    assert await press("2/up") == (second, first)
    assert await press("1/off") == (second, replace(first, is_on=False))
    assert await press("1/on") == (second, first)
    assert await press("2/down") == (first, second)
    assert await press("1/remove") == (second,)
    assert (await panel.post(f"{RULES_PATH}/1/off", data=await seen())).status == 404
    # Pressing what is so already makes no version.
    assert len(await programme_versions()) == 6


async def test_a_press_on_an_old_list_is_refused(panel, sign_in_as, clock):
    await sign_in_as()
    programme = await a_programme(rules=(RuleSettings(1, "first_purchase", "R", Effect.ADD, 500),))
    old = await seen()
    await set_programme(replace(programme, welcome_bonus=0), effective_from=START, actor=COMMAND, now=START)
    clock.move(seconds=1)
    assert (await panel.post(f"{RULES_PATH}/1/remove", data=old)).status == 409
    assert (await programme_at(clock.now())).rules


async def test_a_rule_may_begin_later(panel, sign_in_as):
    await sign_in_as()
    await a_programme()
    form = await seen(**WEEKEND | {"when": "later", "effective_from": "2026-12-01T00:00"})
    await panel.post(f"{RULES_PATH}/new", data=form)
    assert not (await programme_at(START)).rules
    assert (await programme_at(START + timedelta(days=10))).rules


async def test_what_begins_after_a_version_to_come_keeps_what_that_one_changed(panel, sign_in_as):
    await sign_in_as()
    rule = RuleSettings(1, "first_purchase", "R", Effect.ADD, 500)
    programme = await a_programme(rules=(rule,))
    december, january = START + timedelta(days=10), START + timedelta(days=50)
    to_come = replace(programme, rules=(replace(rule, amount=700),), welcome_bonus=0)
    await set_programme(to_come, effective_from=december, actor=COMMAND, now=START)
    later = {"when": "later", "effective_from": "2026-12-31T00:00"}
    form = await seen(**WEEKEND | later)
    await panel.post(f"{RULES_PATH}/new", data=form)
    after = await programme_at(january)
    assert (after.welcome_bonus, [one.amount for one in after.rules]) == (0, [700, 20_000])
    # The form was drawn from today's version: that it would bring the welcome bonus back is told.
    form = await a_form(panel, hold_minutes="20", step="check", **later | {"effective_from": "2027-01-01T00:00"})
    page = await text_of(await panel.post(PATH, data=form))
    assert "Gifts · Welcome bonus" in page
    assert "Rule ·" not in page


async def test_a_rule_or_kind_that_is_not_there_is_not_found(panel, sign_in_as):
    await sign_in_as()
    await a_programme()
    assert (await panel.get(f"{RULES_PATH}/77")).status == 404
    for path in (f"{RULES_PATH}/new?kind=luck", f"{RULES_PATH}/new"):
        assert (await panel.get(path, allow_redirects=False)).headers["Location"] == RULES_PATH
    assert (await panel.post(f"{RULES_PATH}/new", data=WEEKEND | {"kind": "luck"})).status == 404


WHAT_IF = f"{PATH}/what-if"


async def a_past():
    """One purchase of October by a programme of three levels: 1 000 at 5 %."""
    await a_programme()
    customer = await a_customer()
    await a_sale(customer.id, await a_location(), 1000_00, now=datetime(2026, 10, 5, 9, 0, tzinfo=UTC))


async def test_another_percent_is_tried_and_nothing_is_saved(panel, sign_in_as):
    await sign_in_as()
    await a_past()
    page = await text_of(await panel.get(WHAT_IF))
    sent = dict(re.findall(r'<input class="inp" id="([^"]+)"[^>]*value="([^"]*)"', page))
    form = sent | {"rate_0": "7", "stacking": "best", "rounding": "down", "months": "1"}
    page = await text_of(await panel.post(WHAT_IF, data=form))
    assert re.search(r"Base: from [^,]+, 7%", page)
    assert re.search(r"Earned then</dt><dd>50", page)
    assert re.search(r"Would be earned</dt><dd>70", page)
    assert "October 2026" in page
    assert len(await programme_versions()) == 1
    answer = await panel.post(WHAT_IF, data=form | {"rate_0": "700"})
    assert (answer.status, "Must be between 0 and 100 percent." in await text_of(answer)) == (422, True)


async def test_a_rule_is_tried_where_it_is_written(panel, sign_in_as):
    await sign_in_as()
    await a_past()
    rule = {"kind": "first_purchase", "name": "Hello", "effect": "fixed", "amount": "25", "is_on": "1", "step": "try"}
    page = await text_of(await panel.post(f"{RULES_PATH}/new", data=await seen(**rule)))
    assert re.search(r"Would be earned</dt><dd>75", page)
    assert re.search(r'name="amount"[^>]* value="25"', page)
    assert not (await programme_at(START)).rules
    answer = await panel.post(f"{RULES_PATH}/new", data=await seen(**rule | {"amount": "0"}))
    assert (answer.status, "Must be above zero." in await text_of(answer)) == (422, True)


async def test_settings_are_tried_before_they_are_saved(panel, sign_in_as):
    await sign_in_as()
    await a_past()
    page = await text_of(await panel.post(PATH, data=await a_form(panel, earn_cap_receipt="30", step="try")))
    assert re.search(r"Would be earned</dt><dd>30", page)
    assert "Save the programme" in page
    assert len(await programme_versions()) == 1


async def test_a_rule_switched_off_is_tried_also_on_an_empty_past(panel, sign_in_as):
    await sign_in_as()
    await a_programme(rules=(RuleSettings(1, "first_purchase", "R", Effect.ADD, 500),))
    page = await text_of(await panel.get(WHAT_IF))
    sent = dict(re.findall(r'<input class="inp" id="([^"]+)"[^>]*value="([^"]*)"', page))
    page = await text_of(await panel.post(WHAT_IF, data=sent | {"stacking": "best", "rounding": "down"}))
    assert "(off)" in page
    assert re.search(r"Earned then</dt><dd>0", page)
