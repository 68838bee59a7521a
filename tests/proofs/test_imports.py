"""Files of any lines over any base: the run does what the dry run expected, twice is once, and an undo leaves nothing.

And by workers that are killed, that meet, and while somebody ends the import.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from random import Random

import pytest

from loyalty import db
from loyalty.clock import system_now
from loyalty.customers.actions.profile import add_customer
from loyalty.customers.rules import Profile, Via, luhn_digit
from loyalty.errors import Refused
from loyalty.ids import new_key
from loyalty.office.actions import import_people
from loyalty.office.actions.import_work import work, work_due
from loyalty.office.actions.imports import cancel, check, finish, keep_file, start, undo
from loyalty.office.importing import Kind, Mode, Options
from loyalty.staff.rules import COMMAND
from tests.bot.conftest import until_sql
from tests.builders import NOW, a_cashier, a_programme, assert_books_agree
from tests.proofs.conftest import sized

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("database")]
HEAD = ("Имя", "Телефон", "Почта", "Карта", "Категория", "Сегмент", "Баланс", "Согласие", "Скидка", "Комментарий")
MAPPING = ("name", "phone", "email", "card", "categories", "segments", "opening", "marketing", "discount", "note")
OVER = "SELECT NOT EXISTS (SELECT FROM file_import WHERE state NOT IN ('done', 'undone', 'checked'))"
BASE = """
SELECT c.id, c.name, c.phone, c.email, c.deleted_at IS NULL AS is_there, f.balance, f.debt, f.earned, f.discount_bp,
    f.importance_id, ARRAY(SELECT category_id FROM customer_category p WHERE p.customer_id = c.id ORDER BY 1) AS labels,
    ARRAY(SELECT segment_id FROM segment_member p WHERE p.customer_id = c.id ORDER BY 1) AS segments,
    (SELECT granted FROM consent s WHERE s.customer_id = c.id ORDER BY id DESC LIMIT 1) AS agrees,
    (SELECT count(*) FROM note n WHERE n.customer_id = c.id AND n.deleted_at IS NULL) AS notes
