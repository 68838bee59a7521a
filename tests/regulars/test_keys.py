"""Keys of other programs from the command line, as a process of its own."""

import subprocess
from collections.abc import Callable
from functools import partial

import pytest


@pytest.fixture
def key(regulars) -> Callable[..., subprocess.CompletedProcess]:
    return partial(regulars, "key")


def test_a_key_is_made_listed_and_revoked(key):
    made = key("add", "Bakery till", "--scope", "receipts.write", "--scope", "customers.read")
    text = made.stdout.strip()
    assert (made.returncode, len(text), text[:3]) == (0, 46, "rk_")
    listed = key("list").stdout
    assert listed == f"{text[:10]}  active  customers.read,receipts.write  locations all  used never  Bakery till\n"
    assert key("revoke", text[:10]).returncode == 0
    assert "  revoked  " in key("list").stdout
    assert key("revoke", text[:10]).stderr == f"No active keys begin with '{text[:10]}'; see regulars key list.\n"


def test_a_key_of_unknown_things_is_refused(key):
    answer = key("add", "Till", "--scope", "everything")
    assert answer.returncode == 1
    assert answer.stderr.startswith("There is no scope 'everything'; the scopes are: customers.read, ")
    assert key("add", "Till", "--scope", "receipts.read", "--location", "9").stderr == "Refused: location.\n"
