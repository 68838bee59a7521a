"""The command as a person runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import ROOT

Command = Callable[..., subprocess.CompletedProcess]


@pytest.fixture
def environment(database_url, redis_url, tmp_path, free_port) -> dict[str, str]:
    """What a process of ours is given: servers elsewhere, a key, a home and a port of its own."""
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "REGULARS_SECRET_KEY": "5c1b0f4e9a7d2386" * 2,
        "REGULARS_HOME": str(tmp_path),
        "REGULARS_PORT": str(free_port),
    }


@pytest.fixture(scope="session")
def loaded() -> Iterator["subprocess.Popen[str]"]:
    """The process that commands are forks of; see commands.py."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.regulars.commands"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    yield process
    process.communicate()


@pytest.fixture
def regulars(loaded, environment, database, tmp_path) -> Command:
    """Run the command with these arguments, in a process of its own, and wait for its end."""

    def run(*arguments: str) -> subprocess.CompletedProcess:
        streams = {"out": tmp_path / "stdout", "err": tmp_path / "stderr"}
        wish = {"arguments": arguments, "environment": environment, **{name: str(at) for name, at in streams.items()}}
        loaded.stdin.write(json.dumps(wish) + "\n")
        loaded.stdin.flush()
        code = int(loaded.stdout.readline())
        return subprocess.CompletedProcess(arguments, code, *(at.read_text() for at in streams.values()))

    return run
