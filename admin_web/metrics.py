"""Figures for Prometheus. Labels are route patterns, so no id, token or query becomes one."""

from aiohttp import web
from prometheus_client import Counter, Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS = Counter("regulars_http_requests_total", "Requests answered", ("method", "route", "status"))
SECONDS = Histogram(
    "regulars_http_request_seconds",
    "Time from the first byte read to the answer made",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def count_request(request: web.Request, status: int, seconds: float) -> None:
    """Count one answer."""
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "(unknown)"
    method = request.method if request.method in METHODS else "(other)"
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)
