"""Runs commands of `regulars` for tests that ask what a command says: each is wished for by a line of JSON.

Most of what a short command costs is loading libraries. Here each is a fork of this process, which has loaded them and
opened nothing, with the environment and the streams that were wished for; its exit code is the answer. That a command
also starts by itself is shown by the tests that start it so. The end of standard input ends this process.
"""

import json
import os
import sys
import traceback
from importlib import import_module
from typing import Any

from loyalty.db import MODELS

NAMES = (
    "regulars.cli",
    "regulars.backups",
    "regulars.demo",
    "regulars.explaining",
    "regulars.processes",
    "regulars.seed",
    "regulars.seed.fast",
    "regulars.servers",
    "loyalty.office.actions",
    "loyalty.office.queries.explain",
    *MODELS,
)


def become(wish: dict[str, Any]) -> int:
    """In the child: run the command; its exit code."""
    for target, path in ((0, os.devnull), (1, wish["out"]), (2, wish["err"])):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), target)
    os.environ.clear()
    os.environ.update(wish["environment"])
    sys.argv = ["regulars", *wish["arguments"]]
    from regulars.cli import main

    try:
        main()
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 0
    return 0


def serve() -> None:
    """Until the other end of standard input is gone, one command after the other."""
    for name in NAMES:
        import_module(name)
    for line in sys.stdin:
        wish = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                code = become(wish)
            except BaseException:  # noqa: BLE001  as the interpreter would end: with the reason on its stream
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
