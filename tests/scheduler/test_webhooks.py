"""Other programs are told, signed and at least once, whatever they answer; nothing is told to addresses inside."""

import asyncio
import hashlib
import hmac
import json
import re
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from aiohttp import ClientTimeout, TCPConnector, web
from aiohttp.abc import AbstractResolver

from loyalty import db
from loyalty.bell import Bell, hung
from loyalty.staff.rules import COMMAND
from loyalty.webhooks.actions.deliveries import lease_deliveries, settle
from loyalty.webhooks.actions.endpoints import (
    add_endpoint,
    renew_secret,
    send_again,
    send_all_again,
    send_test,
    switch_endpoint,
)
from loyalty.webhooks.queries import DeliveryView, deliveries, endpoint
from loyalty.webhooks.rules import (
    AT_ONCE_EACH,
    ENOUGH,
    LEASE,
    PAUSES,
    Outcome,
    State,
    Topic,
    Trouble,
    endpoint_secret,
    signing_key,
)
from scheduler.webhooks import Deliverer, calling_out, delivering
from tests.builders import NOW, a_customer, a_location, a_sale
from tests.conftest import SECRET_KEY

KEY = signing_key(SECRET_KEY)


@dataclass
class Receiver:
    """A program of the shop: keeps what it was posted, and answers as it is told to."""

    url: str
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    lose_answers: int = 0
    wait: asyncio.Event | None = None
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    busy: int = 0
    most_busy: int = 0

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.got.append((request.path, dict(request.headers), body))
        self.heard.set()
        if self.lose_answers:
            self.lose_answers -= 1
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        try:
            if self.wait is not None:
                await self.wait.wait()
        finally:
            self.busy -= 1
        status = self.statuses.pop(0) if self.statuses else 204
        return web.Response(status=status, headers={"Location": "/elsewhere"} if 300 <= status < 400 else {})

    def bodies(self) -> list[dict]:
        return [json.loads(body) for _, _, body in self.got]


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.moment = NOW

    def __call__(self) -> datetime:
        return self.moment

    def move(self, step: timedelta) -> None:
        self.moment += step


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def make_receiver():
    async with AsyncExitStack() as opened:

        async def make() -> Receiver:
            app = web.Application()
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            receiver = Receiver("")
            app.router.add_post("/{tail:.*}", receiver.take)
            await runner.setup()
            opened.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
            return receiver

        yield make


@pytest.fixture
async def receiver(make_receiver) -> Receiver:
    return await make_receiver()


@pytest.fixture
async def bell(redis_url):
    async with hung(redis_url) as bell:
        yield bell


@pytest.fixture
async def deliverer(database, bell: Bell, clock: Clock):
    async with calling_out(allow_local=True) as session:
        deliverer = Deliverer(session, KEY, bell, clock)
        yield deliverer
        await deliverer.drain()


async def a_listener(receiver: Receiver, *topics: Topic) -> int:
    wanted = topics or (Topic.CUSTOMER,)
    return await add_endpoint("Shop", receiver.url, wanted, allow_local=True, actor=COMMAND, now=NOW)


async def round_of(*deliverers: Deliverer) -> None:
    """Everything that is due is told, and its outcome kept."""
    while sum([await one.begin_due() for one in deliverers]):
        for one in deliverers:
            await one.drain()


async def only(endpoint_id: int) -> DeliveryView:
    [delivery] = (await deliveries(endpoint_id)).deliveries
    return delivery


