import asyncio
import re

import pytest

from loyalty.customers.queries import customer, find_by_phone
from loyalty.customers.rules import card_code, code_key, code_step
from loyalty.staff.rules import Role
from tests.builders import a_customer, a_location, a_programme, an_open_card, assert_books_agree
from tests.conftest import SECRET_KEY


@pytest.fixture
async def till(panel, sign_in_as):
    """A cashier signed in at a location that lets bonuses be burnt."""
    await a_programme()
    location = await a_location()
    await sign_in_as(Role.CASHIER, name="Timur", location_id=location)
    return panel


async def serve(till, who: str) -> str:
    """Find somebody and open the sum screen; returns the key of the sale."""
    found = await till.post("/cashier/find", data={"who": who})
    assert str(found.url).endswith("/cashier/sale"), await found.text()
    return re.findall(r'name="key" value="([^"]+)"', await found.text())[0]


def sale(key: str, total: str, *, burn: int = 0, shown: int | None = None) -> dict[str, str]:
    amount = re.sub(r"\s", "", total)
    minor = shown if shown is not None else round(float(amount.replace(",", ".")) * 100)
    return {"key": key, "total": total, "burn": str(burn), "shown": str(minor)}


async def test_a_sale_from_the_phone_to_the_money(till):
    person = await a_customer(name="Ольга Смирнова", phone="+79161238525", bonuses=755_00)
    key = await serve(till, "8 916 123-85-25")
    quoted = await till.post("/cashier/quote", data={"key": key, "total": "1 840", "tile": "2"})
    words = await quoted.text()
    assert "Take 1,288" in words
    assert "+64" in words
    assert 'name="burn" value="55200"' in words
    done = await till.post("/cashier/sale", data=sale(key, "1 840", burn=552_00))
    words = await done.text()
    assert "1,288" in words
    assert "Burnt 552, earned 64" in words
    assert "Смирнова" not in words  # a till shows "Ольга С."
    assert (await customer(person.id)).balance == 267_00
    await assert_books_agree()


async def test_the_same_press_after_a_lost_answer_credits_nothing_twice(till):
    person = await a_customer(phone="+79161238525")
    key = await serve(till, "+79161238525")
    first = await till.post("/cashier/sale", data=sale(key, "500"))
    await serve(till, "+79161238525")
    again = await till.post("/cashier/sale", data=sale(key, "500"))
    assert again.url.path == first.url.path
    assert "Already credited" in await again.text()
    assert (await customer(person.id)).receipts == 1
    await serve(till, "+79161238525")
    other = await till.post("/cashier/sale", data=sale(key, "501"))
    assert other.status == 422
    assert "This operation was made before with other figures." in await other.text()


async def test_a_press_before_the_button_knew_the_sum_takes_nothing(till):
    person = await a_customer(phone="+79161238525")
    key = await serve(till, "+79161238525")
    early = await till.post("/cashier/sale", data=sale(key, "1840", shown=184_00))
    assert early.status == 422
    assert "Take 1,840" in await early.text()
    assert (await customer(person.id)).receipts == 0


@pytest.mark.parametrize("total", ["0", "", "-5", "1e309", "1_000", "٣٤٥", "12,345", "9" * 30])
async def test_a_sum_that_is_none_is_refused(till, total):
    person = await a_customer(phone="+79161238525")
    key = await serve(till, "+79161238525")
    quoted = await till.post("/cashier/quote", data={"key": key, "total": total})
    assert quoted.status == 200
    assert "Enter the sum" in await quoted.text()
    sent = await till.post("/cashier/sale", data={"key": key, "total": total, "shown": "0", "burn": "0"})
    assert sent.status == 422
    assert (await customer(person.id)).receipts == 0


async def test_a_burn_the_browser_made_up_is_refused(till):
    person = await a_customer(phone="+79161238525", bonuses=755_00)
    key = await serve(till, "+79161238525")
    for burn in (553_00, 10, -100, 10**17):
        sent = await till.post("/cashier/sale", data=sale(key, "1840", burn=burn))
        assert sent.status == 422, burn
    assert (await customer(person.id)).burnt == 0


