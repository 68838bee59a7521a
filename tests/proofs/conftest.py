"""Bots and workers as an operator starts them, killed as a machine kills them, and what must be true afterwards."""

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from bot.sender import IN_FLIGHT
from bot.simulator import Person, Simulator
from bot.simulator.telegram.people import bare
from loyalty import db
from loyalty.clock import system_now
from tests.bot.conftest import TOKEN, bot_message, bot_settings, buttons_of, newcomer, shop, until
from tests.builders import assert_books_agree
from tests.conftest import ROOT, SECRET_KEY

__all__ = ["bot_settings", "newcomer", "shop"]

FULL = os.environ.get("REGULARS_PROVE") == "1"
SOURCE = f"telegram:{TOKEN.partition(':')[0]}"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def sized(small: int, full: int) -> int:
    """So many in every run of the tests, or so many in a run of the proofs."""
    return full if FULL else small


# ------------------------------------------------------------------------------------------- processes


@dataclass(eq=False)
class Process:
    """One process of ours. `name` is what its connections to the base are called."""

    name: str
    pid: int
    log: Path
    handle: int
    in_doubt: list[int] = field(default_factory=list)
    """Of a killed one: messages whose call was under way, as far as the base knows."""

    def has_said(self, event: str) -> bool:
        return any(f'"event": "{event}"' in line for line in self.log.read_text().splitlines())

    def is_alive(self) -> bool:
        return not select.select([self.handle], [], [], 0)[0]

    async def has_started(self) -> None:
        await until(lambda: self.has_said("started") or not self.is_alive())
        assert self.is_alive(), self.log.read_text()

    async def kill(self) -> None:
        """As the kernel does it when memory runs out: nothing is tidied up."""
        signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        await until(lambda: not self.is_alive())


class Nursery:
    """Where processes come from; see nursery.py."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.proofs.nursery", "fresh" if FULL else "fork"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
            text=True,
        )

    def start(self, wish: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


class Processes:
    """Those that a test started. They talk to the test's base, Valkey and messenger."""

    def __init__(self, nursery: Nursery, environment: dict[str, str], folder: Path, base: asyncpg.Connection) -> None:
        self._nursery = nursery
        self._environment = environment
        self._folder = folder
        self._base = base
        self.all: list[Process] = []

    async def start(self, *parts: str, **more: str) -> Process:
        """Start a process that runs these parts; it works when it `has_started`. `more`: settings of its own."""
        name = f"proof-{len(self.all)}"
        log = self._folder / f"{name}.log"
        log.touch()
        environment = {**self._environment, **more}
        environment["DATABASE_URL"] += f"?application_name={name}"
        wish = {"arguments": ["run", *parts], "environment": environment, "log": str(log)}
        pid = await asyncio.to_thread(self._nursery.start, wish)
        process = Process(name, pid, log, os.pidfd_open(pid))
        self.all.append(process)
        return process

    async def start_some(self, many: int, *parts: str) -> list[Process]:
        """Several alike, all working."""
        started = [await self.start(*parts) for _ in range(many)]
        for process in started:
            await process.has_started()
        return started

    async def standing_at(self, statement: str, *, many: int = 1) -> list[Process]:
        """Wait until at least so many processes have waited for a lock in a statement that holds these words."""
        found: set[str] = set()

        async def look() -> bool:
            found.update(row["application_name"] for row in await self._base.fetch(STANDING, statement))
            return len(found) >= many

        await until(look)
        return [process for process in self.all if process.name in found]

    async def bury(self, dead: Process) -> None:
        """Let the minute pass after which what the dead one held lapses, and note what its calls left in doubt.

        Its own rows only: a call of a process that lives is not to be doubled by the test.
        """
        # A statement that the server had begun goes on without its client until it ends.
        await self._until_gone([dead.name])
        dead.in_doubt = [
            row["id"]
            for row in await self._base.fetch(
                f"UPDATE message SET leased_until = now() - interval '1 second' {HELD_BY} RETURNING message.id, status",
                dead.name,
            )
            if row["status"] == "sending"
        ]

    def errors(self) -> list[str]:
        """What any of them logged as an error."""
        return self._logged("err")

    def warnings(self) -> list[str]:
        """What any of them logged as a warning."""
        return self._logged("warn")

    def _logged(self, level: str) -> list[str]:
        return [
            line
            for process in self.all
            for line in process.log.read_text().splitlines()
            if f'"level": "{level}' in line
        ]

    async def end(self) -> None:
        """Kill whatever lives, and wait until the base has noticed."""
        for process in self.all:
            if process.is_alive():
                await process.kill()
            os.close(process.handle)
        await self._until_gone([process.name for process in self.all] + ["regulars lock"])

    async def _until_gone(self, names: list[str]) -> None:
        await until(
            lambda: self._base.fetchval(
                "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = ANY($1))",
                names,
            )
        )


