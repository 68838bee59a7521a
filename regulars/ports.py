"""One port for the panel and whatever stands beside it, past its sessions and checks."""

import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.web_urldispatcher import AbstractRuleMatching, MatchedSubAppResource

from loyalty.settings import Settings
from regulars.logs import AccessLogger

# How long requests under way may take to end when the process is asked to stop.
SHUTDOWN_SECONDS = 10.0
# As the panel alone has it, whose limit does not count beside others.
BODY_LIMIT = 2**20
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class CannotServe(Exception):
    """The process cannot begin; the message says why and what to do, for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Applications below prefixes of their own, like "/webhooks"; `body_limit` in bytes holds for the whole port."""

    apps: Mapping[str, web.Application] = field(default_factory=dict)
    body_limit: int = BODY_LIMIT


class _Elsewhere(AbstractRuleMatching):
    """Every request but those below these prefixes."""

    def __init__(self, prefixes: frozenset[str]) -> None:
        self._prefixes = prefixes

    async def match(self, request: web.Request) -> bool:
        return "/" + request.path.split("/", 2)[1] not in self._prefixes

    def get_info(self) -> Any:
        return {"domain": "*"}

    @property
    def canonical(self) -> str:
        return "*"


def side_by_side(panel: web.Application, beside: Beside) -> web.Application:
    """The panel at the root of one application, and the others below their prefixes."""
    if not beside.apps:
        return panel

    async def run_panel(_: web.Application) -> AsyncIterator[None]:
        await panel.startup()
        yield
        await panel.cleanup()

    async def stop_panel(_: web.Application) -> None:
        await panel.shutdown()

    @web.middleware
    async def pass_on(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(request)

    # An application without a middleware of its own would leave out those of the panel as well.
    app = web.Application(client_max_size=beside.body_limit, middlewares=[pass_on])
    for prefix, neighbour in beside.apps.items():
        app.add_subapp(prefix, neighbour)
    # aiohttp mounts below a prefix or at a host; a rule of our own leaves the panel at the root.
    panel.freeze()
    app.router.register_resource(MatchedSubAppResource(_Elsewhere(frozenset(beside.apps)), panel))
    app.cleanup_ctx.append(run_panel)
    # Before requests under way are waited for: what goes on and on is told to end.
    app.on_shutdown.append(stop_panel)
    return app


class Port:
    """A port that is listened on, until it is closed."""

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner: web.AppRunner | None = runner

    async def close(self) -> None:
        """Take no more requests and let those under way end. Twice is once."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()


@asynccontextmanager
async def listening_at(settings: Settings, app: web.Application) -> AsyncIterator[Port]:
    """Serve an application at the host and port of the settings; requests under way may end. Raises CannotServe."""
    runner = web.AppRunner(app, access_log_class=AccessLogger, shutdown_timeout=SHUTDOWN_SECONDS)
    port = Port(runner)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
        except OSError as refused:
            raise _cannot_listen(settings, refused) from refused
        yield port
    finally:
        await port.close()


def check_port_is_free(settings: Settings) -> None:
    """Raise CannotServe when nobody could listen there: told before the long work, not after it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as refused:
            raise _cannot_listen(settings, refused) from refused


def _cannot_listen(settings: Settings, refused: OSError) -> CannotServe:
    if refused.errno == errno.EADDRINUSE:
        return CannotServe(
            f"Port {settings.port} on {settings.host} is taken by another program. "
            f"Choose another: --port {settings.port + 1} or REGULARS_PORT={settings.port + 1}."
        )
    return CannotServe(f"Cannot listen on {settings.host}:{settings.port}: {refused.strerror}.")
