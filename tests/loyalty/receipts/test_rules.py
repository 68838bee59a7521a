import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.errors import Invalid, Refused
from loyalty.money import money_of
from loyalty.receipts.rules import Original, ReceiptDraft, ReceiptSource, check_draft, undo
from tests.builders import PROGRAMME


def original(**changes: int) -> Original:
    """A sale of 1 000, of which 300 bonuses paid; it earned 35."""
    values = {
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
    ],
)
def test_a_draft_no_till_can_mean_is_refused(changes, field):
    values = {"source": ReceiptSource.TILL, "location_id": 1, "external_id": "k", "customer_id": 1, "total": 100}
    with pytest.raises(Invalid) as refused:
        check_draft(ReceiptDraft(**{**values, **changes}))
    assert refused.value.field == field
