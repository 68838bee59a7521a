"""Delivery of updates to the bot's webhook: in order, each until it is taken."""

import asyncio
import contextlib
import re
import time
from typing import Any

import aiohttp

from bot.simulator.loopback import is_loopback
from bot.simulator.telegram.exchange import Exchange
from bot.simulator.telegram.faults import Refusal
from bot.simulator.telegram.parameters import Call

SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 3.0
ANSWER_SECONDS = 30


class Webhook:
    """Where updates are posted; without an address the bot polls."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.url = ""
        self.secret = ""
        self.max_connections = 40
        self.last_error = ""
        self.last_error_at = 0
        # Whether the last delivery failed.
        self.is_failing = False
        self._task: asyncio.Task[None] | None = None

    def set(self, call: Call) -> bool:
        """setWebhook; an empty address deletes it. Only this machine may be named."""
        url = call.text("url")
        secret = call.text("secret_token")
        if not url:
            return self.delete(call)
        check_loopback(url)
        if secret and not SECRET.fullmatch(secret):
            raise Refusal("secret token contains unallowed characters")
        self.url, self.secret = url, secret
        self.max_connections = call.number("max_connections", 40)
        self._exchange.updates.allow(call.structure("allowed_updates"))
        self._prepare(call)
        if self._task is not None:
            # A new address is tried at once, whatever pause the old one has earned.
            self._task.cancel()
            self._task = None
        self.start()
        return True

    def delete(self, call: Call) -> bool:
        """Back to polling: deleteWebhook."""
        self.url = self.secret = ""
        self._prepare(call)
        return True

    def info(self) -> dict[str, Any]:
        """What getWebhookInfo tells."""
        updates = self._exchange.updates
        known: dict[str, Any] = {
            "url": self.url,
            "has_custom_certificate": False,
            "pending_update_count": len(updates.pending),
        }
        if self.url:
            known |= {"max_connections": self.max_connections, "ip_address": "127.0.0.1"}
        if self.last_error:
            known |= {"last_error_message": self.last_error, "last_error_date": self.last_error_at}
        if updates.allowed:
            known["allowed_updates"] = sorted(updates.allowed)
        return known

    def dump(self) -> dict[str, Any]:
        """For the store."""
        return {"url": self.url, "secret": self.secret, "max_connections": self.max_connections}

    def load(self, kept: dict[str, Any]) -> None:
        """From the store; delivery begins with `start`."""
        check_loopback(kept["url"] or "http://localhost")
        self.url, self.secret, self.max_connections = kept["url"], kept["secret"], kept["max_connections"]

    def start(self) -> None:
        """Deliver from now on, if an address is set."""
        if self.url and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._deliver())

    async def stop(self) -> None:
        """End delivery; what is not taken stays queued."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def _prepare(self, call: Call) -> None:
        if call.flag("drop_pending_updates"):
            self._exchange.updates.pending.clear()
        self.last_error, self.last_error_at, self.is_failing = "", 0, False
        self._exchange.changed()
        # Wake the delivery: it may have to begin or to end.
        self._exchange.updates.bell.ring()

    async def _deliver(self) -> None:
        updates = self._exchange.updates
        pause = FIRST_PAUSE_SECONDS
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)) as session:
            while self.url:
                if not updates.pending:
                    await updates.bell.wait()
                    continue
                update = updates.pending[0]
                self.is_failing = not await self._post(session, update)
                if not self.is_failing:
                    pause = FIRST_PAUSE_SECONDS
                    updates.confirm(update["update_id"] + 1)
                    self._exchange.changed()
                else:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _post(self, session: aiohttp.ClientSession, update: dict[str, Any]) -> bool:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.secret} if self.secret else {}
        try:
            async with session.post(self.url, json=update, headers=headers, allow_redirects=False) as answer:
                if 200 <= answer.status < 300:
                    return True
                self.last_error = f"Wrong response from the webhook: {answer.status} {answer.reason}"
        except (aiohttp.ClientError, TimeoutError) as error:
            self.last_error = str(error) or "Connection timed out"
        self.last_error_at = int(time.time())
        return False


def check_loopback(url: str) -> None:
    """Refuse every address but those of this very machine."""
    if not is_loopback(url):
        raise Refusal("bad webhook: the simulator delivers to this machine only")
