"""Questions, consent texts and the greeting in the panel, and what of them stands on a card."""

import json
import re

import pytest

from loyalty.conversations.queries.greetings import all_words
from loyalty.customers.actions.profile import add_steps, set_consent
from loyalty.customers.actions.questions import keep_answers, save_question
from loyalty.customers.queries.consent_texts import versions_of
from loyalty.customers.queries.questions import answers_of, question, questions
from loyalty.customers.questionnaire import ChoiceDraft, Given, QuestionDraft, QuestionKind
from loyalty.customers.rules import Topic, Via
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.builders import a_customer

HTMX = {"HX-Request": "true"}
COFFEE = {
    "kind": "choice",
    "label_ru": "Какой кофе?",
    "label_en": "Which coffee?",
    "choice_0_ru": "Фильтр",
    "choice_1_ru": "Раф",
    "choice_1_en": "Raf",
    "is_asked": "1",
}


async def a_question(kind: QuestionKind = QuestionKind.CHOICE) -> int:
    choices = [ChoiceDraft(None, {"ru": text}) for text in ("Фильтр", "Раф")] if kind is QuestionKind.CHOICE else []
    draft = QuestionDraft(kind, {"ru": f"Вопрос {kind.value}"}, choices, is_required=False, is_asked=True)
    return await save_question(None, draft, actor=COMMAND, now=START)


# ------------------------------------------------------------------------------------- questions


