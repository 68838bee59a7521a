"""How fast is sent: one rate for an account of ours and one for each chat, shared by all processes through Redis.

The generic cell rate algorithm, in one script each, so that processes need no agreement. Redis holds nothing but the
pace: without it each sender keeps its share of the rate by itself, and campaigns wait.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

MICROSECONDS = 1_000_000
LATE_TAKERS = 0.9
"""Of an interval: so late a token may be taken and the next one still come in time."""
RESERVE = 100
"""The part of a second's tokens that may be saved up: takers of a fast account come for several at once."""
WITHOUT_REDIS_SECONDS = 1.0
FORGOTTEN_CHATS = 10_000

# A bucket is the moment at which it will be full again. KEYS: the bucket. ARGV: interval, tolerance, tokens wanted,
# all in microseconds. Returns {tokens granted, microseconds until the next one}. Redis's clock is everybody's.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local room = math.floor((now + tolerance + interval - full) / interval)
local granted = math.max(0, math.min(room, tonumber(ARGV[3])))
if granted > 0 then
    full = full + granted * interval
    redis.call('SET', KEYS[1], string.format('%d', full), 'PX', math.ceil((full - now) / 1000) + 1000)
end
return {granted, math.max(0, full - tolerance - now)}
"""
# Tokens that nobody used. KEYS: the bucket. ARGV: interval, tokens.
GIVE_BACK = """
local full = tonumber(redis.call('GET', KEYS[1]) or 0)
if full > 0 then
    redis.call('SET', KEYS[1], string.format('%d', full - tonumber(ARGV[1]) * tonumber(ARGV[2])), 'KEEPTTL')
end
"""
# One token of each of several buckets. ARGV: interval, tolerance. Returns the microseconds to wait, 0 when granted.
TAKE_EACH = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local waits = {}
for number, key in ipairs(KEYS) do
    local full = math.max(tonumber(redis.call('GET', key) or 0), now)
    waits[number] = math.max(0, full - tolerance - now)
    if waits[number] == 0 then
        full = full + interval
        redis.call('SET', key, string.format('%d', full), 'PX', math.ceil((full - now) / 1000) + 1000)
    end
end
return waits
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a messenger allows. rate: messages a second through our account; 0 for no limit.

    chat_seconds: between messages in one chat, of which `chat_burst` may go at once after a pause; 0 for no limit.
    """

    rate: int
    chat_seconds: float = 0
    chat_burst: int = 1


@dataclass(frozen=True, slots=True)
class Grant:
    """How many messages may go now, and in how many seconds to ask again when it is none.

    is_shared: all processes know of it. Otherwise it is this sender's share, too little for campaigns.
    """

    count: int
    wait: float
    is_shared: bool


class Bucket:
    """The same algorithm within one process, in microseconds of its own clock."""

    def __init__(self) -> None:
        self.full = 0

    def take(self, now: int, interval: int, tolerance: int, wanted: int) -> tuple[int, int]:
        """(tokens granted, microseconds until the next one)."""
        full = max(self.full, now)
        granted = max(0, min((now + tolerance + interval - full) // interval, wanted))
        self.full = full + granted * interval
        return granted, max(0, self.full - tolerance - now)


class Pace:
    """The pace of one account of ours. `live` is how many senders share it while Redis is away."""

    def __init__(self, redis: Redis, source: str, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._redis = redis
        self._take = redis.register_script(TAKE)
        self._give_back = redis.register_script(GIVE_BACK)
        self._take_each = redis.register_script(TAKE_EACH)
        self._own = Bucket()
        self._chats: dict[str, Bucket] = {}
        self._alone_until = 0.0
        self.live = 1

    async def take(self, wanted: int) -> Grant:
        """Tokens for as many messages as may go now, `wanted` at most. Who takes more than they use gives it back."""
        if self._limits.rate <= 0:
            return Grant(wanted, 0, is_shared=True)
        interval = MICROSECONDS // self._limits.rate
        tolerance = int(interval * max(LATE_TAKERS, self._limits.rate / RESERVE))
        if not self._is_alone():
            try:
                granted, wait = await self._take(keys=[self._key()], args=[interval, tolerance, wanted])
            except (RedisError, OSError, TimeoutError) as error:
                self._go_alone(error)
            else:
                return Grant(granted, wait / MICROSECONDS, is_shared=True)
        share = interval * max(1, self.live)
        granted, wait = self._own.take(_now(), share, int(share * LATE_TAKERS), wanted)
        return Grant(granted, wait / MICROSECONDS, is_shared=False)

    async def give_back(self, count: int) -> None:
        """Tokens that were not used. Lost ones cost a moment, no more."""
        if count <= 0 or self._limits.rate <= 0 or self._is_alone():
            return
        try:
            await self._give_back(keys=[self._key()], args=[MICROSECONDS // self._limits.rate, count])
        except (RedisError, OSError, TimeoutError) as error:
            self._go_alone(error)

    async def take_in_chats(self, addresses: Sequence[str]) -> Mapping[str, float]:
        """For each chat the seconds until a message may go there; 0: now, and it is counted."""
        if not addresses or self._limits.chat_seconds <= 0:
            return dict.fromkeys(addresses, 0.0)
        interval = int(self._limits.chat_seconds * MICROSECONDS)
        tolerance = interval * (self._limits.chat_burst - 1)
        if not self._is_alone():
            try:
                keys = [self._key(address) for address in addresses]
                waits = await self._take_each(keys=keys, args=[interval, tolerance])
            except (RedisError, OSError, TimeoutError) as error:
                self._go_alone(error)
            else:
                return {address: wait / MICROSECONDS for address, wait in zip(addresses, waits, strict=True)}
        if len(self._chats) > FORGOTTEN_CHATS:
            self._chats.clear()
        return {address: self._wait_alone(address, interval, tolerance) for address in addresses}

    def _wait_alone(self, address: str, interval: int, tolerance: int) -> float:
        granted, wait = self._chats.setdefault(address, Bucket()).take(_now(), interval, tolerance, 1)
        return 0.0 if granted else wait / MICROSECONDS

    def _key(self, chat: str = "") -> str:
        return f"regulars:pace:{self._source}:{chat}" if chat else f"regulars:pace:{self._source}"

    def _is_alone(self) -> bool:
        return time.monotonic() < self._alone_until

    def _go_alone(self, error: Exception) -> None:
        """Do without Redis for a moment: asking it for each message would cost more than it helps."""
        self._alone_until = time.monotonic() + WITHOUT_REDIS_SECONDS
        log.warning("pace kept without Redis", source=self._source, kind=type(error).__name__, senders=self.live)


def _now() -> int:
    return time.monotonic_ns() // 1000
