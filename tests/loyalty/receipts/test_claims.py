"""Fiscal receipts from the chat: read, claimed once, credited by themselves or by a person, matched with the till's."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from loyalty import db
from loyalty.errors import Conflict, Invalid, NotFound, Refused
from loyalty.office.queries.verify import verify
from loyalty.receipts.actions.claims import (
    approve_claim,
    claim_receipt,
    refuse_claim,
    report_fiscal_receipt,
    settle_claims,
)
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.receipts.queries import receipt
from loyalty.receipts.queries.claims import claim, claim_view, claims, claims_waiting
from loyalty.receipts.rules.claims import (
    ClaimSource,
    ClaimState,
    Evidence,
    FiscalQr,
    Refusal,
    Wait,
    check_claim,
    read_qr,
    why_wait,
)
from loyalty.receipts.rules.sales import FiscalKey
from loyalty.shop.rules import Effect, RuleSettings
from loyalty.staff.rules import COMMAND, JOB, Actor, ActorKind
from tests.builders import (
    NOW,
    PROGRAMME,
    a_cashier,
    a_customer,
    a_location,
    a_programme,
    a_sale,
    an_account,
    assert_books_agree,
)

CUSTOMER = Actor(ActorKind.CUSTOMER)
FN = "9960440300123456"
CODE = f"t=20260310T1130&s=500.00&fn={FN}&i=451&fp=3915461783&n=1"


def a_code(**changes: str) -> str:
    """CODE with other values."""
    values = dict(part.split("=") for part in CODE.split("&")) | changes
    return "&".join(f"{name}={value}" for name, value in values.items())


def a_qr(number: int = 451, *, total: int = 500_00, local: str = "2026-03-10T11:30:00", fn: str = FN) -> FiscalQr:
    """A sale of half an hour before NOW, by the clocks of Moscow."""
    return FiscalQr(FiscalKey(fn, number, 3915461783), total, datetime.fromisoformat(local), 1)


async def a_drive(location_id: int, fn: str = FN) -> None:
    await db.execute("INSERT INTO fiscal_drive (fn, location_id) VALUES ($1, $2)", fn, location_id)


async def send(customer_id: int, qr: FiscalQr | None = None, *, now: datetime = NOW):
    found, _ = await claim_receipt(customer_id, qr or a_qr(), source=ClaimSource.TEXT, actor=CUSTOMER, now=now)
    return found


async def balance_of(customer_id: int) -> int:
    found: int = await db.fetch_value("SELECT balance FROM customer_facts WHERE customer_id = $1", customer_id)
    return found


# ------------------------------------------------------------------------------------------------ the code


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        f"  {CODE}\n",
        "&".join(reversed(CODE.split("&"))),
        f"https://check.example.com/?{CODE}",
        f"https://check.example.com/rec?lang=ru&{CODE}#top",
        f"Вот чек: {CODE} спасибо",
        a_code(s="500"),
        a_code(s="500.0"),
        a_code(t="20260310T113000"),
        CODE.replace("fn=", "FN="),
        CODE.replace("&", "&amp;"),
    ],
)
def test_a_code_is_read_in_any_order_and_wherever_it_stands(text):
    assert read_qr(text, 2) == a_qr()


@pytest.mark.parametrize(
    "text", ["", "Привет", "https://example.com/?t=1&s=2&i=3", "t=20260310T1130&s=500.00", "a=1&b=2", f"{CODE} " * 40]
)
def test_what_is_no_code_of_a_receipt_is_left_to_others(text):
    assert read_qr(text, 2) is None


@pytest.mark.parametrize(
    "text",
    [
        a_code(s="0.00"),
        a_code(s="-5.00"),
        a_code(s="5e3"),
        a_code(s="500,00"),
        a_code(s="500.001"),
        a_code(s="٥٠٠"),
        a_code(s="1" * 13),
        a_code(t="20260230T1130"),
        a_code(t="20260310T2460"),
        a_code(t="20260310"),
        a_code(t="00010101T0000"),
        a_code(fn="99604403001234567"),
        a_code(fn="99604403OO123456"),
        a_code(fn=""),
        a_code(i="12345678901"),
        a_code(fp="-1"),
        a_code(n="one"),
        CODE.replace("&n=1", ""),
        CODE.replace("t=20260310T1130&", ""),
        f"{CODE}&s=900.00",
    ],
)
def test_a_code_with_anything_wrong_in_it_is_told_to_be_unreadable(text):
    with pytest.raises(Invalid, match="fiscal_code_unreadable"):
        read_qr(text, 2)


@pytest.mark.parametrize(
    ("text", "exponent", "total"), [("500.00", 0, 500), ("500.5", 3, 500_500), ("0.01", 2, 1), ("12.340", 2, 1234)]
)
def test_a_sum_is_read_in_the_decimals_of_the_shop_and_no_float_comes_near(text, exponent, total):
    found = read_qr(a_code(s=text), exponent)
    assert found is not None
    assert found.total == total


def test_the_time_of_a_receipt_is_that_of_its_cash_registers_zone():
    assert a_qr().sold_at("Europe/Moscow") == NOW - timedelta(minutes=30)
    assert a_qr().sold_at("Asia/Vladivostok") == datetime(2026, 3, 10, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("operation", "hours", "is_ours", "reason"),
    [
        (1, -0.5, True, None),
        (2, -0.5, True, "claim_not_a_sale"),
        (1, 0.9, True, None),
        (1, 1.1, True, "claim_in_future"),
        (1, 7, False, None),
        (1, -14 * 24, True, None),
        (1, -14 * 24 - 1, True, "claim_too_old"),
        (1, -14 * 24 - 7, False, None),
        (1, -15 * 24, False, "claim_too_old"),
    ],
)
def test_a_receipt_is_a_sale_of_the_last_days(operation, hours, is_ours, reason):
    qr = FiscalQr(a_qr().key, 500_00, NOW, operation)

    def check() -> None:
        check_claim(qr, NOW + timedelta(hours=hours), PROGRAMME, is_ours=is_ours, now=NOW)

    if reason is None:
        check()
    else:
        with pytest.raises(Refused, match=reason):
            check()


@pytest.mark.parametrize(
    ("evidence", "limit", "reason"),
    [
        (Evidence(500, 1, None, looks_credited=False), 500, None),
        (Evidence(501, 1, None, looks_credited=False), 500, Wait.OVER_LIMIT),
        (Evidence(1, 1, None, looks_credited=False), 0, Wait.OVER_LIMIT),
        (Evidence(500, None, None, looks_credited=False), 10_000, Wait.UNKNOWN_DRIVE),
        (Evidence(500, 1, None, looks_credited=True), 10_000, Wait.LOOKS_CREDITED),
        (Evidence(500, 1, 500, looks_credited=False), 0, None),
        (Evidence(500, 1, 501, looks_credited=False), 10_000, Wait.SUM_DIFFERS),
        (Evidence(500, 1, 500, looks_credited=True), 10_000, Wait.LOOKS_CREDITED),
    ],
)
def test_a_claim_needs_a_person_unless_everything_speaks_for_it(evidence, limit, reason):
    programme = PROGRAMME.from_body(PROGRAMME.to_body() | {"claim_auto_total": limit})
    assert why_wait(evidence, programme) is reason


# ------------------------------------------------------------------------------------------------ claiming


@pytest.fixture
async def location(database) -> int:
    """A location with a cash register, in a programme that credits up to 1 000 by itself."""
    await a_programme(claim_auto_total=1000_00)
    place = await a_location()
    await a_drive(place)
    return place


async def test_a_small_receipt_of_ours_is_credited_at_once_and_told_like_a_purchase(location):
    anna = await a_customer()
    await an_account(anna.id)
    found = await send(anna.id)
    assert (found.state, found.location_id, found.reason) == (ClaimState.APPROVED, location, None)
    assert await balance_of(anna.id) == 25_00
    view = await receipt(found.receipt_id)
    assert (view.source, view.external_id, view.total) == ("chat", f"{FN}-451-3915461783", 500_00)
    kinds = [row["kind"] for row in await db.fetch("SELECT kind FROM message WHERE direction = 'out'")]
    assert kinds == ["receipt"]
    await assert_books_agree()


async def test_the_same_receipt_again_is_the_same_claim_and_credits_nothing(location):
    anna = await a_customer()
    first = await send(anna.id)
    again, is_new = await claim_receipt(anna.id, a_qr(), source=ClaimSource.PHOTO, actor=CUSTOMER, now=NOW)
    assert (again, is_new) == (first, False)
    assert await balance_of(anna.id) == 25_00


async def test_a_receipt_that_somebody_else_has_sent_is_refused_also_when_it_only_waits(database):
    await a_programme()
    anna, boris = await a_customer(), await a_customer()
    assert (await send(anna.id)).state is ClaimState.WAITING
    with pytest.raises(Refused, match="claimed_by_another"):
        await send(boris.id)


async def test_two_people_who_send_one_receipt_at_once_are_credited_once(location):
    people = [await a_customer() for _ in range(6)]
    answers = await asyncio.gather(*(send(one.id) for one in people), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert {one.reason for one in refused} == {"claimed_by_another"}
    assert len(refused) == 5
    assert sum([await balance_of(one.id) for one in people]) == 25_00
    await assert_books_agree()


async def test_a_receipt_that_the_till_credited_is_not_credited_again(location):
    anna, boris = await a_customer(), await a_customer()
    await a_sale(anna.id, location, 500_00, fiscal=a_qr().key)
    with pytest.raises(Refused, match="fiscal_receipt_was_credited"):
        await send(anna.id)
    with pytest.raises(Refused, match="claimed_by_another"):
        await send(boris.id)
    assert await claims_waiting() == 0


async def test_an_unknown_cash_register_waits_for_a_person_however_small_the_sum(location):
    anna = await a_customer()
    found = await send(anna.id, a_qr(fn="1111222233334444", total=1_00))
    assert (found.state, found.reason, found.location_id) == (ClaimState.WAITING, Wait.UNKNOWN_DRIVE, None)
    assert await balance_of(anna.id) == 0


@pytest.mark.parametrize(
    ("minutes", "total", "more", "waits"),
    [
        (0, 500_00, {}, True),
        (119, 500_00, {}, True),
        (-119, 500_00, {}, True),
        (121, 500_00, {}, False),
        (0, 499_00, {}, False),
        # Whatever fiscal numbers the till named: a person looks.
        (0, 500_00, {"fiscal": FiscalKey(FN, 450, 1)}, True),
        # The cash register prints what is left to pay after bonuses.
        (30, 700_00, {"burn": 200_00}, True),
    ],
)
async def test_a_receipt_that_looks_like_one_already_credited_waits(location, minutes, total, more, waits):
    anna, boris = await a_customer(), await a_customer(bonuses=500_00)
    sold_at = NOW - timedelta(minutes=30) + timedelta(minutes=minutes)
    await a_sale(boris.id, location, total, now=sold_at, **more)
    found = await send(anna.id, now=NOW + timedelta(hours=3))
    assert found.reason == (Wait.LOOKS_CREDITED if waits else None)


async def test_a_receipt_like_one_of_another_location_or_one_taken_back_is_credited(location):
    anna, boris = await a_customer(), await a_customer()
    await a_sale(boris.id, await a_location(), 500_00)
    taken_back = await a_sale(boris.id, location, 500_00)
    await refund_receipt(taken_back.receipt_id, None, key="r", actor=COMMAND, now=NOW)
    assert (await send(anna.id)).state is ClaimState.APPROVED


async def test_over_the_limit_a_person_decides(location):
    anna = await a_customer()
    found = await send(anna.id, a_qr(total=1000_01))
    assert (found.state, found.reason) == (ClaimState.WAITING, Wait.OVER_LIMIT)
    assert (await send(anna.id, a_qr(452, total=1000_00))).state is ClaimState.APPROVED


async def test_a_day_has_a_limit_of_receipts_and_the_next_day_begins_anew(database):
    await a_programme(claims_day=2)
    anna = await a_customer()
    for number in (1, 2):
        await send(anna.id, a_qr(number))
    with pytest.raises(Refused, match="claims_of_day"):
        await send(anna.id, a_qr(3))
    assert (await send(anna.id, a_qr(2))).state is ClaimState.WAITING
    await send(anna.id, a_qr(3), now=NOW + timedelta(hours=12))


async def test_a_programme_may_take_none(location):
    await a_programme(claim_days=0)
    with pytest.raises(Refused, match="claims_not_taken"):
        await send((await a_customer()).id)


async def test_what_the_limits_of_sales_refuse_waits_with_their_reason(location):
    await a_programme(claim_auto_total=1000_00, receipts_day=1)
    anna = await a_customer()
    assert (await send(anna.id)).state is ClaimState.APPROVED
    found = await send(anna.id, a_qr(452, total=300_00))
    assert (found.state, found.reason) == (ClaimState.WAITING, "receipts_of_day")
    await assert_books_agree()


async def test_a_receipt_earns_by_the_hour_of_its_sale_and_without_a_discount_once_more(location):
    happy = RuleSettings(
        1,
        "weekday_hours",
        "Lunch",
        Effect.MULTIPLY,
        20_000,
        params={"weekdays": [2], "from_time": 11 * 60, "until_time": 12 * 60},
    )
    await a_programme(claim_auto_total=1000_00, rules=(happy,))
    anna = await a_customer()
    await db.execute("UPDATE customer_facts SET discount_bp = 1000")
    await send(anna.id, now=NOW + timedelta(hours=5))
    assert await balance_of(anna.id) == 50_00
    await send(anna.id, a_qr(452, local="2026-03-10T13:30:00"), now=NOW + timedelta(hours=5))
    assert await balance_of(anna.id) == 75_00


# ------------------------------------------------------------------------------- the till's own receipt


async def test_a_waiting_claim_is_matched_by_the_tills_receipt_of_the_same_customer(database):
    await a_programme()
    location, anna = await a_location(), await a_customer()
    waiting = await send(anna.id)
    sale = await a_sale(anna.id, location, 500_00, fiscal=a_qr().key)
    assert await settle_claims(actor=JOB, now=NOW, limit=10) == 1
    found = await claim(waiting.id)
    assert (found.state, found.receipt_id, found.reason) == (ClaimState.MATCHED, sale.receipt_id, None)
    assert await balance_of(anna.id) == 25_00
    assert await settle_claims(actor=JOB, now=NOW, limit=10) == 0
    await assert_books_agree()


async def test_a_waiting_claim_is_refused_when_the_till_credits_somebody_else_and_its_customer_is_told(database):
    await a_programme()
    location, anna, boris = await a_location(), await a_customer(), await a_customer()
    await an_account(anna.id)
    waiting = await send(anna.id)
    await a_sale(boris.id, location, 500_00, fiscal=a_qr().key)
    await settle_claims(actor=JOB, now=NOW, limit=10)
    found = await claim(waiting.id)
    assert (found.state, found.reason) == (ClaimState.REFUSED, Refusal.CREDITED_TO_ANOTHER)
    told = await db.fetch_value("SELECT content->>'text' FROM message WHERE kind = 'claim_refused'")
    assert "на другую карту" in told
    assert "500" in told


async def test_a_till_cannot_credit_what_a_claim_was_credited_for(location):
    anna, boris = await a_customer(), await a_customer()
    await send(anna.id)
    with pytest.raises(Refused, match="fiscal_receipt_was_credited"):
        await a_sale(boris.id, location, 500_00, fiscal=a_qr().key)


async def test_a_till_and_the_chat_at_once_credit_once(location):
    anna, boris = await a_customer(), await a_customer()
    await asyncio.gather(send(anna.id), a_sale(boris.id, location, 500_00, fiscal=a_qr().key), return_exceptions=True)
    await settle_claims(actor=JOB, now=NOW, limit=10)
    assert await balance_of(anna.id) + await balance_of(boris.id) == 25_00
    await assert_books_agree()


# ------------------------------------------------------------------------------------------------ reports


async def report(location_id: int, *, total: int = 500_00, number: int = 451, minutes: int = 30):
    return await report_fiscal_receipt(
        a_qr(number).key,
        location_id=location_id,
        total=total,
        sold_at=NOW - timedelta(minutes=minutes),
        actor=COMMAND,
        now=NOW,
    )


async def test_a_report_of_the_same_sum_credits_at_its_location_before_or_after_the_claim(database):
    await a_programme()
    location, anna = await a_location(), await a_customer()
    before = await send(anna.id)
    assert before.reason == Wait.UNKNOWN_DRIVE
    await report(location)
    found = await claim(before.id)
    assert (found.state, found.location_id) == (ClaimState.APPROVED, location)
    await report(location, number=452, total=700_00)
    assert (await send(anna.id, a_qr(452, total=700_00))).state is ClaimState.APPROVED
    assert await balance_of(anna.id) == 60_00
    await assert_books_agree()


async def test_a_report_of_another_sum_leaves_it_to_a_person(location):
    await a_programme()
    waiting = await send((await a_customer()).id)
    await report(location, total=400_00)
    assert (await claim(waiting.id)).reason == Wait.SUM_DIFFERS
    assert await settle_claims(actor=JOB, now=NOW, limit=10) == 0


async def test_a_report_frees_nothing_that_looks_credited(location):
    anna, boris = await a_customer(), await a_customer()
    await a_sale(boris.id, location, 500_00)
    await report(location)
    assert (await send(anna.id)).reason == Wait.LOOKS_CREDITED


async def test_the_same_report_again_changes_nothing_and_another_one_is_a_conflict(location):
    first, is_new = await report(location)
    assert is_new
    assert await report(location) == (first, False)
    for change in ({"total": 400_00}, {"minutes": 31}):
        with pytest.raises(Conflict, match="key_was_used"):
            await report(location, **change)
    with pytest.raises(NotFound, match="location"):
        await report(9_999, number=460)


async def test_a_cash_register_that_becomes_known_is_looked_at_once_more(database):
    await a_programme(claim_auto_total=1000_00)
    waiting, large = await send((await a_customer()).id), await send((await a_customer()).id, a_qr(9, total=2000_00))
    location = await a_location()
    await a_drive(location)
    assert await settle_claims(actor=JOB, now=NOW, limit=10) == 2
    assert (await claim(waiting.id)).state is ClaimState.APPROVED
    found = await claim(large.id)
    assert (found.state, found.reason, found.location_id) == (ClaimState.WAITING, Wait.OVER_LIMIT, location)
    assert await settle_claims(actor=JOB, now=NOW, limit=10) == 0


# ------------------------------------------------------------------------------------------------ by hand


async def test_staff_approve_with_a_location_where_the_cash_register_is_unknown(database):
    await a_programme()
    location, anna, olga = await a_location(), await a_customer(), await a_cashier()
    waiting = await send(anna.id)
    with pytest.raises(Invalid, match="required"):
        await approve_claim(waiting.id, None, actor=olga, now=NOW)
    done = await approve_claim(waiting.id, location, actor=olga, now=NOW)
    assert (done.state, done.location_id) == (ClaimState.APPROVED, location)
    assert await approve_claim(waiting.id, location, actor=olga, now=NOW) == done
    assert await balance_of(anna.id) == 25_00
    view = await claim_view(waiting.id)
    assert view.staff_name == "Timur"
    # The sale is in nobody's shift.
    assert done.receipt_id is not None
    assert (await receipt(done.receipt_id)).staff_id is None
    acts = [row["action"] for row in await db.fetch("SELECT action FROM journal_entry WHERE subject_kind = 'claim'")]
    assert acts == ["claim.made", "claim.approved"]
    await assert_books_agree()


async def test_two_colleagues_who_approve_at_once_credit_once(database):
    await a_programme()
    location, anna, olga = await a_location(), await a_customer(), await a_cashier()
    waiting = await send(anna.id)
    await asyncio.gather(*(approve_claim(waiting.id, location, actor=olga, now=NOW) for _ in range(4)))
    assert await balance_of(anna.id) == 25_00


async def test_staff_refuse_with_a_reason_that_is_told_and_may_think_again(location):
    anna, olga = await a_customer(), await a_cashier()
    await an_account(anna.id)
    waiting = await send(anna.id, a_qr(total=2000_00))
    with pytest.raises(Invalid, match="unknown_choice"):
        await refuse_claim(waiting.id, "credited_to_another", actor=olga, now=NOW)
    refused = await refuse_claim(waiting.id, "not_confirmed", actor=olga, now=NOW)
    assert (refused.state, refused.reason) == (ClaimState.REFUSED, "not_confirmed")
    assert await refuse_claim(waiting.id, "returned", actor=olga, now=NOW) == refused
    told = [row["text"] for row in await db.fetch("SELECT content->>'text' AS text FROM message WHERE kind LIKE 'cl%'")]
    assert len(told) == 1
    assert "такой продажи нет" in told[0]
    done = await approve_claim(waiting.id, None, actor=olga, now=NOW)
    assert done.state is ClaimState.APPROVED
    with pytest.raises(Refused, match="claim_was_credited"):
        await refuse_claim(waiting.id, "returned", actor=olga, now=NOW)


async def test_nobody_decides_on_their_own_receipt(database):
    await a_programme()
    anna = await a_customer(phone="+79161234567")
    herself = await a_cashier(phone="+79161234567")
    waiting, location = await send(anna.id), await a_location()
    with pytest.raises(Refused, match="own_account"):
        await approve_claim(waiting.id, location, actor=herself, now=NOW)
    with pytest.raises(Refused, match="own_account"):
        await refuse_claim(waiting.id, "not_ours", actor=herself, now=NOW)
    assert (await claim(waiting.id)).state is ClaimState.WAITING


async def test_what_a_sale_refuses_an_approval_refuses_and_nothing_changes(location):
    waiting = await send((await a_customer()).id, a_qr(total=2000_00))
    await db.execute("UPDATE location SET is_open = false")
    with pytest.raises(Refused, match="location_is_closed"):
        await approve_claim(waiting.id, None, actor=await a_cashier(), now=NOW)
    assert (await claim(waiting.id)).state is ClaimState.WAITING


async def test_the_list_shows_the_longest_waiting_first_and_what_they_look_like(location):
    await a_programme(claims_day=0)
    anna, boris = await a_customer(name="Анна Кот"), await a_customer(name="Борис Лис")
    sale = await a_sale(boris.id, location, 500_00)
    ids = [(await send(anna.id, a_qr(number, total=(500 + number) * 100 - 100))).id for number in range(1, 24)]
    found, following = await claims(ClaimState.WAITING)
    assert [view.claim.id for view in found] == ids[:20]
    assert found[0].similar is not None
    assert (found[0].similar.id, found[0].similar.customer_name) == (sale.receipt_id, "Борис Лис")
    assert [view.similar for view in found[1:]] == [None] * 19
    rest, end = await claims(ClaimState.WAITING, beyond=following)
    assert ([view.claim.id for view in rest], end) == (ids[20:], None)
    newest, _ = await claims()
    assert newest[0].claim.id == ids[-1]
    assert await claims(ClaimState.REFUSED) == ([], None)


async def test_the_proof_of_the_books_finds_a_claim_with_a_receipt_that_is_not_its_own(location):
    anna, boris = await a_customer(), await a_customer()
    found = await send(anna.id)
    other = await a_sale(boris.id, location, 700_00)
    await db.execute("UPDATE fiscal_claim SET receipt_id = $1", other.receipt_id)
    differences = (await verify(now=NOW)).differences
    assert [(one.check, one.id) for one in differences] == [
        ("receipt of claim", found.id),
        ("claim of receipt", found.receipt_id),
    ]
