"""What the application and a request carry, under typed keys."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from redis.asyncio import Redis

from loyalty.bell import Bell
from loyalty.office.queries.work import Work
from loyalty.settings import Settings
from loyalty.shop.rules import ShopView
from loyalty.staff.queries import StaffView

SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
CLOCK: web.AppKey[Callable[[], datetime]] = web.AppKey("clock")
REDIS: web.AppKey[Redis] = web.AppKey("redis", Redis)
"""Answers text. Sessions have a client of their own, which answers bytes."""
BELL: web.AppKey[Bell] = web.AppKey("bell", Bell)
"""Rings when something changes; missing where nobody has hung one."""
STOPPING: web.AppKey[asyncio.Event] = web.AppKey("stopping", asyncio.Event)
"""Set when the process is to end: what would go on and on ends too."""


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request came from, proxies that we trust taken off."""

    address: str
    is_secure: bool
    is_forwarded: bool


CLIENT: web.RequestKey[Client] = web.RequestKey("client", Client)
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
SHOP: web.RequestKey[ShopView] = web.RequestKey("shop", ShopView)
STAFF: web.RequestKey[StaffView] = web.RequestKey("staff", StaffView)
WORK: web.RequestKey[Work] = web.RequestKey("work", Work)
"""How much waits for whoever asks; there for whole pages."""
SESSION_ID: web.RequestKey[str] = web.RequestKey("session_id", str)


def now(request: web.Request) -> datetime:
    """What time it is for this application, in UTC. Tests set the clock."""
    return request.app[CLOCK]()
