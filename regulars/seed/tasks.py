"""What the shop's people have to do: late, today, later, at no time in particular; and what is done already.

Made by the panel's own action, each as of its moment. A base with few old customers gets fewer tasks for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from loyalty import db
from loyalty.shop.queries import shop
from loyalty.staff.rules import Actor, ActorKind
from loyalty.tasks.actions import add_task, cancel_task, finish_task
from loyalty.tasks.rules import Reminding, TaskDraft, TaskOrigin, remind_moment

OLGA, MARINA, DASHA, TIMUR = "olga@ladno.example", "marina@ladno.example", "dasha@ladno.example", "timur@ladno.example"


@dataclass(frozen=True, slots=True)
class Told:
    """A task. days, at: when it is due by the local calendar, counted from today; hours: from now instead.

    for_customer: it is about somebody. ends: "done" or "cancelled" by whoever had it, an hour before now.
    """

    title: str
    who: str | None
    by: str = OLGA
    details: str = ""
    days: int | None = None
    at: time = time(18)
    hours: int | None = None
    for_customer: bool = False
    remind: Reminding = Reminding.NONE
    origin: TaskOrigin = TaskOrigin.HAND
    ends: str = ""


TASKS = (
    Told("Перезвонить насчёт аренды зала", MARINA, MARINA, "Парк Горького, 12 декабря, 15 человек. Уточнить про торт.",
         hours=-3, for_customer=True, remind=Reminding.AT_DUE, origin=TaskOrigin.INBOX),
    Told("Вернуть бонусы за напиток с Покровки", DASHA, OLGA, "Возврат пробили как новую продажу.", days=-1,
         for_customer=True, remind=Reminding.HOUR_BEFORE, origin=TaskOrigin.INBOX),
    Told("Отдать белые наушники", TIMUR, DASHA, "Лежат в ящике под кассой, придут сегодня.", hours=2,
         for_customer=True, remind=Reminding.HOUR_BEFORE, origin=TaskOrigin.INBOX),
    Told("Ответить, действует ли акция на выпечку", DASHA, MARINA, hours=1, for_customer=True,
         remind=Reminding.AT_DUE, origin=TaskOrigin.INBOX),
    Told("Проверить сроки молока в витрине", TIMUR, OLGA, days=0, at=time(23, 30)),
    Told("Тексты рассылки ко Дню кофе", MARINA, OLGA, "Два варианта, до и после скидки.", days=2, at=time(12),
         remind=Reminding.EVENING_BEFORE),
    Told("Подобрать подарок к десятилетию с нами", MARINA, OLGA, days=5, for_customer=True,
         remind=Reminding.EVENING_BEFORE),
    Told("Заказать наклейки с QR на столы", DASHA, MARINA, "Тверская и Покровка, по 40 штук.", days=7, at=time(11)),
    Told("Позвонить постоянному гостю, который давно не был", None, MARINA, days=1, at=time(15), for_customer=True),
    Told("Сверить список аллергенов с кухней", None, OLGA),
    Told("Спросить гостей о новом помоле", DASHA, MARINA),
    Told("Извиниться за холодный раф и угостить", DASHA, OLGA, days=-2, for_customer=True, ends="done"),
    Told("Забрать таблички из типографии", MARINA, OLGA, days=-3, at=time(13), ends="done"),
    Told("Пригласить на дегустацию", DASHA, MARINA, days=-1, for_customer=True, ends="cancelled"),
)  # fmt: skip
# People of whom the shop knows for long, by their ids: the same ones each time.
WHOM = "SELECT id FROM customer WHERE created_at < $1 AND merged_into_id IS NULL ORDER BY id LIMIT $2"


async def write_tasks(staff: Mapping[str, int], now: datetime) -> None:
    """Make them all."""
    zone = (await shop()).time_zone
    rows = await db.fetch(WHOM, now - timedelta(days=30), sum(one.for_customer for one in TASKS))
    whom = iter([row["id"] for row in rows])
    for number, one in enumerate(TASKS):
        customer_id = next(whom, None) if one.for_customer else None
        if one.for_customer and customer_id is None:
            continue
        due_at = _due(one, now, zone)
        draft = TaskDraft(
            one.title,
            one.details,
            customer_id,
            staff[one.who] if one.who else None,
            due_at,
            remind_moment(one.remind, due_at, zone),
        )
        made_at = min(now, due_at or now) - timedelta(days=1, minutes=7 * number)
        maker = Actor(ActorKind.STAFF, staff[one.by])
        task_id = await add_task(draft, key=f"seed-{number}", origin=one.origin, actor=maker, now=made_at)
        if one.ends:
            end = finish_task if one.ends == "done" else cancel_task
            actor = Actor(ActorKind.STAFF, staff[one.who or one.by])
            await end(task_id, actor=actor, now=now - timedelta(hours=1, minutes=7 * number))


def _due(one: Told, now: datetime, zone: str) -> datetime | None:
    local = now.astimezone(ZoneInfo(zone))
    if one.hours is not None:
        moment = local + timedelta(hours=one.hours)
        return moment.replace(minute=moment.minute // 30 * 30, second=0, microsecond=0).astimezone(UTC)
    if one.days is None:
        return None
    day = local.date() + timedelta(days=one.days)
    return datetime.combine(day, one.at, ZoneInfo(zone)).astimezone(UTC)