async def test_a_call_is_signed_as_the_guide_says(deliverer, receiver, clock):
    listener = await a_listener(receiver, Topic.RECEIPT)
    place, person = await a_location(), await a_customer(name="Мария Соколова")
    sale = await a_sale(person.id, place, 1000_00)
    clock.move(timedelta(seconds=3))
    await round_of(deliverer)
    [(path, headers, body)] = receiver.got
    assert (path, headers["Content-Type"]) == ("/hook", "application/json")
    told = json.loads(body)
    assert re.fullmatch(r"evt_[0-9a-f]{32}", told["id"])
    assert (told["type"], told["data"]["receipt_id"]) == ("receipt.recorded", sale.receipt_id)
    assert datetime.fromisoformat(told["created_at"]) == NOW
    assert headers["Regulars-Event"] == "receipt.recorded"
    # As a receiver would do it.
    secret = endpoint_secret(KEY, listener, (await endpoint(listener)).salt)
    parts = dict(part.split("=", 1) for part in headers["Regulars-Signature"].split(","))
    assert int(parts["t"]) == int(clock().timestamp())
    expected = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(parts["v1"], expected)
    assert "Соколова" not in body.decode()
    done = await only(listener)
    assert (done.state, done.status, done.attempts) == (State.DONE, 204, 1)
    assert headers["Regulars-Delivery"] == str(done.id)


async def test_another_secret_signs_from_the_next_call_on(deliverer, receiver):
    listener = await a_listener(receiver)
    await send_test(listener, now=NOW)
    await round_of(deliverer)
    await renew_secret(listener, actor=COMMAND, now=NOW)
    await send_test(listener, now=NOW)
    await round_of(deliverer)
    secret = endpoint_secret(KEY, listener, (await endpoint(listener)).salt)
    for (_, headers, body), is_right in zip(receiver.got, (False, True), strict=True):
        found = re.fullmatch(r"t=(\d+),v1=(\w+)", headers["Regulars-Signature"])
        assert found is not None
        moment, proof = found.groups()
        expected = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        assert (proof == expected) is is_right


async def test_a_failure_is_tried_again_after_growing_pauses_then_given_up(deliverer, receiver, clock):
    receiver.statuses = [500] * (len(PAUSES) + 1)
    listener = await a_listener(receiver)
    await a_customer()
    for attempts, pause in enumerate(PAUSES, start=1):
        await round_of(deliverer)
        failed = await only(listener)
        assert (failed.state, failed.attempts, failed.status) == (State.FAILED, attempts, 500)
        clock.move(pause * 0.89)
        await round_of(deliverer)
        assert len(receiver.got) == attempts
        clock.moment = failed.due_at
    await round_of(deliverer)
    lost = await only(listener)
    assert (lost.state, lost.attempts, lost.trouble) == (State.GIVEN_UP, len(PAUSES) + 1, Trouble.STATUS)
    clock.move(timedelta(days=7))
    await round_of(deliverer)
    assert len(receiver.got) == len(PAUSES) + 1
    assert len({body["id"] for body in receiver.bodies()}) == 1


async def test_an_answer_that_was_lost_brings_the_same_event_again(deliverer, receiver, clock):
    receiver.lose_answers = 1
    listener = await a_listener(receiver)
    await a_customer()
    await round_of(deliverer)
    assert (await only(listener)).trouble is Trouble.NO_ANSWER
    clock.move(PAUSES[0] * 2)
    await round_of(deliverer)
    first, second = receiver.bodies()
    assert first == second
    assert (await only(listener)).state is State.DONE


async def test_a_redirect_is_not_followed(deliverer, receiver):
    receiver.statuses = [307]
    listener = await a_listener(receiver)
    await a_customer()
    await round_of(deliverer)
    failed = await only(listener)
    assert (failed.state, failed.status, failed.trouble) == (State.FAILED, 307, Trouble.REDIRECT)
    assert [path for path, _, _ in receiver.got] == ["/hook"]


async def test_a_receiver_that_does_not_listen_is_tried_again(deliverer, free_port):
    listener = await a_listener(Receiver(f"http://127.0.0.1:{free_port}/"))
    await a_customer()
    await round_of(deliverer)
    failed = await only(listener)
    assert (failed.state, failed.status, failed.trouble) == (State.FAILED, None, Trouble.NO_CONNECTION)


