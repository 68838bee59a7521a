"""Logging: one JSON object a line, or coloured lines at a terminal; never personal data, never secrets.

What a record may carry are ids, codes and numbers. The processor here is the second fence behind that habit:
it drops known personal keys whatever their value.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO

import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

# Keys that would name a person or open a door; compared in lower case.
PERSONAL_KEYS = frozenset(
    {
        "address",
        "authorization",
        "birthday",
        "body",
        "card",
        "card_number",
        "comment",
        "cookie",
        "customer_name",
        "email",
        "first_name",
        "last_name",
        "name",
        "note",
        "password",
        "patronymic",
        "payload",
        "phone",
        "secret",
        "session",
        "text",
        "token",
        "username",
    }
)
DROPPED = "[dropped]"
# PostgreSQL quotes the values that broke a rule: "DETAIL:  Key (phone)=(+7…) already exists."
QUOTED_VALUES = re.compile(r"DETAIL:.*")

Record = MutableMapping[str, Any]


def drop_personal_data(_logger: Any, _method: str, record: Record) -> Record:
    """A structlog processor: known personal keys keep their place and lose their value, nested ones too."""
    for key, value in record.items():
        record[key] = _cleaned(key, value)
    return record


def _cleaned(key: str, value: Any) -> Any:
    if key.lower() in PERSONAL_KEYS:
        return DROPPED
    if isinstance(value, str):
        return QUOTED_VALUES.sub(f"DETAIL: {DROPPED}", value)
    if isinstance(value, dict):
        return {inner: _cleaned(str(inner), content) for inner, content in value.items()}
    return value


def configure_logging(*, stream: TextIO | None = None, terminal: bool | None = None, level: int = logging.INFO) -> None:
    """Send structlog's and the standard library's records to `stream` (stderr) in one form. May be called again.

    `terminal` chooses coloured lines; None asks the stream whether it is one.
    """
    target = sys.stderr if stream is None else stream
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        # Into text before the fence below, and plain: rich tracebacks print local variables.
        structlog.processors.format_exc_info,
        drop_personal_data,
    ]
    at_terminal = target.isatty() if terminal is None else terminal
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if at_terminal
        else structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # The pool tells with a traceback, again and again, that a server which is away is away.
    logging.getLogger("asyncpg.pool").addFilter(_without_traceback)
    # A request that is none is quoted in its error, whatever stood in it.
    logging.getLogger("aiohttp.server").addFilter(_without_traceback)
    # Tortoise prints each statement with its parameters at DEBUG; APScheduler tells each run at INFO.
    logging.getLogger("tortoise").setLevel(max(level, logging.WARNING))
    logging.getLogger("apscheduler").setLevel(max(level, logging.WARNING))
    # It warns each time that a duty still runs when it is due again: making a large file would do so for minutes.
    logging.getLogger("apscheduler.scheduler").setLevel(max(level, logging.ERROR))


def _without_traceback(record: logging.LogRecord) -> bool:
    """A filter that lets every record pass, with the kind of its error in place of the traceback."""
    if record.exc_info and record.exc_info[0] is not None:
        record.kind = record.exc_info[0].__name__
    record.exc_info = None
    return True


class AccessLogger(AbstractAccessLogger):
    """One record a request with the route's pattern, so without the query, ids and tokens of the address."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        resource = None
        if isinstance(request, web.Request):
            # What is too broken to be read is answered by aiohttp before it is routed, and has no match.
            with suppress(AssertionError):
                resource = request.match_info.route.resource
        self.logger.info(
            "request",
            extra={
                "method": request.method,
                "route": resource.canonical if resource is not None else "(unknown)",
                "status": response.status,
                "milliseconds": round(time * 1000, 1),
            },
        )
