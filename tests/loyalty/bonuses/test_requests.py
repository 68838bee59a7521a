"""Large credits by hand want two people."""

import asyncio
from datetime import timedelta

import pytest

from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.actions.requests import approve_credit, ask_credit, refuse_credit
from loyalty.bonuses.queries import account, credit_requests, waiting_credits_of
from loyalty.bonuses.rules import RequestState
from loyalty.errors import Conflict, Refused
from tests.builders import NOW, a_cashier, a_customer, a_programme, assert_books_agree

pytestmark = pytest.mark.usefixtures("database")


async def test_one_colleague_gives_a_customer_no_more_than_the_limit_in_a_day_however_it_is_cut():
    await a_programme(manual_credit_alone=300_00)
    person, other, olga = await a_customer(), await a_customer(), await a_cashier()
    await adjust(person.id, 200_00, "gift", key="1", actor=olga, now=NOW)
    with pytest.raises(Refused) as refused:
        await adjust(person.id, 200_00, "gift", key="2", actor=olga, now=NOW)
    assert (refused.value.reason, refused.value.details) == ("needs_second_person", {"limit": 300_00})
    await adjust(other.id, 300_00, "gift", key="3", actor=olga, now=NOW)
    await adjust(person.id, 200_00, "gift", key="4", actor=olga, now=NOW + timedelta(days=1))
    await adjust(person.id, 300_00, "gift", key="5", actor=await a_cashier(), now=NOW)


async def test_a_debit_needs_nobody_else():
    await a_programme(manual_credit_alone=100_00)
    person = await a_customer(bonuses=500_00)
    assert await adjust(person.id, -400_00, "mistake", key="1", actor=await a_cashier(), now=NOW) == 100_00


async def test_what_was_asked_for_is_given_by_somebody_else_and_once():
    await a_programme(manual_credit_alone=100_00)
    person, olga, timur = await a_customer(), await a_cashier(), await a_cashier()
    asked = await ask_credit(person.id, 500_00, "burnt cake", key="k", actor=olga, now=NOW)
    assert (await account(person.id, now=NOW)).balance == 0
    assert await waiting_credits_of(person.id) == 500_00
    with pytest.raises(Refused, match="own_request"):
        await approve_credit(asked.id, actor=olga, now=NOW)
    given = await asyncio.gather(*(approve_credit(asked.id, actor=timur, now=NOW) for _ in range(8)))
    assert {one.state for one in given} == {RequestState.APPROVED}
    assert (await account(person.id, now=NOW)).balance == 500_00
    assert [one.id for one in await credit_requests(waiting=True)] == []
    assert (await credit_requests(waiting=False))[0].decided_by == "Timur"
    await assert_books_agree()


async def test_a_request_sent_twice_is_one_request():
    person, olga = await a_customer(), await a_cashier()
    first = await ask_credit(person.id, 500_00, "burnt cake", key="k", actor=olga, now=NOW)
    assert (await ask_credit(person.id, 500_00, "burnt cake", key="k", actor=olga, now=NOW)).id == first.id
    with pytest.raises(Conflict):
        await ask_credit(person.id, 600_00, "burnt cake", key="k", actor=olga, now=NOW)


async def test_what_was_declined_or_taken_back_is_never_given():
    person, olga, timur = await a_customer(), await a_cashier(), await a_cashier()
    for who, state in ((timur, RequestState.REFUSED), (olga, RequestState.WITHDRAWN)):
        asked = await ask_credit(person.id, 500_00, "burnt cake", key=state, actor=olga, now=NOW)
        assert (await refuse_credit(asked.id, actor=who, now=NOW)).state is state
        assert (await refuse_credit(asked.id, actor=timur, now=NOW)).state is state
        with pytest.raises(Refused, match="request_is_closed"):
            await approve_credit(asked.id, actor=timur, now=NOW)
    assert (await account(person.id, now=NOW)).balance == 0


async def test_nobody_asks_for_or_approves_what_comes_to_themselves():
    person, olga = await a_customer(phone="+79160009999"), await a_cashier()
    themselves = await a_cashier(phone="+79160009999")
    with pytest.raises(Refused, match="own_account"):
        await ask_credit(person.id, 500_00, "gift", key="k", actor=themselves, now=NOW)
    asked = await ask_credit(person.id, 500_00, "gift", key="k", actor=olga, now=NOW)
    with pytest.raises(Refused, match="own_account"):
        await approve_credit(asked.id, actor=themselves, now=NOW)
