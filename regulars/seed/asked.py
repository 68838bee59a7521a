"""What the demo shop asks of newcomers beside the usual, what they answered, and the terms they agree to by now."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from loyalty import db
from loyalty.customers.actions.consent_texts import publish_consent
from loyalty.customers.actions.questions import save_question
from loyalty.customers.consenting import HOUSE, HOUSE_VERSION
from loyalty.customers.questionnaire import ChoiceDraft, QuestionDraft, QuestionKind
from loyalty.customers.rules import Topic
from loyalty.staff.rules import Actor, ActorKind

TERMS_AGO = (timedelta(days=400), timedelta(days=45))
"""When the second and the third version of the terms were published."""
NEWEST_TERMS = HOUSE_VERSION + len(TERMS_AGO)
ADDED: Sequence[Mapping[str, str]] = (
    {
        "en": "Your answers to our questions help us to choose what to offer.",
        "ru": "Ваши ответы на наши вопросы помогают выбирать, что вам предложить.",
        "uk": "Ваші відповіді на наші запитання допомагають обирати, що вам запропонувати.",
    },
    {
        "en": "We also write by SMS and e-mail to those who are in no messenger.",
        "ru": "Тем, кого нет в мессенджерах, пишем по SMS и на почту.",
        "uk": "Тим, кого немає в месенджерах, пишемо через SMS та на пошту.",
    },
)
"""What each version added to the one before it."""

DRINK = {
    "ru": "Какой кофе вы пьёте чаще всего?",
    "uk": "Яку каву ви п’єте найчастіше?",
    "en": "Which coffee do you drink most?",
}
DRINKS = {
    "ru": ("Капучино на овсяном", "Флэт уайт", "Фильтр, Эфиопия", "Раф с халвой", "Эспрессо и стакан воды"),
    "uk": ("Капучино на вівсяному", "Флет вайт", "Фільтр", "Лате без цукру"),
    "en": ("Flat white", "Oat cappuccino", "Filter", "Double espresso"),
}
NAME_DAY = {
    "ru": "Есть ли ещё дата, с которой вас поздравить?",
    "uk": "Чи є ще дата, з якою вас привітати?",
    "en": "Is there another date to congratulate you on?",
}
LEARNED = {"ru": "Откуда вы о нас узнали?", "uk": "Звідки ви про нас дізналися?", "en": "How did you hear of us?"}
SOURCES = (
    {"ru": "Проходил мимо", "uk": "Проходив повз", "en": "Walked past"},
    {"ru": "Посоветовали друзья", "uk": "Порадили друзі", "en": "Friends told me"},
    {"ru": "Инстаграм", "uk": "Інстаграм", "en": "Instagram"},
    {"ru": "Карты", "uk": "Мапи", "en": "Maps"},
)

# Who came by a chat was asked there, and some passed a question over.
TELL = """
    INSERT INTO answer (customer_id, question_id, text, via, at)
    SELECT id, $1, ($2::text[])[1 + id / 3 % cardinality($2::text[])], created_via, created_at
    FROM customer WHERE created_via IN ('telegram', 'whatsapp') AND language = $3 AND id % 3 <> 0
"""
DATE = """
    INSERT INTO answer (customer_id, question_id, day, via, at)
    SELECT id, $1, DATE '1998-01-01' + (id * 37 % 8000)::int, created_via, created_at
    FROM customer WHERE created_via IN ('telegram', 'whatsapp') AND id % 4 = 1
"""
CHOOSE = """
    INSERT INTO answer (customer_id, question_id, choice, via, at)
    SELECT id, $1, 1 + (id * id + id / 5) % $2, created_via, created_at
    FROM customer WHERE created_via IN ('telegram', 'whatsapp') AND id % 7 <> 2
"""


def terms_of(at: datetime, now: datetime) -> int:
    """The version of the terms that people agreed to at a moment."""
    return HOUSE_VERSION + sum(now - ago <= at for ago in TERMS_AGO)


def terms_text(version: int, language: str) -> str:
    """What a version says, with {shop} for the name of the shop. The question stays at the end."""
    told, _, question = HOUSE[Topic.TERMS][language].rpartition("\n\n")
    added = " ".join(one[language] for one in ADDED[: version - HOUSE_VERSION])
    return "\n\n".join(part for part in (told, added, question) if part)


async def publish_terms(owner_id: int, now: datetime) -> None:
    """The versions after the house's own."""
    owner = Actor(ActorKind.STAFF, owner_id)
    for version, ago in enumerate(TERMS_AGO, HOUSE_VERSION + 1):
        texts = {language: terms_text(version, language) for language in HOUSE[Topic.TERMS]}
        await publish_consent(Topic.TERMS, texts, actor=owner, now=now - ago)


async def write_answers(owner_id: int, began: datetime) -> None:
    """Three questions of the shop's own, and the answers of those who came by a chat."""
    owner = Actor(ActorKind.STAFF, owner_id)
    drafts = {kind: (labels, ()) for kind, labels in ((QuestionKind.TEXT, DRINK), (QuestionKind.DATE, NAME_DAY))}
    choices = tuple(ChoiceDraft(None, labels) for labels in SOURCES)
    made = {
        kind: await save_question(
            None,
            QuestionDraft(kind, labels, offered, is_required=False, is_asked=True),
            actor=owner,
            now=began,
        )
        for kind, (labels, offered) in {**drafts, QuestionKind.CHOICE: (LEARNED, choices)}.items()
    }
    for language, drinks in DRINKS.items():
        await db.execute(TELL, made[QuestionKind.TEXT], list(drinks), language)
    await db.execute(DATE, made[QuestionKind.DATE])
    await db.execute(CHOOSE, made[QuestionKind.CHOICE], len(SOURCES))