async def test_last_digits_show_candidates_and_only_those_can_be_chosen(till):
    first = await a_customer(name="Анна Котова", phone="+79161238525")
    second = await a_customer(name="Борис Котов", phone="+79039998525")
    stranger = await a_customer(name="Вера Лис", phone="+79031112233")
    page = await till.post("/cashier/find", data={"who": "8525"})
    words = await page.text()
    assert "Анна К." in words
    assert "Борис К." in words
    assert "Котова" not in words
    assert "+7903" not in words
    assert (await till.post("/cashier/choose", data={"customer": str(stranger.id)})).status == 404
    chosen = await till.post("/cashier/choose", data={"customer": str(second.id)})
    assert "Борис К." in await chosen.text()
    assert first.id != second.id


async def test_a_card_number_from_a_scanner_finds_its_owner(till):
    person = await a_customer()
    await serve(till, person.card_number)
    wrong = person.card_number[:-1] + str((int(person.card_number[-1]) + 1) % 10)
    assert (await till.post("/cashier/find", data={"who": wrong})).status == 422


async def test_somebody_new_is_added_with_the_phone_just_typed(till):
    page = await till.post("/cashier/find", data={"who": "8 (916) 000-11-22"})
    assert "Name of the new customer" in await page.text()
    assert (await till.post("/cashier/register", data={"name": "  "})).status == 422
    await till.post("/cashier/register", data={"name": "Новая Гостья"})
    owner = await find_by_phone("+79160001122")
    assert owner is not None
    person = await customer(owner)
    assert (person.created_via, person.phone_verified_at) == ("cashier", None)


async def test_without_proof_of_presence_a_strict_location_burns_nothing(panel, sign_in_as):
    location = await a_location(burns=False)
    await sign_in_as(Role.CASHIER, location_id=location)
    person = await a_customer(phone="+79161238525", bonuses=755_00)
    key = await serve(panel, "+79161238525")
    quoted = await panel.post("/cashier/quote", data={"key": key, "total": "1840"})
    words = await quoted.text()
    assert "Here bonuses are burnt only with proof" in words
    assert 'class="burn"' not in words
    assert (await panel.post("/cashier/sale", data=sale(key, "1840", burn=100_00))).status == 422
    assert (await customer(person.id)).burnt == 0


async def test_a_sale_is_taken_back_within_five_minutes_and_not_later(till, clock):
    person = await a_customer(phone="+79161238525", bonuses=755_00)
    key = await serve(till, "+79161238525")
    done = await till.post("/cashier/sale", data=sale(key, "1840", burn=552_00))
    back = await till.post(f"{done.url.path}/undo")
    words = await back.text()
    assert "Give back to the customer" in words
    assert "1,288" in words
    assert (await customer(person.id)).balance == 755_00
    assert (await till.post(f"{done.url.path}/undo")).status == 200  # pressed twice
    key = await serve(till, "+79161238525")
    done = await till.post("/cashier/sale", data=sale(key, "100"))
    clock.move(minutes=6)
    assert "Take back" not in await (await till.get(done.url.path)).text()
    assert (await till.post(f"{done.url.path}/undo")).status == 409


async def test_a_cashier_sees_only_their_own_receipts(till, sign_in_as):
    await a_customer(phone="+79161238525")
    done = await till.post("/cashier/sale", data=sale(await serve(till, "+79161238525"), "100"))
    await sign_in_as(Role.CASHIER, email="other@example.com", location_id=1)
    assert (await till.get(done.url.path)).status == 404


async def test_an_owner_chooses_where_to_work(panel, sign_in_as):
    await sign_in_as()
    assert "There is no open location" in await (await panel.get("/cashier")).text()
    location = await a_location(name="Парк")
    assert "Where do you work today?" in await (await panel.get("/cashier")).text()
    chosen = await panel.post("/cashier/location", data={"location": str(location)})
    assert "Парк" in await chosen.text()
    assert (await panel.post("/cashier/location", data={"location": "77"})).status == 404


