"""Signed-in browsers: what a session holds, the list of a person's sessions, and how one ends.

The session itself is aiohttp-session's, in Redis. Beside it a hash per person names each session that counts:
a session that is not there is signed out. Losing Redis signs everybody out and loses nothing else.
"""

import json
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

import aiohttp_session
from aiohttp import web
from redis.asyncio import Redis

from admin_web.client import client_of, device_of
from admin_web.keys import REDIS, SESSION_ID, now
from loyalty.errors import NotFound
from loyalty.staff.queries import StaffView, staff_member
from loyalty.staff.rules import Role

COOKIE = "regulars"
IDLE = timedelta(days=7)
IDLE_CASHIER = timedelta(hours=12)
# Being seen is written at most once a minute: pages stay reads.
SEEN_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SessionView:
    """One signed-in browser. Times are seconds since the epoch, as they lie in Redis."""

    id: str
    device: str
    address: str
    begun: float
    seen: float

    @property
    def begun_at(self) -> datetime:
        """When it was signed in."""
        return datetime.fromtimestamp(self.begun, UTC)

    @property
    def seen_at(self) -> datetime:
        """When it last asked for a page, to the minute."""
        return datetime.fromtimestamp(self.seen, UTC)


async def begin_session(request: web.Request, person: StaffView) -> None:
    """Sign this browser in under a new session id; what the browser had before is void."""
    await end_this_session(request)
    session = await aiohttp_session.new_session(request)
    session.max_age = int(_idle(person).total_seconds())
    moment = now(request).timestamp()
    view = SessionView(
        id=secrets.token_urlsafe(12),
        device=device_of(request.headers.get("User-Agent", "")),
        address=client_of(request).address,
        begun=moment,
        seen=moment,
    )
    session["staff_id"], session["sid"] = person.id, view.id
    await _keep(request.app[REDIS], person.id, view)
    request[SESSION_ID] = view.id


async def who_is_signed_in(request: web.Request) -> StaffView | None:
    """The person of this browser, if the session still counts."""
    session = await aiohttp_session.get_session(request)
    staff_id, sid = session.get("staff_id"), session.get("sid")
    if not isinstance(staff_id, int) or not isinstance(sid, str):
        return None
    view = await _find(request.app[REDIS], staff_id, sid)
    if view is None:
        return None
    try:
        person = await staff_member(staff_id)
    except NotFound:
        return None
    moment = now(request)
    if not person.is_active or _is_over(view, person, moment):
        await request.app[REDIS].hdel(_index(staff_id), sid)
        return None
    request[SESSION_ID] = sid
    session.max_age = int(_idle(person).total_seconds())
    if moment - view.seen_at >= SEEN_STEP:
        address = client_of(request).address
        await _keep(request.app[REDIS], staff_id, replace(view, seen=moment.timestamp(), address=address))
        session["seen"] = moment.timestamp()
    return person


async def still_counts(request: web.Request) -> StaffView | None:
    """The person of this browser by now, for an answer that goes on and on; being asked keeps no session alive."""
    session = await aiohttp_session.get_session(request)
    staff_id, sid = session.get("staff_id"), request.get(SESSION_ID)
    if staff_id is None or sid is None:
        return None
    view = await _find(request.app[REDIS], staff_id, sid)
    if view is None:
        return None
    try:
        person = await staff_member(staff_id)
    except NotFound:
        return None
    return person if person.is_active and not _is_over(view, person, now(request)) else None


async def sessions_of(request: web.Request, person: StaffView) -> list[SessionView]:
    """The person's sessions that still count, last seen first; those that ran out are forgotten."""
    redis = request.app[REDIS]
    kept = await redis.hgetall(_index(person.id))
    views = [_read(str(sid), str(text)) for sid, text in kept.items()]
    over = [view.id for view in views if _is_over(view, person, now(request))]
    if over:
        await redis.hdel(_index(person.id), *over)
    return sorted((view for view in views if view.id not in over), key=lambda view: -view.seen)


async def end_session(request: web.Request, person: StaffView, sid: str) -> None:
    """Sign one browser out. An unknown id changes nothing."""
    await request.app[REDIS].hdel(_index(person.id), sid)


async def end_other_sessions(request: web.Request, person: StaffView) -> None:
    """Sign out every browser of the person but this one."""
    kept = await request.app[REDIS].hkeys(_index(person.id))
    if others := [sid for sid in kept if sid != request.get(SESSION_ID)]:
        await request.app[REDIS].hdel(_index(person.id), *others)


async def forget_sessions(redis: Redis, staff_id: int) -> None:
    """Sign a person out everywhere."""
    await redis.delete(_index(staff_id))


async def end_this_session(request: web.Request) -> None:
    """Sign this browser out."""
    session = await aiohttp_session.get_session(request)
    staff_id, sid = session.get("staff_id"), session.get("sid")
    if isinstance(staff_id, int) and isinstance(sid, str):
        await request.app[REDIS].hdel(_index(staff_id), sid)
    if not session.empty:
        session.invalidate()


def _is_over(view: SessionView, person: StaffView, moment: datetime) -> bool:
    return view.begun_at < person.sessions_from or moment - view.seen_at > _idle(person)


def _idle(person: StaffView) -> timedelta:
    return IDLE_CASHIER if person.role is Role.CASHIER else IDLE


def _index(staff_id: int) -> str:
    return f"staff:{staff_id}:sessions"


async def _keep(redis: Redis, staff_id: int, view: SessionView) -> None:
    async with redis.pipeline(transaction=True) as commands:
        commands.hset(_index(staff_id), view.id, json.dumps(asdict(view)))
        commands.expire(_index(staff_id), IDLE + timedelta(days=1))
        await commands.execute()


async def _find(redis: Redis, staff_id: int, sid: str) -> SessionView | None:
    text = await redis.hget(_index(staff_id), sid)
    return None if text is None else _read(sid, str(text))


def _read(sid: str, text: str) -> SessionView:
    return SessionView(**{**json.loads(text), "id": sid})
