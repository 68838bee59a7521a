from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.customers.rules import CardProof
from loyalty.errors import Invalid, Refused
from loyalty.money import money_of
from loyalty.receipts.rules.refunds import LineRefund, Original, OriginalLine, undo
from loyalty.receipts.rules.sales import FiscalKey, Line, ReceiptDraft, ReceiptSource, checked
from tests.builders import PROGRAMME


def original(**changes: Any) -> Original:
    """A sale of 1 000, of which 300 bonuses paid; it earned 35."""
    values: dict[str, Any] = {
        "total": 1000_00, "paid": 700_00, "burnt": 300_00, "earned": 35_00,
        "refunded": 0, "restored": 0, "reversed": 0, "paid_back": 0, "expired": 0,
    }  # fmt: skip
    return Original(**{**values, **changes})


def test_a_whole_refund_undoes_everything():
    undone = undo(original(), 1000_00, PROGRAMME)
    assert (undone.restore, undone.reverse, undone.pay_back) == (300_00, 35_00, 700_00)


def test_what_expired_unspent_counts_as_taken_back():
    assert undo(original(expired=20_00), 1000_00, PROGRAMME).reverse == 15_00
    assert undo(original(expired=35_00), 1000_00, PROGRAMME).reverse == 0


@given(
    st.integers(1, 10**9),
    st.integers(0, 10_000),
    st.integers(0, 10**7),
    st.lists(st.integers(1, 10**9), min_size=1, max_size=6),
)
def test_refunds_in_parts_undo_what_one_refund_of_their_sum_does(total, burn_share, earned, parts):
    burnt = total * burn_share // 10_000
    whole = original(total=total, paid=total - money_of(burnt, 100), burnt=burnt, earned=earned)
    done = {"refunded": 0, "restored": 0, "reversed": 0, "paid_back": 0}
    for wanted in parts:
        part = min(wanted, total - done["refunded"])
        if not part:
            break
        step = undo(
            original(**{**{n: getattr(whole, n) for n in ("total", "paid", "burnt", "earned")}, **done}),
            part,
            PROGRAMME,
        )
        assert min(step.restore, step.reverse, step.pay_back) >= 0
        done = {
            "refunded": done["refunded"] + part,
            "restored": done["restored"] + step.restore,
            "reversed": done["reversed"] + step.reverse,
            "paid_back": done["paid_back"] + step.pay_back,
        }
    once = undo(whole, done["refunded"], PROGRAMME)
    assert (done["restored"], done["reversed"], done["paid_back"]) == (once.restore, once.reverse, once.pay_back)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_refund_of_nothing_is_refused(amount):
    with pytest.raises(Invalid):
        undo(original(), amount, PROGRAMME)


def test_a_refund_never_exceeds_what_is_left():
    with pytest.raises(Refused) as refused:
        undo(original(refunded=800_00), 200_01, PROGRAMME)
    assert refused.value.details == {"left": 200_00}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total": 0}, "total"),
        ({"total": -5}, "total"),
        ({"total": 10**13 + 1}, "total"),
        ({"burn": -1}, "burn"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 65}, "external_id"),
        ({"external_id": "a\x00b"}, "external_id"),
        ({"lines": (Line(60), Line(50))}, "lines"),
        ({"lines": (Line(110), Line(-10))}, "lines"),
        ({"lines": (Line(100, name="x" * 201),)}, "lines"),
        ({"lines": (Line(0),) * 201}, "lines"),
        ({"lines": (Line(100, category="a\x00"),)}, "lines"),
        ({"fiscal": FiscalKey("12a", 1, 1)}, "fiscal.fn"),
        ({"fiscal": FiscalKey("12", 1, 10**10)}, "fiscal.fp"),
    ],
)
def test_a_draft_no_till_can_mean_is_refused(changes, field):
    values = {"source": ReceiptSource.TILL, "location_id": 1, "external_id": "k", "customer_id": 1, "total": 100}
    with pytest.raises(Invalid) as refused:
        checked(ReceiptDraft(**{**values, **changes}))
    assert refused.value.field == field


def test_the_words_of_a_line_are_kept_as_they_are_compared():
    line = Line(100, name=" Flat  white ", category=" Hot Drinks ")
    draft = checked(ReceiptDraft(ReceiptSource.API, 1, "k", 1, 100, lines=(line,), promo_code=" spring-26 "))
    assert draft.lines == (Line(100, name="Flat white", category="hot drinks"),)
    assert draft.promo_code == "SPRING-26"