async def test_screens_that_need_a_customer_lead_back_to_the_search(till):
    for method, path in (("get", "/cashier/sale"), ("post", "/cashier/quote"), ("post", "/cashier/sale")):
        response = await getattr(till, method)(path, allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (303, "/cashier")


@pytest.mark.prove
async def test_ten_presses_at_once_are_one_sale(till):
    person = await a_customer(phone="+79161238525")
    key = await serve(till, "+79161238525")
    answers = await asyncio.gather(
        *(till.post("/cashier/sale", data=sale(key, "500"), allow_redirects=False) for _ in range(10))
    )
    paths = {
        answer.headers["Location"].partition("?")[0] for answer in answers if "receipts" in answer.headers["Location"]
    }
    assert len(paths) == 1
    assert (await customer(person.id)).receipts == 1
    await assert_books_agree()


# ------------------------------------------------------------------------------------ codes of cards


@pytest.fixture
async def strict_till(panel, sign_in_as):
    """A cashier signed in at a location that wants a code before bonuses are burnt."""
    await a_programme()
    location = await a_location(burns=False)
    await sign_in_as(Role.CASHIER, name="Timur", location_id=location)
    return panel


def code_of(person, clock, *, later: int = 0) -> str:
    """What the person's card shows at this moment, or some steps from it."""
    return card_code(code_key(SECRET_KEY), person.id, code_step(clock.now()) + later)


def other_than(*codes: str) -> str:
    """Six digits that are none of these codes."""
    return next(f"{number:06d}" for number in range(10) if f"{number:06d}" not in codes)


async def quoted(till, key: str, total: str = "1840", **more: str) -> str:
    response = await till.post("/cashier/quote", data={"key": key, "total": total, **more})
    assert response.status == 200
    return await response.text()


async def only_asks(till, key: str) -> bool:
    """Whether paying with bonuses takes the customer's own tap in the chat."""
    words = await quoted(till, key, tile="2")
    return "in the chat</button>" in words and 'class="btn pri go">Take' not in words


@pytest.mark.parametrize("way", ["typed", "typed with a space", "scanned"])
async def test_a_code_lets_a_strict_location_burn_once(strict_till, clock, way):
    person = await a_customer(name="Ольга Смирнова", bonuses=755_00)
    await an_open_card(person.id, now=clock.now())
    code = code_of(person, clock)
    shown = {"typed": code, "typed with a space": f"{code[:3]} {code[3:]}", "scanned": person.card_number + code}[way]
    key = await serve(strict_till, shown)
    words = await quoted(strict_till, key, tile="2")
    assert "Code accepted" in words
    assert 'name="burn" value="55200"' in words
    await strict_till.post("/cashier/sale", data=sale(key, "1840", burn=552_00))
    assert (await customer(person.id)).burnt == 552_00
    # Served again by the same code: it earns, and pays for nothing more.
    again = await serve(strict_till, shown)
    words = await quoted(strict_till, again, "500")
    assert "This code was used already" in words
    # Paying with bonuses is still possible, but only by the customer's own tap.
    assert await only_asks(strict_till, again)
    refused = await strict_till.post("/cashier/sale", data=sale(again, "500", burn=10_00))
    assert refused.status == 422
    assert "Bonuses were used by this code already." in await refused.text()
    await strict_till.post("/cashier/sale", data=sale(again, "500"))
    assert ((await customer(person.id)).burnt, (await customer(person.id)).receipts) == (552_00, 2)
    await assert_books_agree()


async def test_a_code_that_no_open_card_shows_finds_nobody(strict_till, clock):
    person = await a_customer(bonuses=755_00)
    code = code_of(person, clock)
    closed = await strict_till.post("/cashier/find", data={"who": code})
    assert closed.status == 422
    assert "No card shows this code now." in await closed.text()
    await an_open_card(person.id, now=clock.now())
    old = code_of(person, clock, later=-2)
    if old not in {code_of(person, clock, later=step) for step in (-1, 0, 1)}:
        assert (await strict_till.post("/cashier/find", data={"who": old})).status == 422
    assert (await strict_till.get("/cashier/sale")).url.path == "/cashier"
    await serve(strict_till, code)


async def test_a_scanned_code_out_of_date_still_serves_its_owner_and_burns_nothing(strict_till, clock):
    person = await a_customer(name="Ольга Смирнова", bonuses=755_00)
    await an_open_card(person.id, now=clock.now())
    neighbours = [code_of(person, clock, later=step) for step in (-1, 0, 1)]
    key = await serve(strict_till, person.card_number + other_than(*neighbours))
    words = await quoted(strict_till, key)
    assert "The code was out of date" in words
    assert await only_asks(strict_till, key)
    assert "Enter the code" in await quoted(strict_till, key, tile="2")
    assert (await strict_till.post("/cashier/sale", data=sale(key, "1840", burn=10_00))).status == 422
    await strict_till.post("/cashier/sale", data=sale(key, "1840"))
    assert ((await customer(person.id)).burnt, (await customer(person.id)).receipts) == (0, 1)


async def test_a_code_proves_nothing_about_another_card(strict_till, clock):
    owner, other = await a_customer(bonuses=755_00), await a_customer(phone="+79161238525", bonuses=755_00)
    await an_open_card(owner.id, now=clock.now())
    code = code_of(owner, clock)
    assert code not in {code_of(other, clock, later=step) for step in (-1, 0, 1)}
    key = await serve(strict_till, other.card_number + code)
    assert "The code was out of date" in await quoted(strict_till, key)
    assert (await strict_till.post("/cashier/sale", data=sale(key, "1840", burn=10_00))).status == 422
    # Nor does it outlive the search it was typed into.
    await serve(strict_till, code)
    key = await serve(strict_till, "+79161238525")
    words = await quoted(strict_till, key)
    assert "Code accepted" not in words
    assert 'class="burn"' not in words
    assert (await strict_till.post("/cashier/sale", data=sale(key, "1840", burn=10_00))).status == 422
    assert ((await customer(owner.id)).burnt, (await customer(other.id)).burnt) == (0, 0)


async def test_a_code_that_was_typed_long_ago_pays_no_more(strict_till, clock):
    person = await a_customer(bonuses=755_00)
    await an_open_card(person.id, now=clock.now())
    key = await serve(strict_till, code_of(person, clock))
    assert not await only_asks(strict_till, key)
    clock.move(minutes=11)
    words = await quoted(strict_till, key)
    assert "The code was out of date" in words
    assert await only_asks(strict_till, key)
    late = await strict_till.post("/cashier/sale", data=sale(key, "1840", burn=10_00))
    assert late.status == 422
    assert "This code is too old." in await late.text()


async def test_two_cards_with_one_code_are_told_apart_by_the_qr(strict_till, clock, monkeypatch):
    first, second = await a_customer(bonuses=755_00), await a_customer(bonuses=755_00)
    for person in (first, second):
        await an_open_card(person.id, now=clock.now())
    monkeypatch.setattr("loyalty.customers.rules.card_code", lambda _key, _owner, step: f"{step % 10**6:06d}")
    code = f"{code_step(clock.now()) % 10**6:06d}"
    typed = await strict_till.post("/cashier/find", data={"who": code})
    assert typed.status == 422
    assert "Two cards show this code now." in await typed.text()
    key = await serve(strict_till, second.card_number + code)
    await strict_till.post("/cashier/sale", data=sale(key, "1840", burn=10_00))
    assert ((await customer(first.id)).burnt, (await customer(second.id)).burnt) == (0, 10_00)


async def test_wrong_codes_are_slowed_down_for_each_person(strict_till, clock, sign_in_as):
    person = await a_customer(phone="+79161238525", bonuses=755_00)
    await an_open_card(person.id, now=clock.now())
    right = code_of(person, clock)
    wrong = other_than(*(code_of(person, clock, later=step) for step in (-1, 0, 1)))
    for number in range(10):
        await serve(strict_till, right)  # right ones neither count nor forgive
        who = wrong if number % 2 else person.card_number + wrong
        assert (await strict_till.post("/cashier/find", data={"who": who})).status in (200, 422)
    for who in (wrong, right, person.card_number + right):
        refused = await strict_till.post("/cashier/find", data={"who": who})
        assert refused.status == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 300
        assert "Too many wrong codes." in await refused.text()
    await serve(strict_till, "+79161238525")
    await sign_in_as(Role.CASHIER, email="other@example.com", location_id=1)
    await serve(strict_till, right)


@pytest.mark.prove
async def test_guesses_sent_at_once_are_counted_one_by_one(strict_till):
    answers = await asyncio.gather(
        *(strict_till.post("/cashier/find", data={"who": f"{number:06d}"}) for number in range(30))
    )
    assert sorted(answer.status for answer in answers) == [422] * 10 + [429] * 20
