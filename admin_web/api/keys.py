"""Who asks, and how fast. Kept in the memory of this process: a till's every call passes here."""

from datetime import datetime, timedelta

from aiohttp import web

from admin_web.api.problems import ApiProblem
from loyalty.staff.actions import note_key_use
from loyalty.staff.queries import ApiKeyView, api_key_by
from loyalty.staff.rules import KEY_LENGTH, KEY_START, KEY_USE_SECONDS, token_hash

MEMORY = timedelta(seconds=5)
"""How long a key is taken without asking the base: so long a revoked one may live on."""
KEYS_AT_MOST = 1_000
BURST_SECONDS = 2
BEARER = {"WWW-Authenticate": 'Bearer realm="Regulars"'}


class Keys:
    """Keys lately seen, and a bucket of tokens for each: `rate` a second, twice as many at once after a pause.

    Each process counts for itself: behind several a key has the rate of each.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._seen: dict[str, tuple[ApiKeyView, datetime]] = {}
        self._buckets: dict[int, tuple[float, datetime]] = {}

    async def holder(self, authorization: str, now: datetime) -> ApiKeyView:
        """The key in an Authorization header. Raises ApiProblem 401 unless it is one of ours and not revoked."""
        scheme, _, text = authorization.partition(" ")
        text = text.strip()
        if scheme.lower() != "bearer" or not text:
            raise ApiProblem(401, "key_is_missing", headers=BEARER)
        if not (len(text) == KEY_LENGTH and text.startswith(KEY_START) and text.isascii()):
            raise ApiProblem(401, "key_is_unknown", headers=BEARER)
        key = await self._key(text, now)
        if key is None:
            raise ApiProblem(401, "key_is_unknown", headers=BEARER)
        if key.revoked_at is not None:
            raise ApiProblem(401, "key_is_revoked", headers=BEARER)
        return key

    def spend(self, key_id: int, now: datetime) -> None:
        """Take one token of a key's. Raises ApiProblem 429 when there is none."""
        most = self._rate * BURST_SECONDS
        tokens, at = self._buckets.get(key_id, (float(most), now))
        tokens = min(most, tokens + max(0.0, (now - at).total_seconds()) * self._rate)
        if tokens < 1:
            raise ApiProblem(429, "too_many_requests", headers={"Retry-After": "1"}, wait=1)
        self._buckets[key_id] = (tokens - 1, now)

    async def _key(self, text: str, now: datetime) -> ApiKeyView | None:
        name = token_hash(text)
        known = self._seen.get(name)
        # A clock that was set back must not lengthen the memory.
        if known is not None and timedelta() <= now - known[1] < MEMORY:
            return known[0]
        key = await api_key_by(text)
        if key is None:
            # Not remembered: a key made this moment is taken at once, and guesses fill no memory.
            self._seen.pop(name, None)
            return None
        if len(self._seen) >= KEYS_AT_MOST:
            self._seen.clear()
        self._seen[name] = (key, now)
        used = key.last_used_at
        if key.revoked_at is None and (used is None or now - used >= timedelta(seconds=KEY_USE_SECONDS)):
            await note_key_use(key.id, now)
        return key


KEYS: web.AppKey[Keys] = web.AppKey("api_keys", Keys)
