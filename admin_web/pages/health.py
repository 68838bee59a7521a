"""For machines: is the process alive, can it work, and its figures."""

import asyncio

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from admin_web.auth import public
from admin_web.client import is_local
from admin_web.keys import REDIS
from loyalty.shop.queries import shop

PATIENCE_SECONDS = 3.0


@public
async def live(_: web.Request) -> web.Response:
    """GET /health/live: the process answers."""
    return web.json_response({"status": "ok"})


@public
async def ready(request: web.Request) -> web.Response:
    """GET /health/ready: the database and Redis answer too; else 503 and which of them does not."""
    checks = {"database": shop(), "redis": request.app[REDIS].ping()}
    answers = await asyncio.gather(
        *(asyncio.wait_for(check, PATIENCE_SECONDS) for check in checks.values()), return_exceptions=True
    )
    states = {
        name: "not available" if isinstance(answer, BaseException) else "ok"
        for name, answer in zip(checks, answers, strict=True)
    }
    is_ready = all(state == "ok" for state in states.values())
    return web.json_response(
        {"status": "ok" if is_ready else "not available", **states}, status=200 if is_ready else 503
    )


@public
async def figures(request: web.Request) -> web.Response:
    """GET /metrics: for Prometheus on this machine or at a trusted address."""
    if not is_local(request):
        raise web.HTTPForbidden
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTES = (
    web.get("/health/live", live),
    web.get("/health/ready", ready),
    web.get("/metrics", figures),
)
