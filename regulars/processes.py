"""What runs in a process: parts that are entered in order, serve until a signal, and are left in reverse."""

import asyncio
import gc
import importlib
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType

import structlog

from bot.webhooks import PREFIX, Webhooks
from loyalty.bell import Bell, hung
from loyalty.campaigns.links import click_key, click_url
from loyalty.clock import system_now
from loyalty.conversations.channels import EMAIL, SMS, TELEGRAM, WHATSAPP
from loyalty.conversations.stopping import stop_key, stop_links
from loyalty.customers.rules import code_key
from loyalty.db import Watch, close_database, is_migrated, open_database, why_not_opened
from loyalty.office.exporting import file_key, with_links
from loyalty.settings import TELEGRAM_API, Settings, TelegramMode
from loyalty.webhooks.rules import signing_key
from regulars.ports import Beside, CannotServe, Port, listening_at, side_by_side

NOT_MIGRATED = "The base is not at this version: run regulars migrate."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """What the parts of a process share.

    `beside`: what stands on the panel's port beside it. `webhooks`: the door for messengers that call us, when
    this process is to open it. `has_panel`: whether the panel is here to share its port. `ports`: those that are
    listened on.
    """

    settings: Settings
    bell: Bell
    beside: Beside
    webhooks: Webhooks | None
    has_panel: bool
    ports: list[Port] = field(default_factory=list)


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
    from admin_web.pages import PAGES  # noqa: PLC0415  a process without this part does not load it

    async with _port(process, PAGES):
        yield


@asynccontextmanager
async def _port(process: Process, pages: Sequence[ModuleType]) -> AsyncIterator[None]:
    """These pages of the panel, and on the same port what stands beside it."""
    from admin_web.app import build_app  # noqa: PLC0415  a process that serves nothing does not load it

    apps = dict(process.beside.apps)
    if process.webhooks is not None:
        apps[PREFIX] = process.webhooks.build_app()
    panel = await build_app(process.settings, pages, process.bell)
    together = side_by_side(panel, Beside(apps, process.beside.body_limit))
    async with listening_at(process.settings, together) as port:
        process.ports.append(port)
        yield


@asynccontextmanager
async def _bot(process: Process) -> AsyncIterator[None]:
    """Receive what people write, and take the turns of their dialogs."""
    from bot.app import open_channels  # noqa: PLC0415  a process without this part does not load it
    from bot.intake import listening  # noqa: PLC0415

    async with AsyncExitStack() as opened:
        if process.webhooks is not None and not process.has_panel:
            from admin_web.pages import health  # noqa: PLC0415

            await opened.enter_async_context(_port(process, (health,)))
        channels = open_channels(process.settings)
        if not channels:
            log.info("no messenger is set up")
        for channel in channels:
            opened.push_async_callback(channel.close)
        database_url = _database_url(process.settings)
        async with listening(channels, database_url, process.bell, system_now, process.webhooks):
            yield


@asynccontextmanager
async def _worker(process: Process) -> AsyncIterator[None]:
    """Send the outbox, and letters to staff; keep open cards fresh, fetch what people sent, tell other programs."""
    from bot.app import limits_of, open_channels  # noqa: PLC0415  a process without this part does not load it
    from bot.sender import sending  # noqa: PLC0415
    from scheduler.letters import sending_letters  # noqa: PLC0415
    from scheduler.webhooks import delivering  # noqa: PLC0415

    assert process.settings.secret_key is not None
    secret = process.settings.secret_key.get_secret_value()
    allow_local = process.settings.webhook_local
    async with AsyncExitStack() as opened:
        channels = open_channels(process.settings)
        for channel in channels:
            opened.push_async_callback(channel.close)
        telling = delivering(signing_key(secret), process.bell, system_now, allow_local=allow_local)
        linked = partial(with_links, key=file_key(secret), public_url=process.settings.public_url)
        post = next((channel for channel in channels if channel.name == EMAIL), None)
        redis_url = _redis_url(process.settings)
        limits = limits_of(process.settings)
        async with (
            sending(
                channels,
                limits,
                redis_url,
                card_key=code_key(secret),
                stop_link=stop_links(stop_key(secret), process.settings.public_url),
                bell=process.bell,
                clock=system_now,
            ),
            telling,
            sending_letters(post, linked, process.bell, system_now),
        ):
            yield


