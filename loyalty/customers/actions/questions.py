"""Keeping the questionnaire, and what people answer to it."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime

from loyalty import db
from loyalty.customers.actions.profile import change_profile, lock_customer
from loyalty.customers.queries.questions import COLUMNS, all_questions, question, question_of, questions
from loyalty.customers.questionnaire import (
    GENDERS,
    LABEL_LENGTH,
    OF_PROFILE,
    QUESTIONS_AT_MOST,
    Choice,
    Given,
    QuestionDraft,
    QuestionKind,
    check_given,
    checked_labels,
    merged_choices,
)
from loyalty.customers.rules import Profile, Via
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.shop.queries import shop
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor
from loyalty.webhooks.actions.deliveries import tell
from loyalty.webhooks.rules import EventType

# Owners change the list one after the other; whoever answers meanwhile is not held up.
HOLD = "LOCK TABLE question IN SHARE ROW EXCLUSIVE MODE"
KEEP = """
INSERT INTO answer (customer_id, question_id, text, day, choice, via, at)
SELECT $1, part.question_id, part.text, part.day, part.choice, $6, $7::timestamptz
FROM unnest($2::int[], $3::text[], $4::date[], $5::smallint[]) part (question_id, text, day, choice)
ON CONFLICT (customer_id, question_id) DO UPDATE
SET text = excluded.text, day = excluded.day, choice = excluded.choice, via = excluded.via, at = excluded.at
WHERE (answer.text, answer.day, answer.choice) IS DISTINCT FROM (excluded.text, excluded.day, excluded.choice)
RETURNING question_id
"""


@db.use_case
async def save_question(question_id: int | None, draft: QuestionDraft, *, actor: Actor, now: datetime) -> int:
    """Add a question at the end, or change one of the shop's own, whose kind stays; returns its id.

    Raises Invalid("label_<language>" | "choices" | "choice_<number>_<language>" | "kind"), NotFound("question"),
    Refused("too_many_questions").
    """
    await db.execute(HOLD)
    before = await question(question_id) if question_id is not None else None
    kind, language = before.kind if before else draft.kind, (await shop()).language
    if kind in OF_PROFILE:
        raise Invalid("kind", "unknown_choice")
    labels = checked_labels(draft.labels, "label", LABEL_LENGTH, language)
    choices: tuple[Choice, ...] = ()
    if kind is QuestionKind.CHOICE:
        choices = merged_choices(before.choices if before else (), draft.choices, language)
    values = (db.to_json(labels), _stored(choices), draft.is_required, draft.is_asked, now)
    if before is None:
        await _refuse_more()
        question_id = await db.fetch_value(
            "INSERT INTO question (labels, choices, is_required, is_asked, updated_at, kind, position)"
            " SELECT $1::jsonb, $2::jsonb, $3, $4, $5, $6, coalesce(max(position), 0) + 1 FROM question RETURNING id",
            *values,
            kind.value,
        )
    else:
        await db.execute(
            "UPDATE question SET labels = $1::jsonb, choices = $2::jsonb, is_required = $3, is_asked = $4,"
            " updated_at = $5 WHERE id = $6",
            *values,
            question_id,
        )
    assert question_id is not None
    await _journal("question.changed" if before else "question.added", question_id, actor, now)
    return question_id


@db.use_case
async def set_asking(
    question_id: int, *, is_asked: bool, is_required: bool | None = None, actor: Actor, now: datetime
) -> None:
    """Ask a question from now on, or no more; of the profile's, too. Raises NotFound("question")."""
    await db.execute(HOLD)
    found = await db.fetch_value(
        "UPDATE question SET is_asked = $2, is_required = coalesce($3, is_required), updated_at = $4"
        " WHERE id = $1 AND deleted_at IS NULL RETURNING id",
        question_id,
        is_asked,
        is_required,
        now,
    )
    if found is None:
        raise NotFound("question")
    await _journal("question.asked" if is_asked else "question.not_asked", question_id, actor, now)


@db.use_case
async def move_question(question_id: int, step: int, *, actor: Actor, now: datetime) -> None:
    """Move a question by so many places, as far as there are any. Raises NotFound("question")."""
    await db.execute(HOLD)
    order = [one.id for one in await questions()]
    if question_id not in order:
        raise NotFound("question")
    at = order.index(question_id)
    to = max(0, min(len(order) - 1, at + step))
    if to == at:
        return
    order.insert(to, order.pop(at))
    await db.execute(
        "UPDATE question SET position = part.position FROM unnest($1::int[]) WITH ORDINALITY part (id, position)"
        " WHERE question.id = part.id",
        order,
    )
    await _journal("question.moved", question_id, actor, now)


