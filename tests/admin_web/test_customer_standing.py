"""A level by hand and a personal discount, as staff see and give them."""

import re
from datetime import UTC, datetime

import pytest

from loyalty import db
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.actions.referrals import begin_referral
from loyalty.customers.actions.discounts import set_discount
from loyalty.customers.actions.profile import referral_code_of
from loyalty.customers.queries import customer
from loyalty.errors import Refused
from loyalty.staff.rules import COMMAND, Role
from tests.builders import NOW, a_cashier, a_customer, a_programme


async def shown(panel, path: str) -> str:
    response = await panel.get(path)
    assert response.status == 200, path
    return (await response.text()).replace("\u00a0", " ")


async def test_a_level_is_given_until_a_day_shown_with_its_end_and_taken_back(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    await a_programme()
    person = await a_customer()
    card = f"/customers/{person.id}"
    assert "Silver" in await shown(panel, f"{card}/tier")
    done = await panel.post(f"{card}/tier", data={"tier": "2", "until": "2030-05-31"}, allow_redirects=False)
    assert done.status == 303
    assert (await customer(person.id)).tier_id == 2
    page = await shown(panel, card)
    assert "until May 31, 2030" in page or "until 31 May 2030" in page
    assert "by hand" in await shown(panel, f"{card}?tab=bonuses")
    assert "2030-05-31" in await shown(panel, f"{card}/tier")
    await panel.post(f"{card}/tier/clear")
    assert (await customer(person.id)).tier_id == 0
    assert "the level by hand has ended" in await shown(panel, f"{card}?tab=bonuses")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"tier": "2", "until": ""}, "Fill this in."),
        ({"tier": "9", "until": "2030-05-31"}, "Choose one of the list."),
        ({"tier": "2", "until": "2020-05-31"}, "This moment has passed."),
        ({"tier": "2", "until": "tomorrow"}, "This is not a date."),
    ],
)
async def test_a_level_that_cannot_be_is_refused_beside_its_field(panel, sign_in_as, data, words):
    await sign_in_as()
    await a_programme()
    person = await a_customer()
    response = await panel.post(f"/customers/{person.id}/tier", data=data)
    assert response.status == 422
    assert words in await response.text()
    assert (await customer(person.id)).tier_id == 0


@pytest.mark.parametrize(("typed", "kept"), [("7.5", 750), ("12,25 %", 1225), ("100", 10_000), ("0", 0)])
async def test_a_discount_is_typed_as_percent_and_shown_on_the_card(panel, sign_in_as, typed, kept):
    await sign_in_as(Role.MARKETER)
    person = await a_customer()
    await set_discount(person.id, 300, actor=COMMAND, now=NOW)
    done = await panel.post(f"/customers/{person.id}/discount", data={"discount": typed}, allow_redirects=False)
    assert done.status == 303
    assert (await customer(person.id)).discount_bp == kept
    assert {750: "7.5%", 1225: "12.25%", 10_000: "100%", 0: "none"}[kept] in await shown(
        panel, f"/customers/{person.id}"
    )
    journal = await db.fetch("SELECT details FROM journal_entry WHERE action = 'discount.set' ORDER BY id")
    assert [db.from_json(row["details"]) for row in journal] == [
        {"discount_bp": 300, "discount_bp_before": 0},
        {"discount_bp": kept, "discount_bp_before": 300},
    ]


async def test_a_discount_just_set_is_undone_by_the_toast_unless_somebody_set_another_one(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    person = await a_customer()
    await set_discount(person.id, 300, actor=COMMAND, now=NOW)
    card, undo = f"/customers/{person.id}", f"/customers/{person.id}/discount/undo"
    await panel.post(f"{card}/discount", data={"discount": "7"}, allow_redirects=False)
    assert f'data-undo-url="{undo}"' in await shown(panel, card)
    await panel.post(undo, allow_redirects=False)
    assert "Undone. The discount is what it was." in await shown(panel, card)
    assert (await customer(person.id)).discount_bp == 300
    await panel.post(undo, allow_redirects=False)
    assert "Somebody has changed this since." in await shown(panel, card)
    assert (await customer(person.id)).discount_bp == 300
    await panel.post(f"{card}/discount", data={"discount": "3"}, allow_redirects=False)
    assert "data-undo-url" not in await shown(panel, card), "nothing changed, so there is nothing to undo"


@pytest.mark.parametrize("typed", ["", "-5", "100.01", "1.234", "1e2", "99999999999999999"])
async def test_a_discount_that_cannot_be_is_refused_beside_its_field(panel, sign_in_as, typed):
    await sign_in_as()
    person = await a_customer()
    response = await panel.post(f"/customers/{person.id}/discount", data={"discount": typed})
    assert response.status == 422
    assert 'role="alert"' in await response.text()
    assert (await customer(person.id)).discount_bp == 0


@pytest.mark.parametrize("role", [Role.CASHIER, Role.ANALYST, Role.SUPPORT])
async def test_only_owners_and_marketers_grant_levels_and_discounts(panel, sign_in_as, role):
    await sign_in_as(role)
    person = await a_customer()
    for path in ("tier", "discount"):
        assert (await panel.get(f"/customers/{person.id}/{path}")).status == 403
        assert (await panel.post(f"/customers/{person.id}/{path}", data={})).status == 403
    assert (await panel.post(f"/customers/{person.id}/tier/clear")).status == 403


async def test_nobody_gives_themselves_a_discount(database):
    person = await a_customer(phone="+79160000003")
    with pytest.raises(Refused):
        await set_discount(person.id, 500, actor=await a_cashier(phone="+79160000003"), now=NOW)


async def test_the_card_lists_six_days_of_expiry_the_rest_and_what_stays_for_ever(panel, sign_in_as):
    await sign_in_as()
    await a_programme()
    person = await a_customer()
    for number in range(9):
        await adjust(person.id, (number + 1) * 100, "gift", key=str(number), actor=COMMAND, now=NOW)
        await db.execute(
            "UPDATE bonus_lot SET expires_at = $2 WHERE id = (SELECT max(id) FROM bonus_lot WHERE customer_id = $1)",
            person.id,
            None if number == 8 else datetime(2035, 1, number + 1, 21, tzinfo=UTC),
        )
    html = (await shown(panel, f"/customers/{person.id}?tab=bonuses")).partition("What expires when")[2]
    listed = re.findall(r"<dt>(.*?)</dt><dd class=\"num\">(\d+)", html)
    assert [amount for _, amount in listed] == ["1", "2", "3", "4", "5", "6", "15", "9"]
    assert [when for when, _ in listed[6:]] == ["later", "never"]


async def test_the_card_tells_who_invited_and_who_was_invited(panel, sign_in_as):
    await sign_in_as()
    await a_programme(referral_bonus=100_00)
    anna, maria = await a_customer(name="Anna Kot"), await a_customer(name="Maria Sokol")
    known = await a_customer(name="Olga Lis")
    code = await referral_code_of(anna.id)
    await begin_referral(maria.id, code, is_new=True, now=NOW)
    await begin_referral(known.id, code, is_new=False, now=NOW)
    page = await shown(panel, f"/customers/{anna.id}?tab=registration")
    assert all(words in page for words in ("Maria Sokol", "no purchase yet", "Olga Lis", "was in the base before"))
    assert "Anna Kot" in await shown(panel, f"/customers/{maria.id}?tab=registration")
