"""The command as a person runs it: a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from regulars.demo import demo_settings

REGULARS = [sys.executable, "-m", "regulars"]


@pytest.fixture
def environment(database_url, redis_url, tmp_path, free_port):
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "REGULARS_SECRET_KEY": "5c1b0f4e9a7d2386" * 2,
        "REGULARS_HOME": str(tmp_path),
        "REGULARS_PORT": str(free_port),
    }


@pytest.fixture
def regulars(environment, database) -> Callable[..., subprocess.CompletedProcess]:
    def run(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([*REGULARS, *arguments], env=environment, capture_output=True, text=True, check=False)

    return run


def answered(url: str) -> int:
    """The status of the first answer."""
    end = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            assert time.monotonic() < end, "nobody answers"
            time.sleep(0.05)


@pytest.mark.parametrize("request_to_stop", [signal.SIGINT, signal.SIGTERM])
def test_run_serves_until_a_signal_and_leaves_in_order(environment, database, request_to_stop):
    process = subprocess.Popen(
        [*REGULARS, "run", "web"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert answered(f"http://127.0.0.1:{environment['REGULARS_PORT']}/login?email=someone@x.example") == 200
    process.send_signal(request_to_stop)
    said, logged = process.communicate(timeout=20)
    assert process.returncode == 0
    assert f"Regulars serves at http://127.0.0.1:{environment['REGULARS_PORT']}" in said.decode()
    assert b'"stopped"' in logged
    assert b"someone" not in logged


def test_a_taken_port_is_told_with_the_way_out(regulars, free_port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        for command in ("run", "demo"):
            answer = regulars(command)
            assert answer.returncode == 1
            assert answer.stderr.startswith(f"Port {free_port} on 127.0.0.1 is taken by another program.")
            assert f"--port {free_port + 1}" in answer.stderr


def test_an_unknown_part_is_refused(regulars):
    answer = regulars("run", "kitchen")
    assert (answer.returncode, answer.stderr) == (
        1,
        "There is no part 'kitchen'; the parts are: bot, scheduler, web, worker.\n",
    )


def test_an_invitation_is_a_link_that_works_and_no_password(regulars, environment):
    answer = regulars("staff", "add", "Owner@Shop.example", "--role", "owner")
    assert answer.returncode == 0
    link = answer.stdout.strip()
    assert link.startswith(f"http://127.0.0.1:{environment['REGULARS_PORT']}/join/")
    process = subprocess.Popen(
        [*REGULARS, "run"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        assert answered(link) == 200
    finally:
        process.terminate()
        process.wait()
    again = regulars("staff", "add", "owner@shop.example", "--role", "owner")
    assert (again.returncode, again.stderr) == (1, "email: email taken.\n")
    assert regulars("staff", "add", "b@shop.example", "--role", "boss").stderr.startswith("There is no role 'boss'")


def test_seed_fills_an_empty_base_once_and_verify_agrees(regulars):
    assert regulars("seed", "--customers", "30").returncode == 0
    again = regulars("seed", "--customers", "30")
    assert (again.returncode, again.stderr) == (
        1,
        "This base has customers already; made-up ones go only into an empty base.\n",
    )
    proof = regulars("verify")
    assert proof.returncode == 0, proof.stdout
    assert proof.stdout.startswith("No differences. Checked 30 customers")


async def test_verify_names_what_disagrees_and_fails(regulars, database):
    regulars("seed", "--customers", "5")
    await database.execute("UPDATE customer_facts SET balance = balance + 1 WHERE customer_id = 1")
    proof = regulars("verify")
    assert proof.returncode == 1
    assert "balance of customer 1" in proof.stdout


def test_a_base_that_cannot_be_opened_is_told_without_its_password(environment):
    environment["DATABASE_URL"] = "postgres://someone:hunter2@127.0.0.1:1/shop"
    answer = subprocess.run([*REGULARS, "migrate"], env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.startswith("The base at DATABASE_URL cannot be opened:")
    assert "hunter2" not in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_demo_never_touches_the_base_of_the_shop(settings):
    demo = demo_settings(settings)
    assert demo.database_url is None
    assert demo.home == settings.home / "demo"
