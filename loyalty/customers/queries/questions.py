"""Reading the questionnaire and what people answered."""

from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.customers.questionnaire import OF_PROFILE, Choice, Given, Question, QuestionKind
from loyalty.errors import NotFound

COLUMNS = "q.id, q.kind, q.labels, q.choices, q.is_required, q.is_asked, q.position, q.deleted_at"

# What nothing is known about. Index: the key of `answer`.
UNANSWERED = f"""
SELECT {COLUMNS} FROM question q JOIN customer c ON c.id = $1
WHERE q.deleted_at IS NULL AND q.is_asked AND CASE q.kind WHEN 'birthday' THEN c.birthday IS NULL
    WHEN 'gender' THEN c.gender IS NULL
    ELSE NOT EXISTS (SELECT FROM answer a WHERE a.customer_id = c.id AND a.question_id = q.id) END
ORDER BY q.position, q.id
"""
ANSWERS = f"""
SELECT {COLUMNS}, a.text, a.day, a.choice, a.via, a.at FROM question q
LEFT JOIN answer a ON a.question_id = q.id AND a.customer_id = $1
WHERE q.kind NOT IN ('birthday', 'gender') AND (q.deleted_at IS NULL OR a.id IS NOT NULL)
ORDER BY q.deleted_at IS NOT NULL, q.position, q.id
"""


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One of the shop's own questions and what a customer answered to it; `given` None: nothing yet."""

    question: Question
    given: Given | None
    via: str | None
    at: datetime | None


async def questions() -> list[Question]:
    """The questionnaire in its order, those that are not asked included."""
    rows = await db.fetch(f"SELECT {COLUMNS} FROM question q WHERE q.deleted_at IS NULL ORDER BY q.position, q.id")
    return [question_of(row) for row in rows]


async def all_questions() -> list[Question]:
    """Deleted ones, too: for what was answered to them."""
    return [question_of(row) for row in await db.fetch(f"SELECT {COLUMNS} FROM question q ORDER BY q.id")]


async def question(question_id: int) -> Question:
    """One of the shop's own questions. Raises NotFound("question")."""
    row = await db.fetch_row(f"SELECT {COLUMNS} FROM question q WHERE q.id = $1 AND q.deleted_at IS NULL", question_id)
    if row is None or row["kind"] in OF_PROFILE:
        raise NotFound("question")
    return question_of(row)


async def unanswered(customer_id: int) -> list[Question]:
    """What is asked and nothing is known about, of one customer."""
    return [question_of(row) for row in await db.fetch(UNANSWERED, customer_id)]


async def answers_of(customer_id: int) -> list[AnswerView]:
    """The shop's own questions with a customer's answers; deleted ones last, and only if they were answered."""
    return [
        AnswerView(
            question_of(row),
            Given(row["text"], row["day"], row["choice"]) if row["at"] is not None else None,
            row["via"],
            row["at"],
        )
        for row in await db.fetch(ANSWERS, customer_id)
    ]


def question_of(row: db.Row) -> Question:
    """A question out of its row."""
    choices = (
        Choice(choice["id"], choice["labels"], bool(choice.get("removed"))) for choice in db.from_json(row["choices"])
    )
    return Question(
        row["id"],
        QuestionKind(row["kind"]),
        db.from_json(row["labels"]),
        tuple(choices),
        row["is_required"],
        row["is_asked"],
        row["position"],
        row["deleted_at"],
    )