@asynccontextmanager
async def _scheduler(process: Process) -> AsyncIterator[None]:
    """The duties of time; of many such processes one leads."""
    from scheduler.jobs import JOBS, campaign_jobs, task_jobs  # noqa: PLC0415  a process without this part does not load it
    from scheduler.leader import leading  # noqa: PLC0415

    links = _counted_links(process.settings)
    jobs = (*JOBS, *task_jobs(process.settings.public_url), *campaign_jobs(links))
    async with leading(_database_url(process.settings), jobs, system_now):
        yield


def _counted_links(settings: Settings) -> Callable[[int, int, int], str] | None:
    """Links of ours in messages to many; None where the world cannot open them: there the addresses stay."""
    is_open = settings.public_url.startswith("https://") or settings.telegram_api_url != TELEGRAM_API
    if settings.secret_key is None or not is_open:
        return None
    key = click_key(settings.secret_key.get_secret_value())
    return partial(click_url, key=key, public_url=settings.public_url)


def _database_url(settings: Settings) -> str:
    assert settings.database_url is not None
    return settings.database_url.get_secret_value()


def _redis_url(settings: Settings) -> str:
    assert settings.redis_url is not None
    return settings.redis_url.get_secret_value()


def _load_messengers() -> None:
    """Aiogram builds its hundreds of models when it is imported."""
    importlib.import_module("bot.app")


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


def needs_port(settings: Settings, parts: Sequence[Part]) -> bool:
    """Whether these parts listen on the port: the pages do, and the bot when it is called."""
    names = {part.name for part in parts}
    return "web" in names or ("bot" in names and _called_messengers(settings) != ())


def _called_messengers(settings: Settings) -> tuple[str, ...]:
    """Those that call us: Telegram when it is asked to, WhatsApp always, an SMS gateway that was told a secret."""
    callers = {
        TELEGRAM: settings.telegram_mode is TelegramMode.WEBHOOK,
        WHATSAPP: settings.whatsapp_access_token is not None,
        SMS: settings.sms_url is not None and settings.sms_callback_secret is not None,
    }
    return tuple(name for name, calls in callers.items() if calls)


def describe(settings: Settings, parts: Sequence[Part]) -> str:
    """What to say of these parts once they work: where they are reached, or else which they are."""
    if needs_port(settings, parts):
        return f"Regulars serves at {settings.public_url}"
    return f"Regulars runs: {', '.join(part.name for part in parts)}"


async def serve(
    settings: Settings, parts: tuple[Part, ...], ready: Callable[[], None], beside: Beside | None = None
) -> None:
    """Run `parts` until SIGINT or SIGTERM; calls `ready` once they work; beside pages, once those answer.

    `settings` carry both addresses. A second signal ends the process at once. Raises CannotServe, for a base that
    cannot be opened or is of an older version too.
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
    async with _open_base(settings.database_url.get_secret_value()), AsyncExitStack() as entered:
        bell = await entered.enter_async_context(hung(settings.redis_url.get_secret_value()))
        process = _process(settings, parts, bell, beside or Beside())
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
        # What is frozen is not tidied up at the end either, and libraries complain of it at the terminal.
        gc.unfreeze()
        log.info("stopping")
        # Nobody is let in any more while those who stand behind the port are still there for who is inside.
        await asyncio.gather(*(port.close() for port in process.ports))
    log.info("stopped")


@asynccontextmanager
async def _open_base(url: str) -> AsyncIterator[None]:
    """The base, open and of this version. Raises CannotServe."""
    try:
        await open_database(url)
    except Exception as refused:
        raise CannotServe(why_not_opened(url, refused)) from refused
    watching: asyncio.Task[None] | None = None
    try:
        if not await is_migrated():
            raise CannotServe(NOT_MIGRATED)
        watching = asyncio.create_task(Watch(url).keep())
        yield
    finally:
        if watching is not None:
            watching.cancel()
        await close_database()


def _process(settings: Settings, parts: Sequence[Part], bell: Bell, beside: Beside) -> Process:
    names = {part.name for part in parts}
    called = _called_messengers(settings)
    return Process(settings, bell, beside, Webhooks(called) if called and "bot" in names else None, "web" in names)
