"""Names of operations: every write from outside has a key that makes it safe to send twice."""

import hashlib
import json
import secrets
from typing import Any


def new_key() -> str:
    """A key for one operation, made before its first try: 128 random bits, 22 URL-safe characters."""
    return secrets.token_urlsafe(16)


def fingerprint(body: dict[str, Any]) -> str:
    """What tells one body from another under the same key: SHA-256 over its canonical JSON, in hex."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()
