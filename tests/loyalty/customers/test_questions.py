"""The shop's questionnaire: what is asked, in which order, and what is kept of the answers."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from loyalty.customers.actions.questions import (
    delete_question,
    keep_answers,
    move_question,
    name_gender,
    restore_question,
    save_question,
    set_asking,
)
from loyalty.customers.queries import customer
from loyalty.customers.queries.questions import answers_of, question, questions, unanswered
from loyalty.customers.questionnaire import (
    QUESTIONS_AT_MOST,
    ChoiceDraft,
    Given,
    QuestionDraft,
    QuestionKind,
    parse_day,
    read_typed,
    said_in,
)
from loyalty.customers.rules import Via
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer

pytestmark = pytest.mark.usefixtures("english_shop")

BY: dict[str, Any] = {"actor": COMMAND, "now": NOW}
COFFEE = QuestionDraft(
    QuestionKind.CHOICE,
    {"en": "Which coffee?", "ru": "Какой кофе?"},
    [ChoiceDraft(None, {"en": "Filter", "ru": "Фильтр"}), ChoiceDraft(None, {"en": "Flat white", "ru": ""})],
    is_required=False,
    is_asked=True,
)
WORDS = replace(COFFEE, kind=QuestionKind.TEXT, labels={"en": "How did you find us?"}, choices=[])
DAY = replace(WORDS, kind=QuestionKind.DATE, labels={"en": "When did you marry?"})


@pytest.fixture
async def english_shop(database) -> None:
    await database.execute("UPDATE shop SET language = 'en'")


async def order() -> list[str]:
    return [one.kind.value for one in await questions()]


async def test_birthday_and_gender_are_there_from_the_start_and_new_questions_follow_them():
    assert [(one.kind, one.is_asked) for one in await questions()] == [("birthday", True), ("gender", False)]
    await save_question(None, COFFEE, **BY)
    await save_question(None, WORDS, **BY)
    assert await order() == ["birthday", "gender", "choice", "text"]


async def test_questions_move_as_far_as_there_is_room():
    coffee = await save_question(None, COFFEE, **BY)
    await move_question(coffee, -1, **BY)
    assert await order() == ["birthday", "choice", "gender"]
    await move_question(coffee, -9, **BY)
    await move_question(coffee, -1, **BY)
    assert await order() == ["choice", "birthday", "gender"]


async def test_the_ids_of_choices_stay_when_their_labels_change_and_are_not_given_again():
    coffee = await save_question(None, COFFEE, **BY)
    filtered, white = (await question(coffee)).choices
    changed = replace(
        COFFEE,
        choices=[
            ChoiceDraft(white.id, {"en": "Cappuccino"}),
            ChoiceDraft(filtered.id, {"en": "  ", "ru": ""}),
            ChoiceDraft(None, {"en": "Espresso"}),
        ],
    )
    await save_question(coffee, changed, **BY)
    now = await question(coffee)
    assert [(one.id, one.labels["en"]) for one in now.offered] == [(white.id, "Cappuccino"), (3, "Espresso")]
    assert [(one.id, one.labels["en"], one.is_removed) for one in now.choices[2:]] == [(filtered.id, "Filter", True)]


async def test_what_was_answered_stays_readable_when_its_choice_and_its_question_are_gone():
    person = await a_customer()
    coffee = await save_question(None, COFFEE, **BY)
    await keep_answers(person.id, {coffee: Given(choice=1)}, via=Via.TELEGRAM, **BY)
    without = [ChoiceDraft(2, {"en": "Flat white"}), ChoiceDraft(None, {"en": "Tea"})]
    await save_question(coffee, replace(COFFEE, choices=without), **BY)
    await delete_question(coffee, **BY)
    [answer] = await answers_of(person.id)
    assert answer.given == Given(choice=1)
    assert said_in(answer.question.choices[-1].labels, "ru", "en") == "Фильтр"
    assert answer.question.deleted_at is not None
    await restore_question(coffee, **BY)
    assert await order() == ["birthday", "gender", "choice"]


async def test_deleting_asks_nobody_any_more_and_those_of_the_profile_stay():
    birthday, gender = await questions()
    coffee = await save_question(None, COFFEE, **BY)
    await delete_question(coffee, **BY)
    for kept in (birthday.id, gender.id):
        with pytest.raises(NotFound):
            await delete_question(kept, **BY)
    with pytest.raises(NotFound):
        await save_question(coffee, COFFEE, **BY)
    await set_asking(gender.id, is_asked=True, **BY)
    await set_asking(birthday.id, is_asked=True, is_required=True, **BY)
    assert [(one.is_asked, one.is_required) for one in await questions()] == [(True, True), (True, False)]


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"labels": {"en": " ", "ru": "Какой кофе?"}}, "label_en", "required"),
        ({"labels": {"en": "x" * 201}}, "label_en", "too_long"),
        ({"choices": COFFEE.choices[:1]}, "choices", "too_few_choices"),
        ({"choices": [ChoiceDraft(None, {"en": f"{n}"}) for n in range(11)]}, "choices", "too_many"),
        ({"choices": [*COFFEE.choices, ChoiceDraft(None, {"ru": "Чай"})]}, "choice_2_en", "required"),
        ({"choices": [*COFFEE.choices, ChoiceDraft(None, {"en": "filter"})]}, "choice_2_en", "named_twice"),
        ({"choices": [*COFFEE.choices, ChoiceDraft(None, {"en": "y" * 61})]}, "choice_2_en", "too_long"),
        ({"kind": QuestionKind.GENDER}, "kind", "unknown_choice"),
    ],
)
async def test_a_question_that_cannot_be_asked_is_refused_beside_its_field(change, field, reason):
    with pytest.raises(Invalid) as refused:
        await save_question(None, replace(COFFEE, **change), **BY)
    assert (refused.value.field, refused.value.reason) == (field, reason)


async def test_there_are_not_endlessly_many_questions():
    for _ in range(QUESTIONS_AT_MOST - 2):
        await save_question(None, WORDS, **BY)
    with pytest.raises(Refused, match="too_many_questions"):
        await save_question(None, WORDS, **BY)


async def test_answers_are_kept_changed_and_taken_back_and_only_changes_are_told(database):
    person = await a_customer()
    ids = [await save_question(None, draft, **BY) for draft in (COFFEE, WORDS, DAY)]
    answers = dict(zip(ids, [Given(choice=2), Given(text="A friend"), Given(day=date(2020, 6, 1))], strict=True))
    await keep_answers(person.id, answers, via=Via.WHATSAPP, **BY)
    await keep_answers(person.id, answers, via=Via.PANEL, **BY)
    assert [(one.given, one.via) for one in await answers_of(person.id)] == [
        (given, "whatsapp") for given in answers.values()
    ]
    await keep_answers(person.id, {ids[0]: None, ids[1]: Given(text="The sign")}, via=Via.PANEL, **BY)
    assert [one.given for one in await answers_of(person.id)] == [None, Given(text="The sign"), answers[ids[2]]]
    acts = await database.fetch("SELECT details FROM journal_entry WHERE action = 'customer.answered' ORDER BY id")
    assert [json.loads(row["details"]) for row in acts] == [{"questions": ids}, {"questions": ids[:2]}]


@pytest.mark.parametrize("given", [Given(choice=9), Given(text="Filter"), Given()])
async def test_what_is_no_answer_to_a_question_is_refused(given):
    person, coffee = await a_customer(), await save_question(None, COFFEE, **BY)
    with pytest.raises(Invalid, match="wrong_type"):
        await keep_answers(person.id, {coffee: given}, via=Via.PANEL, **BY)


async def test_nothing_can_be_answered_to_a_question_of_the_profile_or_to_none():
    person, [birthday, _] = await a_customer(), await questions()
    for nothing in (birthday.id, 999):
        with pytest.raises(NotFound):
            await keep_answers(person.id, {nothing: Given(text="x")}, via=Via.PANEL, **BY)


async def test_unanswered_is_what_is_asked_and_not_known():
    person = await a_customer()
    birthday, gender = await questions()
    coffee, words = [await save_question(None, draft, **BY) for draft in (COFFEE, WORDS)]
    await set_asking(gender.id, is_asked=True, **BY)
    await set_asking(words, is_asked=False, **BY)
    known = {"birthday"} if person.birthday else set()
    assert [one.kind.value for one in await unanswered(person.id) if one.kind.value not in known] == [
        kind for kind in ("birthday", "gender", "choice") if kind not in known
    ]
    await name_gender(person.id, "f", **BY)
    await keep_answers(person.id, {coffee: Given(choice=1)}, via=Via.TELEGRAM, **BY)
    assert (await customer(person.id)).gender == "f"
    assert {one.kind.value for one in await unanswered(person.id)} <= {birthday.kind.value}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("24.08.2031", date(2031, 8, 24)),
        ("1/2/1990", date(1990, 2, 1)),
        ("2020-06-01", date(2020, 6, 1)),
        ("31.02.2020", None),
        ("24.08.31", None),
        ("01.01.1850", None),
        ("tomorrow", None),
    ],
)
def test_a_date_is_read_as_people_type_it(text, day):
    assert parse_day(text) == day


async def test_a_typed_choice_is_known_by_its_label_in_any_language_or_by_its_number():
    asked = await question(await save_question(None, COFFEE, **BY))
    assert [read_typed(asked, text).choice for text in ("flat WHITE ", "Фильтр", "2", "1.")] == [2, 1, 2, 1]
    for text in ("3", "0", "tea", ""):
        with pytest.raises(Invalid, match="unknown_choice"):
            read_typed(asked, text)
