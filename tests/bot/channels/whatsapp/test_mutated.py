"""Calls of every kind with something wrong in them: none is answered with 5xx, and no piece of them is lost."""

import asyncio
import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from bot.channels.base import Event, Progress, TemplateNews
from bot.channels.reading import read_json
from bot.channels.whatsapp.pieces import LISTS, arrivals
from loyalty import db
from loyalty.conversations.queries import oldest_updates
from tests.bot.channels.whatsapp.conftest import post
from tests.bot.channels.whatsapp.payloads import every_kind, wamid
from tests.proofs.conftest import sized

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1500)]

AT_ONCE = 20
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 2**31, 2**70, 10**30, "", " ", "x" * 3000, "a\x00b", "\ud83d", "\u202e", "тайна",
    "0", "-5", "9" * 40, "1e9", [], {}, [[]], [None], {"": ""}, {"id": {"id": []}}, [1, [2, [3]]], "<b>", "'; --",
)  # fmt: skip
NOISE = (b"\x00", b"\xff\xfe", b'"', b"{", b"}", b"[", b",", b"\\", b"\\u0000", b"NaN", b"1e999", b" ", b"\xd0")


def fresh(call: dict[str, Any]) -> dict[str, Any]:
    """The same call about other messages."""
    call = copy.deepcopy(call)
    for one in items(call):
        if isinstance(one, dict) and "id" in one:
            one["id"] = wamid()
    call["entry"][0]["id"] = wamid()
    return call


def items(call: dict[str, Any]) -> list[Any]:
    values = [change["value"] for entry in call["entry"] for change in entry["changes"]]
    return [one for value in values for name in LISTS for one in value.get(name, [])]


def nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a value: what holds it, and by which key."""
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for key, held in pairs:
        yield value, key
        yield from nodes(held)


def spoil(value: Any, dice: Random) -> None:
    """Make one place of a value odd."""
    places = list(nodes(value))
    if not places:
        return
    holder, key = dice.choice(places)
    what = dice.randrange(6)
    if what == 0:
        del holder[key]
    elif what == 1:
        holder[key] = [holder[key], holder[key]]
    elif what == 2 and isinstance(holder, dict):
        holder[f"{key}_of_tomorrow"] = holder.pop(key)
    elif what == 3 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(dice.choice(ODD)))
    else:
        holder[key] = copy.deepcopy(dice.choice(ODD))


def noisy(body: bytes, dice: Random) -> bytes:
    """The bytes with something in them, or without an end."""
    where = dice.randrange(len(body))
    if dice.random() < 0.3:
        return body[:where]
    return body[:where] + dice.choice(NOISE) + body[where + dice.randrange(3) :]


def is_call(body: bytes) -> bool:
    try:
        call = read_json(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(call, dict) and isinstance(call.get("entry"), list)


async def kept(names: set[str]) -> int:
    return await db.fetch_value("SELECT count(*) FROM incoming_update WHERE external_id = ANY($1)", list(names))


async def in_turns(bodies: list[bytes], check: Any) -> None:
    for begin in range(0, len(bodies), AT_ONCE):
        await asyncio.gather(*(check(body) for body in bodies[begin : begin + AT_ONCE]))


async def test_no_call_is_answered_with_an_error_of_ours_and_what_is_taken_is_stored(listening, caller):
    dice, kinds = Random(1), list(every_kind().values())

    def mutated() -> bytes:
        call = fresh(dice.choice(kinds))
        call["entry"] += fresh(dice.choice(kinds))["entry"]
        for _ in range(dice.randrange(1, 4)):
            spoil(call, dice)
        body = json.dumps(call).encode()
        return noisy(body, dice) if dice.random() < 0.2 else body

    async def check(body: bytes) -> None:
        status = await post(caller, body)
        assert status == (200 if is_call(body) else 400), body
        if status == 200:
            names = {one.external_id for one in arrivals(read_json(body))}
            assert await kept(names) == len(names), body

    await in_turns([mutated() for _ in range(sized(400, 12_000))], check)


async def test_a_piece_that_is_odd_costs_none_of_the_others(listening, caller, channel):
    dice, kinds = Random(2), [call for call in every_kind().values() if items(call)]
    expected = 0
    bodies = []
    for _ in range(sized(250, 6_000)):
        call = fresh(dice.choice(kinds))
        value = call["entry"][0]["changes"][0]["value"]
        for _ in range(dice.randrange(4)):
            another = {**items(fresh(kinds[0]))[0], "from": f"7916{dice.randrange(10**7):07d}"}
            value.setdefault("messages", []).append(another)
        expected += len(items(call))
        victim = dice.choice(items(call))
        spoil(victim, dice)
        if isinstance(victim.get("id"), str):
            # Two with one name are one, however odd it is.
            victim["id"] += wamid()
        bodies.append(json.dumps(call).encode())

    async def check(body: bytes) -> None:
        assert await post(caller, body) == 200, body

    await in_turns(bodies, check)
    assert await db.fetch_value("SELECT count(*) FROM incoming_update") == expected
    for row in await db.fetch("SELECT body FROM incoming_update"):
        with suppress(ValueError):
            meant = channel.parse(row["body"])
            assert meant is None or isinstance(meant, Event | Progress | TemplateNews)


async def test_whoever_cannot_sign_brings_nothing_in(listening, caller):
    dice, kinds = Random(3), list(every_kind().values())
    marks = ["", "sha256=", "sha256=" + "f" * 64, "sha1=x", "тайна", "\udcff"]
    bodies = [json.dumps(fresh(dice.choice(kinds))).encode() for _ in range(sized(100, 1_500))]

    async def check(body: bytes) -> None:
        headers = {"X-Hub-Signature-256": dice.choice(marks)}
        assert await post(caller, noisy(body, dice) if dice.random() < 0.5 else body, headers) == 403

    await in_turns(bodies, check)
    assert await db.fetch_value("SELECT count(*) FROM incoming_update") == 0


@pytest.mark.usefixtures("listening", "shop")
async def test_every_odd_piece_comes_to_an_end_that_is_seen(caller, intake):
    dice, kinds = Random(4), list(every_kind().values())
    for _ in range(sized(60, 500)):
        call = fresh(dice.choice(kinds))
        for one in items(call) or [call["entry"][0]["changes"][0]]:
            spoil(one, dice)
        assert await post(caller, call) == 200
    chats = [row["chat"] for row in await db.fetch("SELECT DISTINCT chat FROM incoming_update")]
    for chat in chats:
        while updates := await oldest_updates(intake._channel.source, chat):
            for update in updates:
                await intake.take(update, chat)
    ends = {
        row["state"]: row["count"] for row in await db.fetch("SELECT state, count(*) FROM incoming_update GROUP BY 1")
    }
    assert "new" not in ends
    assert ends["done"] > ends["failed"]
    reasons = await db.fetch("SELECT DISTINCT reason FROM incoming_update WHERE state = 'failed'")
    assert {row["reason"] for row in reasons} == {"unreadable"}
