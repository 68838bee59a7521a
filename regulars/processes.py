"""What runs in a process: parts that are entered in order, serve until a signal, and are left in reverse."""

import asyncio
import errno
import gc
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from aiohttp import web

from loyalty.bell import Bell, hung
from loyalty.clock import system_now
from loyalty.customers.rules import code_key
from loyalty.db import close_database, open_database
from loyalty.settings import Settings
from regulars.logs import AccessLogger

# How long requests under way may take to end when the process is asked to stop.
SHUTDOWN_SECONDS = 10.0

log = structlog.get_logger(__name__)


class CannotServe(Exception):
    """The process cannot begin; the message says why and what to do, for the person at the terminal."""


Beside = Callable[[web.Application], web.Application]


@dataclass(frozen=True, slots=True)
class Process:
    """What the parts of a process share. `beside`: puts something more on the panel's port, as the demo does."""

    settings: Settings
    bell: Bell
    beside: Beside | None


@dataclass(frozen=True, slots=True)
class Part:
    """Something a process can run. `serving` works from being entered until being left.

    `load`: what takes seconds before it can be entered. The pages answer meanwhile.
    """

    name: str
    serving: Callable[[Process], AbstractAsyncContextManager[None]]
    load: Callable[[], object] | None = None


@asynccontextmanager
async def _web(process: Process) -> AsyncIterator[None]:
    """The panel, the cashier page and the API on one port."""
    from admin_web.app import build_app  # noqa: PLC0415  a process without this part does not load it

    settings = process.settings
    app = await build_app(settings)
    if process.beside is not None:
        app = process.beside(app)
    runner = web.AppRunner(app, access_log_class=AccessLogger, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
        except OSError as refused:
            raise _cannot_listen(settings, refused) from refused
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _bot(process: Process) -> AsyncIterator[None]:
    """Receive what people write, and take the turns of their dialogs."""
    from bot.app import open_channels  # noqa: PLC0415  a process without this part does not load it
    from bot.intake import listening  # noqa: PLC0415

    async with AsyncExitStack() as opened:
        channels = open_channels(process.settings)
        if not channels:
            log.info("no messenger is set up")
        for channel in channels:
            opened.push_async_callback(channel.close)
        async with listening(channels, _database_url(process.settings), process.bell, system_now):
            yield


@asynccontextmanager
async def _worker(process: Process) -> AsyncIterator[None]:
    """Send what lies in the outbox, keep open cards fresh, fetch what people sent."""
    from bot.app import open_channels  # noqa: PLC0415  a process without this part does not load it
    from bot.sender import sending  # noqa: PLC0415

    assert process.settings.secret_key is not None
    key = code_key(process.settings.secret_key.get_secret_value())
    async with AsyncExitStack() as opened:
        channels = open_channels(process.settings)
        for channel in channels:
            opened.push_async_callback(channel.close)
        async with sending(channels, key, process.bell, system_now):
            yield


@asynccontextmanager
async def _scheduler(process: Process) -> AsyncIterator[None]:
    """The duties of time; of many such processes one leads."""
    from scheduler.jobs import JOBS  # noqa: PLC0415  a process without this part does not load it
    from scheduler.leader import leading  # noqa: PLC0415

    async with leading(_database_url(process.settings), JOBS, system_now):
        yield


def _database_url(settings: Settings) -> str:
    assert settings.database_url is not None
    return settings.database_url.get_secret_value()


def _load_messengers() -> None:
    """Aiogram builds its hundreds of models when it is imported."""


# Every part there is, in the order in which one process enters them.
PARTS = (
    Part("web", _web),
    Part("scheduler", _scheduler),
    Part("bot", _bot, load=_load_messengers),
    Part("worker", _worker, load=_load_messengers),
)


def parts_named(names: list[str]) -> tuple[Part, ...]:
    """The parts of those names; all of them when none is named. Raises CannotServe for an unknown name."""
    known = {part.name for part in PARTS}
    if wrong := [name for name in names if name not in known]:
        raise CannotServe(f"There is no part {wrong[0]!r}; the parts are: {', '.join(sorted(known))}.")
    return tuple(part for part in PARTS if not names or part.name in names)


def check_port_is_free(settings: Settings) -> None:
    """Raise CannotServe when nobody could listen there: told before the long work, not after it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as refused:
            raise _cannot_listen(settings, refused) from refused


async def serve(
    settings: Settings, parts: tuple[Part, ...], ready: Callable[[], None], beside: Beside | None = None
) -> None:
    """Run `parts` until SIGINT or SIGTERM; calls `ready` once they work; beside pages, once those answer.

    `settings` carry both addresses. A second signal ends the process at once.
    """
    if settings.database_url is None:
        raise CannotServe("DATABASE_URL is missing.")
    if settings.redis_url is None:
        raise CannotServe("REDIS_URL is missing.")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask_to_stop)
    await open_database(settings.database_url.get_secret_value())
    try:
        async with AsyncExitStack() as entered:
            bell = await entered.enter_async_context(hung(settings.redis_url.get_secret_value()))
            process = Process(settings, bell, beside)
            at_once = [part for part in parts if part.load is None]
            for part in at_once:
                await entered.enter_async_context(part.serving(process))
            if at_once:
                ready()
            for part in parts:
                if part.load is not None:
                    await asyncio.to_thread(part.load)
                    await entered.enter_async_context(part.serving(process))
            if not at_once:
                ready()
            # What start-up made lives on: the collector need not walk it again and again.
            gc.collect()
            gc.freeze()
            log.info("started", parts=[part.name for part in parts])
            await stop.wait()
            log.info("stopping")
    finally:
        await close_database()
    log.info("stopped")


def _cannot_listen(settings: Settings, refused: OSError) -> CannotServe:
    if refused.errno == errno.EADDRINUSE:
        return CannotServe(
            f"Port {settings.port} on {settings.host} is taken by another program. "
            f"Choose another: --port {settings.port + 1} or REGULARS_PORT={settings.port + 1}."
        )
    return CannotServe(f"Cannot listen on {settings.host}:{settings.port}: {refused.strerror}.")
