"""Ready words of the demo: answers that staff give often, and templates with what WhatsApp said to each."""

from datetime import datetime, timedelta

from loyalty import db
from loyalty.conversations.actions.canned import save_canned_reply
from loyalty.staff.rules import Actor, ActorKind

SINCE = timedelta(days=120)
ANSWERS = (
    ("Бонусы не пришли", "Здравствуйте, {first_name}! Пришлите, пожалуйста, время и сумму покупки, начислим вручную."),
    ("Где мы и до скольки", "{first_name}, мы на Тверской, 12, на Покровке, 27 и в Парке Горького. Ждём до 21:00!"),
    ("Сменить телефон", "Отправьте сюда свой контакт с нового номера, и карта переедет вместе с бонусами."),
    ("Забытая вещь", "{first_name}, нашли! Отложили у бариста, спросите на кассе."),
)
"""(title, text)"""

PUMPKIN = "pumpkin_raf_is_back"
TEMPLATES = (
    (
        "how_was_it",
        "utility",
        "Здравствуйте, {{1}}! Посоветуете ли вы нас друзьям? Ответьте числом: от 0, ни за что, до 10, обязательно.",
        (("first_name", "друг"),),
        ("approved", None, "survey_asked"),
    ),
    (
        "purchase_credited",
        "utility",
        "Спасибо за покупку: {{1}}, {{2}}. Теперь на карте {{3}}.",
        (("total", "—"), ("location", "Ладно, кофе"), ("balance", "—")),
        ("approved", None, "receipt"),
    ),
    (
        "purchase_refunded",
        "utility",
        "Покупку отменили: {{1}}, {{2}}. Теперь на карте {{3}}.",
        (("total", "—"), ("location", "Ладно, кофе"), ("balance", "—")),
        ("approved", None, "receipt_refunded"),
    ),
    (
        "birthday_gift",
        "marketing",
        "К вашему дню рождения дарим {{1}}. Потратьте до {{2}}!",
        (("amount", "бонусы"), ("until", "конца месяца")),
        ("approved", None, "birthday"),
    ),
    (
        "level_reminder",
        "utility",
        "Ваш уровень {{1}} действует до {{2}}, потом станет {{3}}.",
        (("tier", "—"), ("until", "—"), ("to", "—")),
        ("pending", None, "tier_falling"),
    ),
    (
        "we_miss_you",
        "utility",
        "Давно не виделись, {{1}}! Заходите: второй капучино за наш счёт.",
        (("first_name", "друг"),),
        ("rejected", "INCORRECT_CATEGORY", None),
    ),
    (
        PUMPKIN,
        "marketing",
        "Здравствуйте, {{1}}! Вернулся тыквенный раф: до воскресенья за него вдвое больше бонусов.",
        (("first_name", "друг"),),
        ("approved", None, None),
    ),
    (
        "answer_from_staff",
        "utility",
        "Здравствуйте, {{1}}! Отвечаем на ваш вопрос: {{2}} Напишите нам, если остались вопросы.",
        (("first_name", "друг"), ("answer", "—")),
        ("approved", None, None),
    ),
)
"""name, category, body, variables with what stands in for each, and (status, reason, the kind it stands in for)."""


async def write_ready_words(owner_id: int, now: datetime) -> None:
    """Keep the answers through the panel's own action; templates come from WhatsApp."""
    actor = Actor(ActorKind.STAFF, owner_id)
    for title, text in ANSWERS:
        await save_canned_reply(None, title, text, actor=actor, now=now - SINCE)
    columns = ["name", "language", "category", "body", "variables", "status", "reason", "kind", "external_id"]
    rows = []
    for number, (name, category, body, variables, (status, reason, kind)) in enumerate(TEMPLATES):
        named = db.to_json([{"name": variable, "fallback": fallback} for variable, fallback in variables])
        decided_at = now - (timedelta(hours=5) if status == "pending" else SINCE)
        rows.append((name, "ru", category, body, named, status, reason, kind, str(901_000_000 + number), decided_at))
    await db.copy_rows("message_template", [*columns, "updated_at"], rows)
