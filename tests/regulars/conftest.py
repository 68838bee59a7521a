"""The command as a person runs it."""

import os

import pytest


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
