"""Delivery to the app's webhook: signed, in order, several changes in one body, each until it is taken.

Source: developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import aiohttp

from bot.simulator.bell import Bell
from bot.simulator.loopback import is_loopback
from bot.simulator.whatsapp.business import Business

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 3.0
ANSWER_SECONDS = 30
MOST_TOGETHER = 12
CHANGES_IN_ENTRY = 2
JOINED = ("messages", "statuses")
IN_TIME = ("messages", "user_preferences")
"""Fields whose items say themselves when they happened."""

Change = dict[str, Any]
"""One thing that happened: `{"field": …, "value": …}`, and `time` where the value does not tell."""


class Hook:
    """The app's side of the line. `verified` tells whether it has answered Meta's question."""

    def __init__(self, business: Business, taken: Callable[[], None]) -> None:
        if business.hook and not is_loopback(business.hook):
            raise ValueError("the simulator calls this machine only")
        self._business = business
        # Called after every body that was taken.
        self._taken = taken
        self.pending: deque[Change] = deque()
        self.verified = False
        self.is_failing = False
        self._bell = Bell()
        self._task: asyncio.Task[None] | None = None

    def push(self, field: str, value: dict[str, Any]) -> None:
        """Something happened; the app learns of it soon. Without an address there is nobody to learn it."""
        if self._business.hook:
            change: Change = {"field": field, "value": value}
            if field not in IN_TIME:
                # It says no time of its own; without any, the same decision a second time would read as the first.
                change["time"] = int(time.time())
            self.pending.append(change)
            self._bell.ring()

    def start(self) -> None:
        """Ask the app whether it is itself, then deliver."""
        if self._business.hook and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._deliver())

    async def stop(self) -> None:
        """End delivery; what is not taken stays queued."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def post(self, body: bytes, signature: str | None) -> int:
        """The status with which the app answers this very body; signature None sends none."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)) as session:
            return await self._post(session, body, signature)

    def sign(self, body: bytes) -> str:
        """The signature of a body by the app's secret."""
        return "sha256=" + hmac.new(self._business.app_secret.encode(), body, hashlib.sha256).hexdigest()

    async def _deliver(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)) as session:
            while True:
                if self.verified and not self.pending:
                    await self._bell.wait()
                    continue
                try:
                    done = await (self._send(session) if self.verified else self._ask(session))
                except (aiohttp.ClientError, TimeoutError, ValueError):
                    done = False
                self.is_failing = self.verified and not done
                if done:
                    pause = FIRST_PAUSE_SECONDS
                else:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _ask(self, session: aiohttp.ClientSession) -> bool:
        """Meta's question: an app that knows the verify token says the challenge."""
        challenge = str(secrets.randbits(31))
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": self._business.verify_token,
        }
        async with session.get(self._business.hook, params=query, allow_redirects=False) as answer:
            self.verified = answer.status == 200 and await answer.text() == challenge
        self._taken()
        return self.verified

    async def _send(self, session: aiohttp.ClientSession) -> bool:
        batch = list(self.pending)[:MOST_TOGETHER]
        body = json.dumps(envelope(batch, self._business.account_id), ensure_ascii=False).encode()
        if await self._post(session, body, self.sign(body)) != 200:
            return False
        for _ in batch:
            self.pending.popleft()
        self._taken()
        return True

    async def _post(self, session: aiohttp.ClientSession, body: bytes, signature: str | None) -> int:
        headers = {"Content-Type": "application/json"}
        if signature is not None:
            headers["X-Hub-Signature-256"] = signature
        async with session.post(self._business.hook, data=body, headers=headers, allow_redirects=False) as answer:
            return answer.status


def envelope(changes: Iterable[Change], account_id: str) -> dict[str, Any]:
    """One body: neighbours of one kind share a change, a few changes share an entry. The order stays."""
    joined: list[Change] = []
    for change in changes:
        if joined and are_alike(joined[-1], change):
            join(joined[-1]["value"], change["value"])
        else:
            joined.append(json.loads(json.dumps(change)))
    entries: list[list[Change]] = []
    for change in joined:
        # The time is the entry's, so what has one has an entry of its own.
        if entries and len(entries[-1]) < CHANGES_IN_ENTRY and "time" not in change and "time" not in entries[-1][0]:
            entries[-1].append(change)
        else:
            entries.append([change])
    entry = []
    for some in entries:
        at = {"time": some[0]["time"]} if "time" in some[0] else {}
        entry.append({"id": account_id, **at, "changes": [in_order(change) for change in some]})
    return {"object": "whatsapp_business_account", "entry": entry}


def are_alike(one: Change, other: Change) -> bool:
    """Whether both hold messages, or both statuses."""
    if one["field"] != "messages" or other["field"] != "messages":
        return False
    return any(name in one["value"] and name in other["value"] for name in JOINED)


def join(value: dict[str, Any], other: dict[str, Any]) -> None:
    """Take the other's messages or statuses in, and whom they are of, once each."""
    for name in JOINED:
        value.get(name, []).extend(other.get(name, []))
    if "contacts" in other:
        known = value.setdefault("contacts", [])
        known.extend(contact for contact in other["contacts"] if contact not in known)


def in_order(change: Change) -> Change:
    """As Meta writes it: the value, then its field."""
    return {"value": change["value"], "field": change["field"]}
