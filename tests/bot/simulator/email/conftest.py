"""The mail server's stand-in on loopback, and clients that send by it as to any other."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import aiohttp
import aiosmtplib
import pytest
from aiohttp import web

from bot.simulator import MailAccount, Simulator
from bot.simulator.email.inbox import Mailbox
from tests.bot.simulator.conftest import TOKEN, serve

ADDRESS = "anna@example.org"


@dataclass
class Post:
    """A running simulator with an account at its mail server."""

    simulator: Simulator
    url: str
    http: aiohttp.ClientSession

    @property
    def mail(self) -> Mailbox:
        return self.simulator.email

    def client(self, password: str | None = "right") -> aiosmtplib.SMTP:
        """A client; without a password it does not log in."""
        return aiosmtplib.SMTP(
            hostname="127.0.0.1",
            port=self.mail.port,
            username="shop" if password else None,
            password=password,
            use_tls=False,
            start_tls=False,
            timeout=5,
        )

    async def send(self, *, to: str = ADDRESS, **headers: str) -> None:
        """Send a message as it is common."""
        async with self.client() as client:
            await client.send_message(message(to=to, **headers))


def message(text: str = "Hello", *, to: str = ADDRESS, **headers: str) -> EmailMessage:
    """A message; names of headers with _ for -."""
    made = EmailMessage()
    made["From"] = "Ладно <shop@example.org>"
    made["To"] = to
    for name, value in {"Subject": "Your bonuses", **headers}.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


@pytest.fixture
async def open_post() -> AsyncIterator[Callable[..., Awaitable[Post]]]:
    """Open a simulator of its own: `await open_post(store=path)`; closed after the test."""
    async with AsyncExitStack() as stack:

        async def open_one(**options: Any) -> Post:
            simulator = Simulator(token=TOKEN, email=MailAccount(password="right"), **options)
            root = web.Application()
            root.add_subapp("/simulator", simulator.build_app())
            runner, url = await serve(root)
            stack.push_async_callback(runner.cleanup)
            http = await stack.enter_async_context(aiohttp.ClientSession())
            return Post(simulator, url, http)

        yield open_one


@pytest.fixture
async def post(open_post: Callable[..., Awaitable[Post]]) -> Post:
    return await open_post()