@db.use_case
async def delete_question(question_id: int, *, actor: Actor, now: datetime) -> None:
    """Ask a question of the shop's no more and take it off the list; answers stay. Raises NotFound("question")."""
    await db.execute(HOLD)
    await question(question_id)
    await db.execute("UPDATE question SET deleted_at = $2, updated_at = $2 WHERE id = $1", question_id, now)
    await _journal("question.deleted", question_id, actor, now)


@db.use_case
async def restore_question(question_id: int, *, actor: Actor, now: datetime) -> None:
    """Bring a question back where it stood. Raises NotFound("question"), Refused("too_many_questions")."""
    await db.execute(HOLD)
    row = await db.fetch_row(f"SELECT {COLUMNS} FROM question q WHERE q.id = $1", question_id)
    if row is None:
        raise NotFound("question")
    if question_of(row).deleted_at is None:
        return
    await _refuse_more()
    await db.execute("UPDATE question SET deleted_at = NULL, updated_at = $2 WHERE id = $1", question_id, now)
    await _journal("question.restored", question_id, actor, now)


@db.use_case
async def keep_answers(
    customer_id: int, answers: Mapping[int, Given | None], *, via: Via, actor: Actor, now: datetime
) -> None:
    """Keep answers by the ids of the shop's own questions; None takes one back. What is the same is nothing new.

    A question that was deleted meanwhile, or a choice that was removed, is still answered.
    Raises Invalid("answer_<id>"), NotFound("customer" | "question").
    """
    await lock_customer(customer_id)
    known = {one.id: one for one in await all_questions() if one.kind not in OF_PROFILE}
    for question_id, given in answers.items():
        if question_id not in known:
            raise NotFound("question")
        if given is not None:
            check_given(known[question_id], given)
    changed = await _write(customer_id, answers, via, now)
    if not changed:
        return
    await db.execute("UPDATE customer SET updated_at = $2 WHERE id = $1", customer_id, now)
    await write_journal(
        actor,
        "customer.answered",
        subject_kind="customer",
        subject_id=customer_id,
        now=now,
        questions=sorted(changed),
    )
    await tell(EventType.CUSTOMER_UPDATED, {"customer_id": customer_id, "fields": ["answers"]}, now=now)


@db.use_case
async def name_gender(customer_id: int, gender: str, *, actor: Actor, now: datetime) -> None:
    """A customer says what nobody knew of them. Raises Invalid("gender"), NotFound("customer")."""
    if gender not in GENDERS:
        raise Invalid("gender", "unknown_choice")
    names = [field.name for field in fields(Profile)]
    await change_profile(
        customer_id,
        lambda before: Profile(**{name: getattr(before, name) for name in names} | {"gender": gender}),
        actor=actor,
        now=now,
    )


async def _write(customer_id: int, answers: Mapping[int, Given | None], via: Via, now: datetime) -> list[int]:
    """Write what differs from what is there; the ids of those questions."""
    kept = {question_id: given for question_id, given in answers.items() if given is not None}
    gone = [question_id for question_id, given in answers.items() if given is None]
    rows = await db.fetch(
        KEEP,
        customer_id,
        list(kept),
        [given.text for given in kept.values()],
        [given.day for given in kept.values()],
        [given.choice for given in kept.values()],
        via.value,
        now,
    )
    rows += await db.fetch(
        "DELETE FROM answer WHERE customer_id = $1 AND question_id = ANY($2::int[]) RETURNING question_id",
        customer_id,
        gone,
    )
    return [row["question_id"] for row in rows]


async def _refuse_more() -> None:
    if len(await questions()) >= QUESTIONS_AT_MOST:
        raise Refused("too_many_questions", limit=QUESTIONS_AT_MOST)


async def _journal(act: str, question_id: int, actor: Actor, now: datetime) -> None:
    await write_journal(actor, act, subject_kind="question", subject_id=question_id, now=now)


def _stored(choices: tuple[Choice, ...]) -> str:
    return db.to_json(
        [{"id": one.id, "labels": dict(one.labels), **({"removed": True} if one.is_removed else {})} for one in choices]
    )
