"""The score and its interval, the programme's checks, what a typed number means."""

from dataclasses import replace
from datetime import timedelta
from math import comb

import pytest

from loyalty.errors import Invalid
from loyalty.surveys.rules import (
    CHANGEABLE,
    EVERYWHERE,
    LINK_LENGTH,
    PARTS,
    Group,
    ProgrammeDraft,
    Tally,
    checked,
    checked_link,
    clean_comment,
    group_of,
    interval,
    is_changeable,
    nps,
    typed_score,
)
from loyalty.surveys.thanks import HOUSE, words
from tests.builders import NOW

SHARES = ((0.7, 0.08), (0.5, 0.2), (0.6, 0.1), (0.33, 0.33), (0.8, 0.05), (0.2, 0.5), (0.4, 0.1))


def test_nine_and_ten_promote_seven_and_eight_are_passive_the_others_detract():
    groups = [group_of(score) for score in range(11)]
    assert groups == [Group.DETRACTOR] * 7 + [Group.PASSIVE] * 2 + [Group.PROMOTER] * 2
    tally = Tally.of({10: 5, 9: 1, 8: 2, 7: 1, 6: 1, 0: 2})
    assert (tally.promoters, tally.passives, tally.detractors, tally.total) == (6, 3, 3, 12)


def test_the_score_is_promoters_less_detractors_in_points_and_nothing_without_answers():
    assert nps(6, 3, 3) == 25
    assert (nps(4, 0, 0), nps(0, 0, 4), nps(0, 4, 0)) == (100, -100, 0)
    assert (nps(0, 0, 0), interval(0, 0, 0), Tally().nps) == (None, None, None)
    assert Tally(60, 30, 9).is_small
    assert not Tally(60, 30, 10).is_small
    assert Tally(1, 1, 1).share_bp(Group.PASSIVE) == 3333


def test_the_interval_is_rocks_adjusted_wald_and_never_leaves_the_scale():
    low, high = interval(60, 25, 15) or (0, 0)
    assert (round(low, 1), round(high, 1)) == (29.3, 58.0)
    # Where everybody says the same the plain interval has no width.
    assert [round(one, 1) for one in interval(5, 0, 0) or ()] == [17.5, 100.0]
    assert [round(one, 1) for one in interval(0, 0, 5) or ()] == [-100.0, -17.5]
    assert interval(0, 7, 0) is not None
    wide, narrow = interval(6, 2, 2), interval(600, 200, 200)
    assert wide is not None
    assert narrow is not None
    assert wide[1] - wide[0] > 5 * (narrow[1] - narrow[0])


def covered(p: float, d: float, count: int) -> float:
    """How often the interval of `count` answers holds the true score: exactly, over all that may be answered."""
    true, rest, found = 100 * (p - d), 1 - p - d, 0.0
    for up in range(count + 1):
        for down in range(count + 1 - up):
            middle = count - up - down
            low, high = interval(up, middle, down) or (0, 0)
            if low <= true <= high:
                found += comb(count, up) * comb(count - up, down) * p**up * d**down * rest**middle
    return found


@pytest.mark.parametrize("count", [20, 50])
def test_the_interval_holds_the_truth_in_93_to_97_of_a_hundred_surveys(count):
    shares = [covered(p, d, count) for p, d in SHARES]
    assert all(0.93 <= one <= 0.97 for one in shares), shares


def test_a_programme_is_kept_without_blanks_and_in_order():
    draft = ProgrammeDraft(
        location_ids=(2, 1, 2),
        texts={"ru": {"thanks_promoter": "  Спасибо \n", "prompt_passive": " "}, "en": {}},
        links={EVERYWHERE: " https://maps.example.com/x?y=1 ", "2": ""},
    )
    kept = checked(draft, [1, 2])
    assert kept.location_ids == (1, 2)
    assert kept.texts == {"ru": {"thanks_promoter": "Спасибо"}}
    assert kept.links == {EVERYWHERE: "https://maps.example.com/x?y=1"}
    assert (kept.link(2), kept.link(None)) == ("https://maps.example.com/x?y=1",) * 2
    assert replace(kept, links={"2": "https://a.example/"}).link(1) == ""


@pytest.mark.parametrize(
    ("field", "reason", "change"),
    [
        ("delay_hours", "not_in_range", {"delay_hours": 721}),
        ("delay_hours", "not_in_range", {"delay_hours": -1}),
        ("pause_days", "not_in_range", {"pause_days": 89}),
        ("minimum", "not_in_range", {"minimum": -1}),
        ("bonus", "not_in_range", {"bonus": -1}),
        ("location_ids", "required", {"location_ids": ()}),
        ("location_ids", "unknown_choice", {"location_ids": (3,)}),
        ("text-xx", "unknown_choice", {"texts": {"xx": {}}}),
        ("text-ru", "unknown_choice", {"texts": {"ru": {"odd": "x"}}}),
        ("text-ru-prompt_passive", "too_long", {"texts": {"ru": {"prompt_passive": "x" * 601}}}),
        ("link-3", "unknown_choice", {"links": {"3": "https://a.example"}}),
        ("link-0", "link_not_https", {"links": {"0": "http://a.example"}}),
    ],
)
def test_what_a_programme_cannot_be_is_said_of_its_field(field, reason, change):
    with pytest.raises(Invalid) as refused:
        checked(ProgrammeDraft(**change), [1, 2])
    assert (refused.value.field, refused.value.reason) == (field, reason)


@pytest.mark.parametrize(
    "address",
    [
        "https://",
        "https://localhost/",
        "https://user:secret@maps.example.com/",
        "https://maps.example.com:port/",
        "https://maps.example.com/a b",
        "https://maps.example.com/\nx",
        "https://карты.рф/",
        "https://-a.example/",
        "javascript:alert(1)",
        "https://a.example/" + "x" * LINK_LENGTH,
    ],
)
def test_only_sound_addresses_are_shown_to_customers(address):
    with pytest.raises(Invalid):
        checked_link(address, "link-0")


def test_the_house_has_words_for_every_part_and_the_shops_own_go_before():
    for language, parts in HOUSE.items():
        assert set(parts) == set(PARTS), language
    own = ProgrammeDraft(texts={"ru": {"thanks_promoter": "Ура"}})
    assert words(own, "ru", "thanks_promoter") == "Ура"
    assert words(own, "ru", "prompt_promoter") == HOUSE["ru"]["prompt_promoter"]
    assert words(own, "fr", "thanks_promoter") == HOUSE["en"]["thanks_promoter"]


def test_a_number_alone_is_a_score_and_nothing_else_is():
    assert [typed_score(text) for text in ("9", " 10 ", "0", "7.", "3)")] == [9, 10, 0, 7, 3]
    assert [typed_score(text) for text in ("11", "-1", "9 из 10", "", "девять", "٩", "007")] == [None] * 7


def test_a_score_may_be_changed_for_a_day_and_a_comment_keeps_no_control_signs():
    assert is_changeable(NOW, NOW + CHANGEABLE - timedelta(seconds=1))
    assert not is_changeable(NOW, NOW + CHANGEABLE)
    cook = "\U0001f469\u200d\U0001f373"
    assert clean_comment(f" all\x00 well\x07\nthanks {cook} ") == f"all well\nthanks {cook}"
    assert len(clean_comment("x" * 5000)) == 2000
