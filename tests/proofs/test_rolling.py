"""Two of everything, one after the other started anew, while people go on working."""

import asyncio
import signal
import socket
import time
from collections import Counter

import aiohttp
import pytest

from loyalty import db
from tests.bot.conftest import until
from tests.proofs.conftest import Process, Processes, sized
from tests.proofs.test_flood import SECRET, telegram_call

pytestmark = pytest.mark.prove
DRAINED_WITHIN_SECONDS = 15.0
PAUSE_SECONDS = 0.1


def free_ports(many: int) -> list[int]:
    probes = [socket.socket() for _ in range(many)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Traffic:
    """People and messengers that use whichever process takes their call, as behind a balancer."""

    def __init__(self, session: aiohttp.ClientSession, ports: dict[str, list[int]]) -> None:
        self._session = session
        self._ports = ports
        self.answers: Counter[tuple[str, int, str]] = Counter()
        self.updates = 0
        self.is_over = False

    async def browse(self) -> None:
        while not self.is_over:
            await self._call("web", "GET", "/login")
            await asyncio.sleep(PAUSE_SECONDS)

    async def write(self) -> None:
        while not self.is_over:
            self.updates += 1
            headers, body = telegram_call(self.updates, self.updates % 20)
            await self._call("bot", "POST", "/webhooks/telegram", headers=headers, data=body)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _call(self, part: str, method: str, path: str, **more: object) -> None:
        """Until somebody answers: a process that is going takes no more calls."""
        while True:
            for port in self._ports[part]:
                try:
                    url = f"http://127.0.0.1:{port}{path}"
                    async with self._session.request(method, url, **more) as answer:  # type: ignore[arg-type]
                        words = await answer.text()
                        self.answers[part, answer.status, "" if answer.ok else words] += 1
                        return
                except aiohttp.ClientError:
                    continue
            await asyncio.sleep(0.05)


async def replace(processes: Processes, old: Process, part: str, **more: str) -> Process:
    """Start one in the other's place, after the other has ended by itself."""
    signal.pidfd_send_signal(old.handle, signal.SIGTERM)
    asked = time.monotonic()
    await until(lambda: not old.is_alive())
    assert time.monotonic() - asked < DRAINED_WITHIN_SECONDS
    new = await processes.start(part, **more)
    await new.has_started()
    return new


async def test_a_rolling_restart_is_noticed_by_nobody(environment, processes):
    environment |= {
        "TELEGRAM_MODE": "webhook",
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
        "REGULARS_PUBLIC_URL": f"http://127.0.0.1:{environment['REGULARS_PORT']}",
    }
    numbers = free_ports(4)
    ports = {"web": numbers[:2], "bot": numbers[2:]}
    running: dict[str, list[Process]] = {}
    for part in ("web", "bot", "worker", "scheduler"):
        running[part] = [
            await processes.start(part, **({"REGULARS_PORT": str(ports[part][number])} if part in ports else {}))
            for number in range(2)
        ]
    for process in processes.all:
        await process.has_started()
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session,
        asyncio.TaskGroup() as people,
    ):
        traffic = Traffic(session, ports)
        for _ in range(3):
            people.create_task(traffic.browse())
            people.create_task(traffic.write())
        await until(lambda: traffic.answers.total() > 20)
        for _ in range(sized(1, 3)):
            for part, pair in running.items():
                for number, old in enumerate(pair):
                    more = {"REGULARS_PORT": str(ports[part][number])} if part in ports else {}
                    pair[number] = await replace(processes, old, part, **more)
        traffic.is_over = True
    assert {status for _, status, _ in traffic.answers} == {200}, (traffic.answers, processes.warnings())
    await until(lambda: db.fetch_value("SELECT NOT EXISTS (SELECT FROM incoming_update WHERE state = 'new')"))
    done = await db.fetch_value("SELECT count(*) FROM incoming_update WHERE state = 'done'")
    assert done == traffic.updates
    await until(
        lambda: db.fetch_value(
            "SELECT NOT EXISTS (SELECT FROM message WHERE status IN ('queued', 'delayed', 'leased', 'sending'))"
        )
    )
    assert processes.errors() == []
