"""Which servers this installation uses: those the environment names, or a pair of its own in its home."""

import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from loyalty.settings import Settings
from regulars.embedded import Addresses, AlreadyRunning, EmbeddedServers, attach, usable


@contextmanager
def open_servers(settings: Settings) -> Iterator[Settings]:
    """Settings with both addresses and the key filled in; servers that were started here stop at the end.

    Starts the built-in pair when no DATABASE_URL is set, or uses the pair that another process of the same
    home runs. Raises regulars.embedded.CannotStart. Call it from the main thread.
    """
    if settings.database_url is not None:
        yield settings
        return
    key = stored_secret_key(settings.home) if settings.secret_key is None else settings.secret_key
    servers = EmbeddedServers(settings.home)
    previous = signal.signal(signal.SIGTERM, _leave)
    try:
        addresses = _started_or_attached(servers, settings.home)
        yield settings.model_copy(
            update={
                "database_url": SecretStr(addresses.database_url),
                "redis_url": SecretStr(addresses.redis_url),
                "secret_key": key,
            }
        )
    finally:
        servers.stop()
        signal.signal(signal.SIGTERM, previous)


def _leave(_number: int, _frame: object) -> None:
    # Until a loop takes the signal over, SIGTERM leaves through every `finally`, so that the servers stop.
    sys.exit(128 + signal.SIGTERM)


def _started_or_attached(servers: EmbeddedServers, home: Path) -> Addresses:
    while True:
        running = attach(home)
        if running is not None:
            return running
        try:
            return servers.start()
        except AlreadyRunning:
            # Another process was quicker: its addresses will be there.
            continue


def stored_secret_key(home: Path) -> SecretStr:
    """The key of this home, made at first use, readable by its owner alone. Raises CannotStart."""
    with usable(home):
        return _stored_secret_key(home)


def _stored_secret_key(home: Path) -> SecretStr:
    path = home / "secret_key"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, fresh = tempfile.mkstemp(dir=home, prefix="secret_key.")
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
            # Of two processes that begin at once one links its key, and both read that one.
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            Path(fresh).unlink()
    return SecretStr(path.read_text().strip())