async def test_a_silent_receiver_is_given_its_time_and_no_more(deliverer, receiver, monkeypatch):
    monkeypatch.setattr(deliverer._session, "_timeout", ClientTimeout(total=0.2))
    receiver.wait = asyncio.Event()
    listener = await a_listener(receiver)
    await a_customer()
    await round_of(deliverer)
    assert (await only(listener)).trouble is Trouble.TIMEOUT
    receiver.wait.set()


class Names(AbstractResolver):
    """Names that stand for addresses of a test's choice."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list:
        return [
            {"hostname": host, "host": one, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
            for one in self._addresses
        ]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "0.0.0.0"])
async def test_a_name_that_leads_inside_is_not_called(database, bell, clock, receiver, address):
    port = receiver.url.split(":")[2].split("/")[0]
    listener = await add_endpoint(
        "Shop", f"https://shop.example.com:{port}/", [Topic.CUSTOMER], allow_local=False, actor=COMMAND, now=NOW
    )
    await a_customer()
    async with calling_out(allow_local=False) as session:
        assert isinstance(session.connector, TCPConnector)
        session.connector._resolver = Names(address)
        await round_of(Deliverer(session, KEY, bell, clock))
    failed = await only(listener)
    assert (failed.state, failed.trouble) == (State.FAILED, Trouble.ADDRESS_INSIDE)
    assert receiver.got == []


async def test_an_address_inside_that_was_once_allowed_is_not_called_any_more(database, bell, clock, receiver):
    listener = await a_listener(receiver)
    await a_customer()
    async with calling_out(allow_local=False) as session:
        await round_of(Deliverer(session, KEY, bell, clock))
    assert (await only(listener)).trouble is Trouble.ADDRESS_INSIDE
    assert receiver.got == []


async def test_a_slow_receiver_has_four_calls_under_way_and_holds_up_nobody(deliverer, make_receiver):
    slow, quick = await make_receiver(), await make_receiver()
    slow.wait = asyncio.Event()
    await a_listener(slow)
    await a_listener(quick)
    for _ in range(12):
        await a_customer()
    async with asyncio.timeout(10):
        while len(quick.got) < 12:
            await deliverer.begin_due()
            await asyncio.sleep(0.01)
    assert slow.most_busy == AT_ONCE_EACH
    slow.wait.set()
    await deliverer.drain()
    await round_of(deliverer)
    assert len(slow.got) == 12
    assert slow.most_busy == AT_ONCE_EACH


async def test_two_deliverers_at_once_tell_each_event_once(database, bell, clock, receiver):
    listener = await a_listener(receiver)
    for _ in range(40):
        await a_customer()
    async with calling_out(allow_local=True) as one, calling_out(allow_local=True) as other:
        both = [Deliverer(session, KEY, bell, clock) for session in (one, other)]
        for _ in range(200):
            await asyncio.gather(*(deliverer.begin_due() for deliverer in both))
            await asyncio.sleep(0.005)
            if len(receiver.got) == 40:
                break
        for deliverer in both:
            await deliverer.drain()
    assert len(receiver.got) == len({body["id"] for body in receiver.bodies()}) == 40
    assert receiver.most_busy <= AT_ONCE_EACH
    assert {delivery.state for delivery in (await deliveries(listener)).deliveries} == {State.DONE}


async def test_what_a_killed_deliverer_held_is_told_by_another_when_its_lease_lapses(deliverer, receiver, clock):
    listener = await a_listener(receiver)
    await a_customer()
    [held] = await lease_deliveries(limit=10, now=clock())
    await round_of(deliverer)
    assert receiver.got == []
    clock.move(LEASE)
    await round_of(deliverer)
    assert len(receiver.got) == 1
    # The first one was only slow: its word no longer counts.
    assert await settle(held, Outcome(trouble=Trouble.TIMEOUT), now=clock()) is None
    assert (await only(listener)).state is State.DONE


async def test_what_was_lost_is_sent_again_one_or_all(deliverer, receiver, clock):
    receiver.statuses = [404] * 3
    listener = await a_listener(receiver)
    for _ in range(3):
        await a_customer()
    await round_of(deliverer)
    chosen = (await deliveries(listener)).deliveries[0]
    await send_again(listener, chosen.id, now=clock())
    await round_of(deliverer)
    assert len(receiver.got) == 4
    assert receiver.bodies()[-1]["id"] == f"evt_{chosen.event.key}"
    assert await send_all_again(listener, actor=COMMAND, now=clock()) == 2
    await round_of(deliverer)
    assert len(receiver.got) == 6
    assert {delivery.state for delivery in (await deliveries(listener)).deliveries} == {State.DONE}
    assert len({body["id"] for body in receiver.bodies()}) == 3


async def test_what_arrived_may_be_sent_again_too(deliverer, receiver, clock):
    listener = await a_listener(receiver)
    await a_customer()
    await round_of(deliverer)
    await send_again(listener, (await only(listener)).id, now=clock())
    await round_of(deliverer)
    first, second = receiver.bodies()
    assert first == second


async def test_an_endpoint_that_gives_up_again_and_again_is_switched_off_and_the_journal_says_so(
    deliverer, receiver, clock
):
    listener = await a_listener(receiver)
    for _ in range(ENOUGH):
        await a_customer()
    receiver.statuses = [500] * ENOUGH * (len(PAUSES) + 1)
    for _ in range(len(PAUSES) + 1):
        await round_of(deliverer)
        clock.move(timedelta(hours=30))
    stopped = await endpoint(listener)
    assert (stopped.is_active, stopped.lost) == (False, ENOUGH)
    assert stopped.stopped_at is not None
    lines = await db.fetch("SELECT subject_id, actor_kind FROM journal_entry WHERE action = 'webhook.stopped'")
    assert [(line["subject_id"], line["actor_kind"]) for line in lines] == [(listener, "job")]
    await switch_endpoint(listener, on=True, actor=COMMAND, now=clock())
    again = await endpoint(listener)
    assert (again.is_active, again.stopped_at) == (True, None)


async def test_one_arrival_ends_the_row_of_failures(deliverer, receiver, clock):
    listener = await a_listener(receiver)
    await db.execute("UPDATE webhook_endpoint SET given_up = $1", ENOUGH - 1)
    await a_customer()
    await round_of(deliverer)
    assert await db.fetch_value("SELECT given_up FROM webhook_endpoint WHERE id = $1", listener) == 0


async def test_what_waits_for_an_endpoint_that_is_off_goes_when_it_is_on_again(deliverer, receiver, clock):
    receiver.statuses = [500]
    listener = await a_listener(receiver)
    await a_customer()
    await round_of(deliverer)
    await switch_endpoint(listener, on=False, actor=COMMAND, now=clock())
    await a_customer()
    clock.move(timedelta(hours=1))
    await round_of(deliverer)
    assert len(receiver.got) == 1
    await switch_endpoint(listener, on=True, actor=COMMAND, now=clock())
    await round_of(deliverer)
    assert len(receiver.got) == 2
    assert len(await db.fetch("SELECT FROM webhook_event")) == 1


async def test_a_test_goes_to_its_endpoint_alone(deliverer, make_receiver):
    one, other = await make_receiver(), await make_receiver()
    listener = await a_listener(one)
    await a_listener(other)
    await send_test(listener, now=NOW)
    await round_of(deliverer)
    assert [body["type"] for body in one.bodies()] == ["webhook.test"]
    assert other.got == []


async def test_a_commit_is_told_at_once(database, redis_url, clock, receiver):
    await a_listener(receiver)
    async with hung(redis_url) as bell, delivering(KEY, bell, clock, allow_local=True):
        await asyncio.sleep(0.2)
        await a_customer()
        async with asyncio.timeout(5):
            await receiver.heard.wait()
    assert receiver.bodies()[0]["type"] == "customer.created"
