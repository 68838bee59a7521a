"""The panel as one aiohttp application."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from types import ModuleType
from typing import Any

import aiohttp_session
from aiohttp import web
from aiohttp_session.redis_storage import RedisStorage
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff

from admin_web import assets
from admin_web.api.door import api_door
from admin_web.api.keys import KEYS, Keys
from admin_web.card_ways import lead
from admin_web.keys import BELL, CLOCK, REDIS, SETTINGS, STOPPING
from admin_web.middleware import frame, reader, same_origin
from admin_web.navigation import NAVIGATION
from admin_web.pages import PAGES
from admin_web.render import prepare_templates
from admin_web.sessions import COOKIE, IDLE
from loyalty.bell import Bell
from loyalty.clock import system_now
from loyalty.settings import Settings

BODY_LIMIT = 2**20


async def build_app(
    settings: Settings, pages: Sequence[ModuleType] = PAGES, bell: Bell | None = None
) -> web.Application:
    """Build the application of these pages. `settings.redis_url` is filled; the caller has opened the database.

    Redis is first asked when a request comes: a panel without it starts and answers 503. Without a `bell` pages hear
    of news only when they ask.
    """
    redis = _redis(settings, decode_responses=True)
    session_redis = _redis(settings)
    storage = RedisStorage(
        session_redis,
        cookie_name=COOKIE,
        max_age=int(IDLE.total_seconds()),
        secure=settings.public_url.startswith("https://"),
        httponly=True,
        samesite="Lax",
        key_factory=lambda: secrets.token_urlsafe(32),
    )
    app = web.Application(
        client_max_size=BODY_LIMIT,
        middlewares=[frame, api_door, same_origin, aiohttp_session.session_middleware(storage), reader, lead],
    )
    app[SETTINGS] = settings
    app[CLOCK] = system_now
    app[REDIS] = redis
    app[KEYS] = Keys(settings.api_rate)
    app[STOPPING] = asyncio.Event()
    if bell is not None:
        app[BELL] = bell
    app[NAVIGATION] = tuple(module.NAV for module in pages if hasattr(module, "NAV"))
    prepare_templates(app)
    app.add_routes(assets.ROUTES)
    for module in pages:
        app.add_routes(module.ROUTES)

    async def close_redis(_: web.Application) -> AsyncIterator[None]:
        yield
        await redis.aclose()
        await session_redis.aclose()

    async def end_streams(_: web.Application) -> None:
        app[STOPPING].set()
        if bell is not None:
            bell.nudge_all()

    app.cleanup_ctx.append(close_redis)
    app.on_shutdown.append(end_streams)
    return app


def _redis(settings: Settings, **options: Any) -> Redis:
    if settings.redis_url is None:
        raise ValueError("redis_url must be filled before the panel is built")
    # A page should say "not available" in a second rather than hang.
    return Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=2,
        socket_timeout=3,
        retry=Retry(ConstantBackoff(0.05), 1),
        **options,
    )
