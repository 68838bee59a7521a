"""The demo: a made-up shop with data, servers and a messenger of its own, apart from any real ones."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.web_urldispatcher import AbstractRuleMatching, MatchedSubAppResource
from pydantic import SecretStr

from bot.simulator import Simulator
from loyalty.db import execute
from loyalty.settings import Settings
from regulars.seed import DEMO_LOGINS
from regulars.seed.chats import ADDRESSES

SHOP_NAME = "Ладно, кофе"
# The number stays, because updates are told apart by it; nobody but this process learns the rest.
TOKEN = f"1000:{secrets.token_hex(16)}"
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  names what is not listened on, but reached
SIMULATOR = "/simulator"
PHOTO_LIMIT = 12 * 2**20


def demo_settings(settings: Settings) -> Settings:
    """Settings of the demo: a home of its own below the usual one, and never the base of DATABASE_URL.

    Its logins are printed and so known to everyone; they must not come to lie in a real base. Nor does it talk
    to the real Telegram: the simulator stands in for it, on the port of the panel.
    """
    host = LOOPBACK.get(settings.host, settings.host)
    host = f"[{host}]" if ":" in host else host
    return settings.model_copy(
        update={
            "home": settings.home / "demo",
            "database_url": None,
            "redis_url": None,
            "secret_key": None,
            "telegram_bot_token": SecretStr(TOKEN),
            "telegram_api_url": f"http://{host}:{settings.port}{SIMULATOR}/telegram",
        }
    )


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _NotSimulated(AbstractRuleMatching):
    """Every request but those of the simulator."""

    async def match(self, request: web.Request) -> bool:
        return request.path != SIMULATOR and not request.path.startswith(f"{SIMULATOR}/")

    def get_info(self) -> Any:
        return {"domain": "*"}

    @property
    def canonical(self) -> str:
        return "*"


def with_simulator(settings: Settings, panel: web.Application) -> web.Application:
    """The panel and, on the same port but past its sessions and checks, the messenger of the demo.

    The chats lie in the demo's home.
    """
    assert settings.telegram_bot_token is not None
    simulator = Simulator(
        token=settings.telegram_bot_token.get_secret_value(),
        bot_name=SHOP_NAME,
        bot_username="ladno_demo_bot",
        store=settings.home / "simulator.json",
        # The made-up customers take messages too; only nobody sits behind them.
        silent_ids=ADDRESSES,
    )

    async def run_panel(_: web.Application) -> AsyncIterator[None]:
        await panel.startup()
        yield
        await panel.shutdown()
        await panel.cleanup()

    @web.middleware
    async def pass_on(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(request)

    # An application without a middleware of its own would leave out those of the panel as well.
    app = web.Application(client_max_size=PHOTO_LIMIT, middlewares=[pass_on])
    app.add_subapp(SIMULATOR, simulator.build_app())
    # aiohttp mounts below a prefix or at a host; a rule of our own leaves the panel at the root.
    panel.freeze()
    app.router.register_resource(MatchedSubAppResource(_NotSimulated(), panel))
    app.cleanup_ctx.append(run_panel)
    return app


async def empty_base() -> None:
    """Forget everything in the open base."""
    await execute("DROP SCHEMA public CASCADE")
    await execute("CREATE SCHEMA public")


def describe(settings: Settings) -> str:
    """Where the demo is and who may sign in."""
    lines = ["", f"The demo is ready: {settings.public_url}"]
    lines += [f"  {role:<10} {email:<28} {password}" for email, password, role in DEMO_LOGINS]
    lines.append(f"The customers' side, a messenger in the browser: {settings.public_url}{SIMULATOR}")
    lines.append(f"Its data lie in {settings.home}. Ctrl-C stops it and keeps them.")
    return "\n".join(lines)