STANDING = """
SELECT application_name FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND strpos(query, $1) > 0
"""
HELD_BY = """
FROM (SELECT DISTINCT ON (message_id) message_id, process FROM watched.step ORDER BY message_id, number DESC) holder
WHERE holder.message_id = message.id AND holder.process = $1 AND message.status IN ('leased', 'sending')
"""
# The outbox does not say which worker holds a message, and need not. The proofs want to know.
WATCH = """
CREATE SCHEMA watched;
CREATE TABLE watched.step (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id bigint, process text);
CREATE FUNCTION watched.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO watched.step (message_id, process) VALUES (NEW.id, current_setting('application_name'));
    RETURN NULL;
END $$;
CREATE TRIGGER watched AFTER UPDATE OF status ON message FOR EACH ROW
    WHEN (NEW.status IN ('leased', 'sending')) EXECUTE FUNCTION watched.note();
"""


@pytest.fixture
async def watched(shop, database) -> AsyncIterator[None]:
    await database.execute(WATCH)
    yield
    await database.execute("DROP TRIGGER watched ON message; DROP SCHEMA watched CASCADE")


@pytest.fixture
def environment(bot_settings, simulator) -> dict[str, str]:
    with socket.socket() as probe:
        # The default port may be taken by whatever else runs on this machine.
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        "REGULARS_PORT": str(port),
        "PATH": os.environ["PATH"],
        "DATABASE_URL": bot_settings.database_url.get_secret_value(),
        "REDIS_URL": bot_settings.redis_url.get_secret_value(),
        "REGULARS_SECRET_KEY": SECRET_KEY,
        "REGULARS_HOME": str(bot_settings.home),
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_API_URL": bot_settings.telegram_api_url,
    }


@pytest.fixture
async def processes(nursery, environment, watched, database, tmp_path) -> AsyncIterator[Processes]:
    processes = Processes(nursery, environment, tmp_path, database)
    yield processes
    await processes.end()


Hold = Callable[[str], AbstractAsyncContextManager[None]]


@pytest.fixture
def hold(database_url) -> Hold:
    """Hold what a statement locks: whoever wants it too, stands still meanwhile. The statement itself is undone."""

    @asynccontextmanager
    async def held(statement: str) -> AsyncIterator[None]:
        connection = await asyncpg.connect(database_url)
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(statement)
            yield
        finally:
            await transaction.rollback()
            await connection.close()

    return held


# ------------------------------------------------------------------------------------------- messenger


