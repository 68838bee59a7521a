"""Brings forth processes of `regulars` for the proofs, each asked for by a line of JSON; answers its pid.

Loading a messenger's library takes seconds of a processor, and proofs kill process after process: at their small
size a process is a fork of this one, which has loaded everything and opened nothing. At full size it is a fresh
`python -m regulars`. All of them end with the nursery, and the nursery with whoever holds the other end of its
standard input, however that one ended.
"""

import json
import os
import signal
import sys
from importlib import import_module
from typing import Any

from regulars.embedded import _die_with_parent


def load() -> None:
    """Everything that a process of any part imports."""
    for name in (
        "regulars.cli",
        "regulars.processes",
        "bot.app",
        "bot.intake",
        "bot.sender",
        "scheduler.leader",
        "admin_web.app",
    ):
        import_module(name)


def become(wish: dict[str, Any], *, fresh: bool) -> None:
    """In the child: be what is wished, until the end."""
    for target, path in ((0, os.devnull), (1, wish["log"]), (2, wish["log"])):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), target)
    if fresh:
        os.execve(sys.executable, [sys.executable, "-m", "regulars", *wish["arguments"]], wish["environment"])
    os.environ.clear()
    os.environ.update(wish["environment"])
    sys.argv = ["regulars", *wish["arguments"]]
    from regulars.cli import main

    main()


def serve() -> None:
    """Until the other end of standard input is gone."""
    # Nobody waits for the children here: the kernel clears them away.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if "fork" in sys.argv:
        load()
    for line in sys.stdin:
        wish = json.loads(line)
        end_with_us = _die_with_parent(signal.SIGKILL)
        pid = os.fork()
        if pid == 0:
            try:
                end_with_us()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                become(wish, fresh="fork" not in sys.argv)
            finally:
                os._exit(1)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