async def test_an_owner_adds_a_question_and_finds_it_last_in_the_list(panel, sign_in_as):
    await sign_in_as()
    answer = await panel.post("/settings/questions/new", data=COFFEE, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/settings/questions")
    text = await (await panel.get("/settings/questions")).text()
    assert text.index("Birthday") < text.index("Gender") < text.index("Какой кофе?")
    assert "Choice: <bdi>Фильтр, Раф</bdi>" in text


async def test_a_form_shows_what_is_kept_and_its_choices_keep_their_ids(panel, sign_in_as):
    await sign_in_as()
    coffee = await a_question()
    form = await (await panel.get(f"/settings/questions/{coffee}")).text()
    assert 'name="choice_1_id" value="2"' in form
    changed = COFFEE | {"choice_0_id": "2", "choice_0_ru": "Раф!", "choice_1_ru": "Чай", "choice_1_en": ""}
    await panel.post(f"/settings/questions/{coffee}", data=changed)
    assert [(one.id, one.labels["ru"]) for one in (await question(coffee)).offered] == [(2, "Раф!"), (3, "Чай")]


@pytest.mark.parametrize(
    ("change", "where", "why"),
    [
        ({"label_ru": ""}, "label_ru-error", "Fill this in."),
        ({"choice_1_ru": "", "choice_1_en": ""}, "choices-error", "Write at least 2 answers"),
        ({"choice_1_ru": "фильтр"}, "choice_1_ru-error", "This stands here twice."),
    ],
)
async def test_what_is_wrong_with_a_question_stands_beside_its_field(panel, sign_in_as, change, where, why):
    await sign_in_as()
    answer = await panel.post("/settings/questions/new", data=COFFEE | change, headers=HTMX)
    text = await answer.text()
    assert answer.status == 422
    assert re.search(rf'id="{where}">.*?{why}', text, re.DOTALL)
    assert text.strip().startswith("<form")


async def test_questions_are_moved_asked_and_deleted_with_an_undo(panel, sign_in_as):
    await sign_in_as()
    coffee = await a_question()
    part = await panel.post(f"/settings/questions/{coffee}/up", headers=HTMX)
    assert (await part.text()).strip().startswith('<section class="card mt wide" id="questions">')
    assert [one.kind.value for one in await questions()] == ["birthday", "choice", "gender"]
    birthday = (await questions())[0].id
    await panel.post(f"/settings/questions/{birthday}/ask", data={"is_asked": "1", "is_required": "1"})
    assert (await questions())[0].is_required
    await panel.post(f"/settings/questions/{birthday}/ask", data={"is_asked": ""})
    assert next((one.is_asked, one.is_required) for one in await questions()) == (False, True)
    await panel.post(f"/settings/questions/{coffee}/delete", allow_redirects=False)
    text = await (await panel.get("/settings/questions")).text()
    assert f'data-toast-undo="/settings/questions/{coffee}/restore"' in text or f"{coffee}/restore" in text
    assert (await panel.get(f"/settings/questions/{coffee}")).status == 404
    await panel.post(f"/settings/questions/{coffee}/restore")
    assert len(await questions()) == 3


@pytest.mark.parametrize("path", ["/settings/questions", "/settings/consents", "/settings/greeting"])
@pytest.mark.parametrize("role", [Role.MARKETER, Role.CASHIER, Role.SUPPORT, Role.ANALYST])
async def test_only_owners_decide_what_newcomers_meet(panel, sign_in_as, role, path):
    await sign_in_as(role)
    assert (await panel.get(path)).status == 403


# ---------------------------------------------------------------------------------- consent texts


async def test_a_new_version_is_published_and_the_old_ones_stay_to_be_read(panel, sign_in_as):
    await sign_in_as()
    form = await (await panel.get("/settings/consents/terms/new")).text()
    assert "{shop} хранит ваши имя" in form
    assert "Publish version 2" in form
    await panel.post("/settings/consents/terms/new", data={"text_ru": "Условия {shop}.", "text_en": "", "text_uk": ""})
    newest, _house = await versions_of(Topic.TERMS)
    assert (newest.version, newest.texts, newest.staff_name) == (2, {"ru": "Условия {shop}."}, "Olga Kim")
    text = await (await panel.get("/settings/consents")).text()
    assert "Version 2" in text
    assert 'href="/consents/terms/1/uk"' in text
    shown = await (await panel.get("/consents/terms/2/ru", headers=HTMX)).text()
    assert "<dialog" in shown
    assert "Условия Regulars." in shown
    assert (await panel.get("/consents/terms/2/uk")).status == 404
    assert (await panel.get("/consents/surveys/1/en")).status == 404


async def test_the_words_in_force_are_not_published_twice(panel, sign_in_as):
    await sign_in_as()
    await panel.post("/settings/consents/marketing/new", data={"text_ru": "Писать?"})
    again = await panel.post("/settings/consents/marketing/new", data={"text_ru": "Писать? "}, headers=HTMX)
    assert again.status == 422
    assert "These are the words in force" in await again.text()
    wrong = await panel.post("/settings/consents/marketing/new", data={"text_ru": "{name}?"}, headers=HTMX)
    assert 'id="text_ru-error"' in await wrong.text()


async def test_people_are_counted_by_version(panel, sign_in_as):
    await sign_in_as()
    for mark in ("1 ru", "1 uk", "2 ru"):
        person = await a_customer()
        await set_consent(
            person.id, Topic.TERMS, granted=True, source="panel", text_version=mark, actor=COMMAND, now=START
        )
    text = await (await panel.get("/settings/consents/terms/agreed")).text()
    assert re.findall(r"Version (\d).*?(\d+)", text.replace("\u00a0", " ")) == [("2", "1"), ("1", "2")]
    assert "Nobody has agreed" in await (await panel.get("/settings/consents/marketing/agreed")).text()


# --------------------------------------------------------------------------------------- greeting


async def test_the_greeting_is_shown_before_it_is_saved_and_said_afterwards(panel, sign_in_as):
    await sign_in_as()
    words = {"greeting_ru": "Привет, это {shop}!", "welcome_en": "Glad to have you, {first_name}."}
    shown = await (await panel.post("/settings/greeting/preview", data=words, headers=HTMX)).text()
    for text in ("Привет, это Regulars!", "Добро пожаловать, Мария.", "Glad to have you, Maria."):
        assert text in shown
    assert (await all_words())["greeting"] == {}
    answer = await panel.post("/settings/greeting", data=words, allow_redirects=False)
    assert answer.status == 303
    assert await all_words() == {
        "greeting": {"ru": "Привет, это {shop}!"},
        "welcome": {"en": "Glad to have you, {first_name}."},
    }
    wrong = await panel.post("/settings/greeting", data={"welcome_ru": "{shop}"}, headers=HTMX)
    assert (wrong.status, 'id="welcome_ru-error"' in await wrong.text()) == (422, True)


# --------------------------------------------------------------------------------------- the card


async def test_a_card_shows_the_answers_and_staff_correct_them(panel, sign_in_as, database):
    await sign_in_as(Role.SUPPORT)
    person = await a_customer()
    coffee, words, day = [
        await a_question(kind) for kind in (QuestionKind.CHOICE, QuestionKind.TEXT, QuestionKind.DATE)
    ]
    await keep_answers(person.id, {coffee: Given(choice=2)}, via=Via.TELEGRAM, actor=COMMAND, now=START)
    card = await (await panel.get(f"/customers/{person.id}")).text()
    assert re.search(r"Вопрос choice</bdi>.*?<bdi>Раф</bdi>", card, re.DOTALL)
    form = await (await panel.get(f"/customers/{person.id}/answers", headers=HTMX)).text()
    assert "<dialog" in form
    assert '<option value="2" selected>' in form
    typed = {f"answer_{coffee}": "", f"answer_{words}": "Вывеска", f"answer_{day}": "2024-06-01"}
    answer = await panel.post(f"/customers/{person.id}/answers", data=typed, allow_redirects=False)
    assert answer.status == 303
    assert [one.given and (one.given.text or str(one.given.day)) for one in await answers_of(person.id)] == [
        None, "Вывеска", "2024-06-01",
    ]  # fmt: skip
    journal = await database.fetch("SELECT details FROM journal_entry WHERE action = 'customer.answered' ORDER BY id")
    assert json.loads(journal[-1]["details"]) == {"questions": [coffee, words, day]}


async def test_a_wrong_answer_of_staff_is_said_beside_its_field(panel, sign_in_as):
    await sign_in_as()
    person, coffee, day = await a_customer(), await a_question(), await a_question(QuestionKind.DATE)
    typed = {f"answer_{coffee}": "9", f"answer_{day}": "yesterday"}
    answer = await panel.post(f"/customers/{person.id}/answers", data=typed, headers=HTMX)
    text = await answer.text()
    assert answer.status == 422
    assert {f"answer_{coffee}-error", f"answer_{day}-error"} <= set(re.findall(r'role="alert" id="([^"]+)"', text))
    assert [one.given for one in await answers_of(person.id)] == [None, None]


async def test_who_may_not_edit_sees_the_answers_alone(panel, sign_in_as):
    await sign_in_as(Role.ANALYST)
    person = await a_customer()
    await a_question()
    assert "Вопрос choice" in await (await panel.get(f"/customers/{person.id}")).text()
    assert (await panel.get(f"/customers/{person.id}/answers")).status == 403


async def test_the_registration_names_the_question_and_opens_the_text_that_was_agreed_to(panel, sign_in_as):
    await sign_in_as(Role.ANALYST)
    person, coffee = await a_customer(), await a_question()
    await add_steps(person.id, [(f"question:{coffee}", START), ("gender", START)], via=Via.TELEGRAM)
    for topic, mark in ((Topic.TERMS, "1 ru"), (Topic.MARKETING, "paper")):
        await set_consent(person.id, topic, granted=True, source="panel", text_version=mark, actor=COMMAND, now=START)
    tab = await (await panel.get(f"/customers/{person.id}?tab=registration")).text()
    assert "Answered: Вопрос choice" in tab
    assert "Answered about the gender" in tab
    assert 'href="/consents/terms/1/ru"' in tab
    assert "text of paper" in tab
    assert "Regulars хранит ваши имя" in await (await panel.get("/consents/terms/1/ru")).text()