class Wire:
    """The line between the messenger and the bots, which a test may cut. Otherwise everything passes."""

    def __init__(self) -> None:
        self.calls = 0
        self.handed: Counter[int] = Counter()
        """How often each update was given to a bot."""
        self.withholds_answers = False
        """From now on what is sent arrives, and whoever sent it hears nothing."""
        self.withheld = 0
        self.cuts_acknowledgement = False
        """The poll that would acknowledge the next update does not reach the messenger."""
        self.cut = asyncio.Event()
        self._cuts_next_poll = False
        self._let_go = asyncio.Event()

    def has_carried(self, calls: int) -> bool:
        return self.calls >= calls

    def let_go(self) -> None:
        """Let everything pass again. What was cut off stays so: its callers are gone."""
        self.withholds_answers = False
        self._let_go.set()

    @web.middleware
    async def pass_on(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.calls += 1
        method = request.path.rpartition("/")[2]
        if method == "getUpdates":
            return await self._poll(request, handler)
        answer = await handler(request)
        if method == "sendMessage" and self.withholds_answers:
            self.withheld += 1
            await self._let_go.wait()
        return answer

    async def _poll(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._cuts_next_poll:
            self._cuts_next_poll = False
            self.cut.set()
            await self._let_go.wait()
            raise web.HTTPBadGateway
        answer = await handler(request)
        assert isinstance(answer, web.Response)
        found = json.loads(answer.text or "{}").get("result", [])
        self.handed.update(update["update_id"] for update in found)
        if found and self.cuts_acknowledgement:
            self.cuts_acknowledgement, self._cuts_next_poll = False, True
        return answer


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def simulator(wire, free_port) -> AsyncIterator[Simulator]:
    """The messenger, listening at the other end of the wire."""
    simulator = Simulator(token=TOKEN)
    app = web.Application(middlewares=[wire.pass_on])
    app.add_subapp("/simulator", simulator.build_app())
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", free_port).start()
    yield simulator
    wire.let_go()
    await runner.cleanup()


# ---------------------------------------------------------------------------------------------- guests

WAY_IN = ("started", "language", "terms", "offers", "phone", "name", "birthday")
"""What a newcomer does; after the last of it they are registered."""
QUESTIONS = {
    "language": "На каком языке",
    "terms": "Вы согласны?",
    "offers": "Можно писать вам об акциях",
    "phone": "Поделитесь номером",
    "name": "Как вас зовут?",
    "birthday": "Когда у вас день рождения?",
}
COMMANDS = ("/menu", "/balance", "/history", "/settings", "/support")
"""Each is answered in other words, so that of two answers in a row it is plain which one came twice."""


class Guest:
    """Somebody who registers and then writes commands. `updates`: the numbers of all that they did."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.updates: list[int] = []

    async def is_asked_for(self, step: str) -> dict[str, Any]:
        """Wait for the question of this step; the first needs none."""
        if step not in QUESTIONS:
            return {}
        # Until the next process is up, if need be; the test's own timeout bounds it.
        return await self.person.wait_for(bot_message(QUESTIONS[step]), timeout=3600)

    async def take(self, step: str) -> None:
        """Take a step of the way in, as soon as it is asked for."""
        person, question = self.person, await self.is_asked_for(step)

        def press(label: str) -> int:
            return person.tap(question["message_id"], buttons_of(question)[label])

        acts: dict[str, Callable[[], int]] = {
            "started": person.start,
            "language": lambda: press("Русский"),
            "terms": lambda: press("Согласен"),
            "offers": lambda: press("Да"),
            "phone": person.share_contact,
            "name": lambda: person.send("Мария Соколова"),
            "birthday": lambda: person.send("24.08.1991"),
        }
        self.updates.append(acts[step]())

    def leave_out_a_number(self) -> int:
        """The number of an update that the messenger is slow to deliver."""
        updates = self.person._exchange.updates
        updates.next_id += 1
        return updates.next_id - 1

    def late_update(self, number: int, text: str) -> dict[str, Any]:
        """That update, which is to be delivered by the test."""
        self.updates.append(number)
        message = self.person._append(self.person.user(), {"text": text}, outgoing=True)
        return {"update_id": number, "message": bare(message)}

    def write(self, *texts: str) -> None:
        self.updates += [self.person.send(text) for text in texts]

    def rush(self) -> None:
        """The whole way in without waiting for a question, as somebody may who knows it by heart."""
        self.write("/start", "Русский", "Согласен", "Да")
        self.updates.append(self.person.share_contact())
        self.write("Мария Соколова", "24.08.1991")


ALL_IS_SAID = """
SELECT (SELECT count(*) FROM incoming_update WHERE position = ANY($1::bigint[]) AND state <> 'new') = $2
    AND NOT EXISTS (SELECT FROM message WHERE status IN ('queued', 'delayed', 'leased', 'sending'))
"""


async def all_is_said(guests: Sequence[Guest]) -> None:
    """Wait until every update has been handled and every answer has left."""
    done = [number for guest in guests for number in guest.updates]
    await until(lambda: db.fetch_value(ALL_IS_SAID, done, len(done)))


async def assert_nothing_is_lost_or_doubled(guests: Sequence[Guest], processes: Processes) -> None:
    """Each update was taken once and in its order, each person came in once, each answer arrived.

    Twice arrived at most those whose call was under way in a process when that was killed.
    """
    updates = await db.fetch("SELECT id, position, state FROM incoming_update")
    assert Counter((row["position"], row["state"]) for row in updates) == Counter(
        (number, "done") for guest in guests for number in guest.updates
    )
    number_of = {row["id"]: row["position"] for row in updates}
    repeats: Counter[int] = Counter()
    for guest in guests:
        await assert_came_in_once(guest)
        repeats += await _repeats_of_answers(guest, number_of)
    in_doubt = Counter(message for process in processes.all for message in process.in_doubt)
    assert repeats - in_doubt == Counter()
    assert [process.in_doubt for process in processes.all if len(process.in_doubt) > IN_FLIGHT] == []
    assert processes.errors() == []
    await assert_books_agree(now=system_now())


async def assert_came_in_once(guest: Guest) -> None:
    """One customer, each step and the welcome bonus once, and every turn saw the one before it."""
    customers = await db.fetch("SELECT id FROM customer WHERE phone = $1", guest.person.phone)
    assert len(customers) == 1
    [customer] = customers
    steps = await db.fetch("SELECT step FROM registration_step WHERE customer_id = $1 ORDER BY id", customer["id"])
    assert [row["step"] for row in steps] == [*WAY_IN, "registered"]
    entries = await db.fetch("SELECT event FROM bonus_entry WHERE customer_id = $1", customer["id"])
    assert [row["event"] for row in entries] == ["welcome"]
    chats = await db.fetch(
        "SELECT a.customer_id, c.session FROM messenger_account a JOIN conversation c ON c.account_id = a.id"
        " WHERE a.address = $1",
        str(guest.person.id),
    )
    assert [row["customer_id"] for row in chats] == [customer["id"]]
    # A turn that did not see the one before it would count from where that one had begun.
    assert db.from_json(chats[0]["session"])["turn"] == len(guest.updates)


SAID = """
SELECT m.id, m.direction, m.status, m.dedupe_key, m.content->>'text' AS text FROM message m
JOIN messenger_account a ON a.id = m.account_id WHERE a.address = $1 ORDER BY m.id
"""


async def _repeats_of_answers(guest: Guest, number_of: Mapping[int, int]) -> Counter[int]:
    """Check the lines of a chat; returns the messages that arrived more than once."""
    lines = await db.fetch(SAID, str(guest.person.id))
    assert sum(line["direction"] == "in" for line in lines) == len(guest.updates)
    answers = [line for line in lines if line["direction"] == "out"]
    assert {line["status"] for line in answers} == {"sent"}
    causes = [line["dedupe_key"].split(":") for line in answers]
    order = [(number_of[int(update)], int(place)) for _, update, place in causes]
    assert order == sorted(set(order))
    assert {number for number, _ in order} == set(guest.updates)
    arrived = [message["text"] for message in guest.person.messages if not message["outgoing"]]
    return repeats_of(arrived, [(line["id"], line["text"]) for line in answers])


def repeats_of(arrived: Sequence[str], written: Sequence[tuple[int, str]]) -> Counter[int]:
    """Which messages, written as (id, text), arrived again right after themselves: the order allows nothing else."""
    repeats: Counter[int] = Counter()
    place = -1
    for text in arrived:
        if place + 1 < len(written) and text == written[place + 1][1]:
            place += 1
        else:
            assert place >= 0
            assert text == written[place][1]
            repeats[written[place][0]] += 1
    assert place == len(written) - 1
    return repeats