FROM customer c JOIN customer_facts f ON f.customer_id = c.id ORDER BY c.id
"""


@pytest.fixture(autouse=True)
async def programme(database):
    return await a_programme(bonus_step=100)


def card(number: int) -> str:
    digits = f"{9_000_000 + number:07d}"
    return digits + luhn_digit(digits)


class Shop:
    """A handful of people, some of whom are there, and lines about them that fit together, or do not."""

    def __init__(self, random: Random, story: int) -> None:
        self.random = random
        self.phones = [f"+7916{story:05d}{number:02d}" for number in range(6)]
        self.mails = [f"p{number}.{story}@example.com" for number in range(4)]
        self.cards = [card(story * 10 + number) for number in range(4)]
        self.labels = [f"L{story}a", f"L{story}b"]

    def some(self, values: list[str], share: float = 0.5) -> str:
        return self.random.choice(values) if self.random.random() < share else ""

    def line(self) -> tuple[str, ...]:
        phone = self.some(self.phones, 0.85)
        return (
            self.some(["Анна", "Борис", "Вера"], 0.9),
            phone.replace("+7", "8 ", 1) if self.random.random() < 0.3 else phone,
            self.some([*self.mails, "no@", self.mails[0].upper()], 0.5),
            self.some([*self.cards, "123"], 0.3),
            self.some([*self.labels, ", ".join(self.labels)], 0.4),
            self.some(self.labels, 0.3),
            self.some(["10", "20", "0", "x"], 0.5),
            self.some(["да", "нет"], 0.4),
            self.some(["5", "7"], 0.3),
            self.some(["Чай", "Кофе"], 0.3),
        )

    async def open(self) -> None:
        """Some are there already."""
        for phone in self.phones:
            if self.random.random() < 0.4:
                mail = self.some(self.mails) or None
                await add_customer(
                    Profile("Прежний", phone, mail, None, None, "ru", None), via=Via.PANEL, actor=COMMAND, now=NOW
                )


def table(lines: Sequence[tuple[str, ...]]) -> bytes:
    return "\n".join(";".join(line) for line in [HEAD, *lines]).encode()


async def checked(body: bytes, options: Options, *, now=NOW) -> int:
    someone = await a_cashier()
    import_id = await keep_file(Kind.CUSTOMERS, "a.csv", body, key=new_key(), actor=someone, now=now)
    await finish(import_id, now=now)
    await check(import_id, MAPPING, options, actor=someone, now=now)
    await finish(import_id, now=now)
    return import_id


async def states(import_id: int, column: str) -> dict[int, tuple[str, str | None]]:
    rows = await db.fetch(
        f"SELECT number, {column} AS state, reason FROM file_import_row WHERE import_id = $1 AND number > 1", import_id
    )
    return {row["number"]: (row["state"], row["reason"]) for row in rows}


async def test_the_run_does_what_the_dry_run_expected_twice_is_once_and_an_undo_leaves_nothing():
    random = Random(52)
    for story in range(sized(40, 250)):
        shop = Shop(random, story)
        await shop.open()
        lines = [shop.line() for _ in range(random.randint(1, 12))]
        options = Options(random.choice(list(Mode)), make_missing=True)
        before = await db.fetch(BASE)
        import_id = await checked(table(lines), options)
        expected = await states(import_id, "expected")
        told = f"story {story}: {options} {lines}"
        assert await db.fetch(BASE) == before, told
        try:
            await start(import_id, actor=COMMAND, now=NOW)
        except Refused:
            assert {state for state, _ in expected.values()} <= {"same", "refused"}, told
            continue
        await finish(import_id, now=NOW)
        assert await states(import_id, "state") == expected, told
        after = await db.fetch(BASE)
        again = await states(await checked(table(lines), options), "expected")
        # A line that was left out because another one says otherwise may be about somebody else once that one is done.
        done = {state for number, (state, _) in again.items() if expected[number][0] != "refused"}
        assert done <= {"same", "refused"}, told
        assert await db.fetch(BASE) == after, told
        await undo(import_id, actor=COMMAND, now=NOW)
        await finish(import_id, now=NOW)
        assert {state for state, _ in (await states(import_id, "state")).values()} <= {"undone", "same", "refused"}, (
            told
        )
        known = {row["id"] for row in before}
        left = await db.fetch(BASE)
        assert not [row for row in left if row["id"] not in known and (row["is_there"] or row["balance"])], told
        # A word about advertising is never taken away: a yes of the file was withdrawn.
        plain = [{**row, "agrees": row["agrees"] or None} for row in left if row["id"] in known]
        assert plain == [{**row, "agrees": row["agrees"] or None} for row in before], told
    await assert_books_agree()


async def a_file(count: int) -> bytes:
    lines = []
    for number in range(count):
        phone = f"+7915{number:07d}"
        lines.append((f"Анна {chr(1072 + number % 30)}", phone, "", "", "VIP", "Чай", "10", "", "", ""))
        if number % 5 == 0:
            lines.append(("", phone, "", "", "", "", "5", "", "", ""))
    return table(lines)


async def assert_all_once(people: int) -> None:
    assert await db.fetch_value("SELECT count(*) FROM customer") == people
    further = (people + 4) // 5
    assert await db.fetch_value("SELECT count(*) FROM bonus_entry") == people + further
    assert await db.fetch_value("SELECT sum(balance)::bigint FROM customer_facts") == people * 10_00 + further * 5_00
    assert await db.fetch_value("SELECT count(*) FROM customer_category") == people
    row = await db.fetch_row("SELECT state, total, added, changed, same, refused FROM file_import")
    assert tuple((row or {}).values()) == ("done", people + further, people, further, 0, 0)
    await assert_books_agree(now=system_now())


async def begun(people: int) -> int:
    now = system_now()
    import_id = await checked(await a_file(people), Options(make_missing=True), now=now)
    while await work(import_id, patiently=True, now=now):
        pass
    await start(import_id, actor=COMMAND, now=now)
    return import_id


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(("customer", "INSERT INTO customer"), id="adding people"),
        pytest.param(("customer_category", "INSERT INTO customer_category"), id="giving the category"),
        pytest.param(("bonus_entry", "INSERT INTO bonus_entry"), id="crediting"),
        pytest.param(("file_import_row", "UPDATE file_import_row"), id="marking the lines"),
        pytest.param(("file_import", "UPDATE file_import SET place"), id="counting them"),
    ],
)
async def test_a_worker_killed_in_the_middle_of_a_file_loses_nobody_and_adds_nobody_twice(processes, hold, place):
    table_name, statement = place
    await begun(60)
    async with hold(f"LOCK TABLE {table_name} IN SHARE MODE"):
        await processes.start_some(1, "scheduler")
        [victim] = await processes.standing_at(statement)
        await victim.kill()
    await processes.bury(victim)
    await processes.start_some(1, "scheduler")
    await until_sql(OVER)
    await assert_all_once(60)
    assert processes.errors() == []


async def test_whenever_workers_are_killed_each_line_is_done_once(processes):
    random = Random(28)
    people, now = sized(3_000, 20_000), system_now()
    body = await a_file(people)
    import_id = await keep_file(Kind.CUSTOMERS, "a.csv", body, key="k", actor=await a_cashier(), now=now)
    for state in ("mapping", "checked", "done"):
        for _ in range(sized(2, 12)):
            [victim] = await processes.start_some(1, "scheduler")
            await asyncio.sleep(random.uniform(0.3, 2.5))
            await victim.kill()
            await processes.bury(victim)
        [worker] = await processes.start_some(1, "scheduler")
        await until_sql(f"SELECT state = '{state}' FROM file_import")
        await worker.kill()
        await processes.bury(worker)
        if state == "mapping":
            assert await db.fetch_value("SELECT count(*) FROM file_import_row") == 1 + people + (people + 4) // 5
            await check(import_id, MAPPING, Options(make_missing=True), actor=COMMAND, now=system_now())
        elif state == "checked":
            await start(import_id, actor=COMMAND, now=system_now())
    await assert_all_once(people)


async def test_workers_that_meet_do_each_line_once(monkeypatch):
    monkeypatch.setattr(import_people, "ROWS", 7)
    import_id = await begun(40)
    await asyncio.gather(*(work_due(now=NOW) for _ in range(4)), finish(import_id, now=NOW))
    await assert_all_once(40)


async def test_two_files_of_the_same_people_at_once_add_each_of_them_once(monkeypatch):
    monkeypatch.setattr(import_people, "ROWS", 9)
    now = system_now()
    files = [await checked(await a_file(40), Options(make_missing=True), now=now) for _ in range(2)]
    for one in files:
        await start(one, actor=COMMAND, now=now)
    await asyncio.gather(*(finish(one, now=now) for one in files), *(work_due(now=now) for _ in range(2)))
    assert await db.fetch_value("SELECT count(*) FROM customer") == 40
    assert await db.fetch_value("SELECT count(*) FROM file_import WHERE state = 'done'") == 2
    # Whose lots came by which file is chance; nobody has those of both.
    doubled = "SELECT count(*) FROM (SELECT customer_id FROM bonus_entry GROUP BY 1 HAVING sum(amount) > 1500) twice"
    assert await db.fetch_value(doubled) == 0
    await assert_books_agree(now=now)


async def test_what_is_ended_and_taken_back_while_it_is_done_leaves_nobody(monkeypatch):
    monkeypatch.setattr(import_people, "ROWS", 4)
    for _number in range(sized(5, 60)):
        import_id = await begun(12)

        async def stop(one: int = import_id) -> None:
            await cancel(one, actor=COMMAND, now=system_now())

        await asyncio.gather(work(import_id, now=NOW), work(import_id, patiently=True, now=NOW), stop())
        # Ended before its first lines, there is nothing to take back.
        with suppress(Refused):
            await undo(import_id, actor=COMMAND, now=system_now())
        await finish(import_id, now=system_now())
        assert await db.fetch_value("SELECT count(*) FROM customer_facts WHERE NOT is_hidden OR balance <> 0") == 0
    await assert_books_agree(now=system_now())
