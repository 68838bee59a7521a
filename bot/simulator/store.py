"""Chats on disk: one JSON file, replaced as a whole, so that a crash leaves the last good one."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

DELAY_SECONDS = 0.3
FORMAT = 1


class Store:
    """Writes what `dump` gives soon after a change, at most every 0.3 s, and on close."""

    def __init__(self, path: Path, dump: Callable[[], dict[str, Any]]) -> None:
        self._path = path
        self._dump = dump
        self._timer: asyncio.TimerHandle | None = None
        self._dirty = False

    def read(self) -> dict[str, Any] | None:
        """What was written last; None without a file. A file of another format is an error, never overwritten."""
        try:
            kept: dict[str, Any] = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ValueError(f"{self._path} is not a simulator's store") from error
        if kept.get("format") != FORMAT:
            raise ValueError(f"{self._path} has format {kept.get('format')}, expected {FORMAT}")
        return kept

    def changed(self) -> None:
        """Write soon. Without a running loop the change waits for `close`."""
        self._dirty = True
        if self._timer is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return
            self._timer = loop.call_later(DELAY_SECONDS, self.write)

    def write(self) -> None:
        """Write now, if anything changed since the last time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._dirty:
            return
        self._dirty = False
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        # Names and phones of people: for the owner's eyes only.
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - Path.open takes no mode
            json.dump({"format": FORMAT, **self._dump()}, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