def test_the_code_that_was_shown_is_no_part_of_the_body_but_all_that_changes_the_sale_is():
    plain = ReceiptDraft(ReceiptSource.API, 1, "k", 1, 100)
    assert replace(plain, proof=CardProof(1, 5)).body_hash() == plain.body_hash()
    others = [
        replace(plain, total=101), replace(plain, lines=(Line(100),)), replace(plain, promo_code="A"),
        replace(plain, discounts_applied=True), replace(plain, hold_id=1), replace(plain, fiscal=FiscalKey("1", 2, 3)),
    ]  # fmt: skip
    assert len({draft.body_hash() for draft in [plain, *others]}) == 7


LINES = (
    OriginalLine(1, 600_00, 180_00, 21_00, 0),
    OriginalLine(2, 300_00, 120_00, 14_00, 0),
    OriginalLine(3, 100_00, 0, 0, 0),  # a gift card: neither earns nor can be paid with bonuses
)


def test_a_line_gives_its_own_share_back():
    undone = undo(original(lines=LINES), None, PROGRAMME, lines=[LineRefund(2)])
    assert (undone.amount, undone.restore, undone.reverse, undone.pay_back) == (300_00, 120_00, 14_00, 180_00)
    gift = undo(original(lines=LINES), None, PROGRAMME, lines=[LineRefund(3, 50_00)])
    assert (gift.amount, gift.restore, gift.reverse, gift.pay_back) == (50_00, 0, 0, 50_00)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([LineRefund(4)], "no_such_line"),
        ([LineRefund(1), LineRefund(1)], "line_named_twice"),
        ([LineRefund(1, 0)], "must_be_positive"),
        ([LineRefund(1, 600_01)], "refund_over_original"),
    ],
)
def test_a_refund_of_lines_that_are_not_there_is_refused(lines, reason):
    with pytest.raises((Invalid, Refused)) as refused:
        undo(original(lines=LINES), None, PROGRAMME, lines=lines)
    assert refused.value.reason == reason


@settings(max_examples=80)
@given(st.data())
def test_however_a_sale_is_taken_back_nothing_turns_round_and_the_end_is_all_of_it(data):
    sums = st.tuples(st.integers(0, 10**6), st.integers(0, 10**5), st.integers(0, 10**4))
    drawn = data.draw(st.lists(sums, min_size=1, max_size=4))
    lines = tuple(
        OriginalLine(position, line_total, line_burnt, earned, 0)
        for position, (line_total, line_burnt, earned) in enumerate(drawn, start=1)
    )
    total = sum(line.total for line in lines) or 1
    if not sum(line.total for line in lines):
        lines = (replace(lines[0], total=1), *lines[1:])
    burnt = min(sum(line.burnt for line in lines), total)
    lines = (replace(lines[0], burnt=burnt), *(replace(line, burnt=0) for line in lines[1:]))
    state = original(
        total=total, paid=total - money_of(burnt, 100), burnt=burnt, earned=sum(line.earned for line in lines),
        lines=lines,
    )  # fmt: skip
    parts_left = 12  # then the rest at once: nobody brings a purchase back by the kopeck
    while state.refunded < total:
        parts_left -= 1
        open_lines = [line for line in state.lines if line.refunded < line.total]
        if parts_left and open_lines and data.draw(st.booleans()):
            line = data.draw(st.sampled_from(open_lines))
            most = min(line.total - line.refunded, total - state.refunded)
            wanted: list[LineRefund] = [LineRefund(line.position, data.draw(st.integers(1, most)))]
            step = undo(state, None, PROGRAMME, lines=wanted)
        else:
            amount = data.draw(st.integers(1, total - state.refunded) | st.none()) if parts_left else None
            step = undo(state, amount, PROGRAMME)
        assert min(step.amount, 1 + step.restore, 1 + step.reverse, 1 + step.pay_back) >= 1
        parts = dict(step.lines)
        state = replace(
            state,
            refunded=state.refunded + step.amount,
            restored=state.restored + step.restore,
            reversed=state.reversed + step.reverse,
            paid_back=state.paid_back + step.pay_back,
            lines=tuple(replace(line, refunded=line.refunded + parts.get(line.position, 0)) for line in state.lines),
        )
    assert (state.restored, state.reversed, state.paid_back) == (state.burnt, state.earned, state.paid)
