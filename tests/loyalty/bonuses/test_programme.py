"""Versions of the programme: made, refused, taken back."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.bonuses.actions.programme import change_programme
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.shop.actions import cancel_programme
from loyalty.shop.queries import programme_at, programme_versions, used_ids
from loyalty.shop.rules import Effect, RuleSettings, Tier
from loyalty.staff.queries import JournalFilters, journal_page
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, PROGRAMME, a_programme

pytestmark = pytest.mark.usefixtures("database")
TOMORROW = NOW + timedelta(days=1)
FIRST = RuleSettings(-1, "first_purchase", "Welcome", Effect.ADD, 500)


async def change(programme, *, effective_from=NOW, seen=None, now=NOW):
    return await change_programme(
        programme,
        effective_from=effective_from,
        seen_version=(await used_ids()).version if seen is None else seen,
        actor=COMMAND,
        now=now,
    )


async def newest_line():
    return (await journal_page(JournalFilters())).lines[0]


async def test_a_rule_never_gets_an_id_that_another_version_used():
    programme = await a_programme()
    await change(replace(programme, rules=(FIRST, replace(FIRST, name="Again"))))
    with_two = await programme_at(NOW)
    assert [rule.id for rule in with_two.rules] == [1, 2]
    await change(replace(with_two, rules=with_two.rules[:1]))
    await change(replace(with_two, rules=(with_two.rules[0], FIRST)))
    assert [rule.id for rule in (await programme_at(NOW)).rules] == [1, 3]


async def test_a_tier_never_gets_an_id_that_another_version_used():
    await a_programme()
    await change(replace(PROGRAMME, tiers=PROGRAMME.tiers[:2]))
    await change(replace(PROGRAMME, tiers=(*PROGRAMME.tiers[:2], Tier(-1, "Gold", 20_000_00, 900))))
    assert [tier.id for tier in (await programme_at(NOW)).tiers] == [0, 1, 3]


async def test_the_journal_names_what_changed_and_nothing_else():
    programme = await a_programme()
    version = await change(replace(programme, welcome_bonus=0, burn_share_bp=5000))
    line = await newest_line()
    assert (line.action, line.subject_id) == ("programme.set", version)
    assert line.details == {"fields": ["welcome_bonus", "burn_share_bp"]}


async def test_a_rule_that_cannot_be_lived_by_is_named():
    programme = await a_programme()
    with pytest.raises(Invalid) as refusal:
        await change(replace(programme, rules=(FIRST, replace(FIRST, amount=0))))
    assert (refusal.value.field, refusal.value.reason, refusal.value.details) == (
        "amount",
        "must_be_positive",
        {"rule": 2},
    )
    assert await programme_at(NOW) == programme


async def test_of_two_who_saw_the_same_version_one_is_refused():
    programme = await a_programme()
    seen = (await used_ids()).version
    answers = await asyncio.gather(
        *(change(replace(programme, welcome_bonus=bonus), seen=seen) for bonus in (100_00, 300_00)),
        return_exceptions=True,
    )
    assert [answer.reason for answer in answers if isinstance(answer, Refused)] == ["programme_was_changed"]
    assert len(await programme_versions()) == 2


async def test_a_version_to_come_is_taken_back_and_one_that_has_begun_is_not():
    programme = await a_programme()
    version = await change(replace(programme, welcome_bonus=0), effective_from=TOMORROW)
    with pytest.raises(Refused, match="programme_has_begun"):
        await cancel_programme(version, actor=COMMAND, now=TOMORROW)
    await cancel_programme(version, actor=COMMAND, now=NOW)
    assert (await newest_line()).action == "programme.cancelled"
    assert await programme_at(TOMORROW) == programme
    with pytest.raises(NotFound):
        await cancel_programme(version, actor=COMMAND, now=NOW)


async def test_a_version_to_come_that_was_taken_back_is_news_to_who_saw_it():
    programme = await a_programme()
    version = await change(replace(programme, welcome_bonus=0), effective_from=TOMORROW)
    await cancel_programme(version, actor=COMMAND, now=NOW)
    with pytest.raises(Refused, match="programme_was_changed"):
        await change(programme, seen=version)


async def test_versions_are_listed_with_the_last_to_begin_first():
    programme = await a_programme()
    await change(replace(programme, welcome_bonus=0), effective_from=TOMORROW)
    now = await change(replace(programme, welcome_bonus=100_00))
    versions = await programme_versions()
    assert [version.programme.welcome_bonus for version in versions] == [0, 100_00, 200_00]
    assert versions[1].id == now
    assert await db.fetch_value("SELECT count(*) FROM programme") == 3
