"""The command as a person runs it: a process of its own."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from urllib.parse import urlsplit

import asyncpg
import pytest
from pydantic import SecretStr

from loyalty.db import is_migrated, knows_cyrillic, why_not_opened
from regulars.demo import demo_settings, simulator_beside
from tests.builders import a_customer
from tests.conftest import command, in_own_loop, other_database

REGULARS = [sys.executable, "-m", "regulars"]


@pytest.fixture
def refusals(environment) -> Callable[..., list[str]]:
    """What commands that fail say to a base, all asked at once."""

    def ask(database_url: str, *lines: str) -> list[str]:
        environment["DATABASE_URL"] = database_url
        processes = [
            subprocess.Popen(
                [*REGULARS, *line.split()], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            for line in lines
        ]
        said = ["".join(process.communicate(timeout=60)) for process in processes]
        assert [process.returncode for process in processes] == [1] * len(lines)
        return said

    return ask


@pytest.fixture
def make_blank(servers, worker_number) -> Callable[..., str]:
    """Make a database without a table, as PostgreSQL's CREATE DATABASE has it."""

    def make(name: str, options: str = "") -> str:
        in_own_loop(lambda: command(servers.database_url, f'CREATE DATABASE "{name}_{worker_number}" {options}'))
        return other_database(servers.database_url, f"{name}_{worker_number}")

    return make


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
        [*REGULARS, "run", "web"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
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
    first = regulars("seed", "--customers", "30")
    assert first.returncode == 0
    assert first.stdout.splitlines()[-1].startswith("The passwords of olga@ladno.example, ")
    again = regulars("seed", "--customers", "30")
    assert (again.returncode, again.stderr) == (
        1,
        "This base has customers already; made-up ones go only into an empty base.\n",
    )
    proof = regulars("verify")
    assert proof.returncode == 0, proof.stdout
    assert proof.stdout.startswith("No differences. Checked 30 customers")


def test_a_fast_seed_says_how_far_it_is_and_verify_agrees(regulars):
    filled = regulars("seed", "--fast", "--customers", "30")
    assert filled.returncode == 0, filled.stderr
    assert filled.stdout.splitlines()[0] == "30 of 30 lives"
    assert regulars("seed", "--fast").returncode == 1
    proof = regulars("verify")
    assert proof.stdout.startswith("No differences. Checked 30 customers")


async def test_explain_says_where_bonuses_went(regulars):
    customer = await a_customer(phone="+79165550199", bonuses=200_00)
    answer = regulars("explain", "+7 916 555-01-99")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[0].startswith(f"Customer {customer.id}.")
    assert "made lot 1 (manual of 2026-03-10, 200, until 2027-03-10); 200 left" in answer.stdout
    assert customer.name not in answer.stdout
    nobody = regulars("explain", "+7 916 555-01-98")
    assert (nobody.returncode, nobody.stderr.strip()) == (1, "No customer has this id, phone or card number.")


async def test_verify_names_what_disagrees_and_fails(regulars, database):
    regulars("seed", "--customers", "5")
    await database.execute("UPDATE customer_facts SET balance = balance + 1 WHERE customer_id = 1")
    proof = regulars("verify")
    assert proof.returncode == 1
    assert "balance of customer 1" in proof.stdout


def test_a_base_that_cannot_be_opened_is_told_without_its_password(refusals):
    for said in refusals("postgres://someone:hunter2@127.0.0.1:1/shop", "migrate", "run scheduler"):
        assert said.startswith("The base at DATABASE_URL cannot be opened: 127.0.0.1:1: ")
        assert said.count("\n") == 1
        assert "hunter2" not in said


async def test_a_wrong_password_is_told_without_it(database_url):
    url = database_url.replace("://regulars:", "://regulars:wrong")
    with pytest.raises(asyncpg.InvalidPasswordError) as refused:
        await asyncpg.connect(url)
    said = why_not_opened(url, refused.value)
    assert said.endswith(': password authentication failed for user "regulars"')
    assert "wrong" not in said


def test_a_base_of_another_version_is_told_with_the_way_out(refusals, make_blank):
    for said in refusals(make_blank("blank"), "verify", "staff add a@shop.example --role owner", "run scheduler"):
        assert said == "The base is not at this version: run regulars migrate.\n"


async def test_a_base_that_lacks_the_last_migration_is_of_another_version(database):
    assert await is_migrated()
    rename = "UPDATE tortoise_migrations SET name = $2 WHERE name = $1"
    last = await database.fetchval("SELECT max(name) FROM tortoise_migrations")
    await database.execute(rename, last, "another")
    try:
        assert not await is_migrated()
    finally:
        await database.execute(rename, "another", last)


def test_a_role_without_rights_is_told_so(refusals, make_blank, servers, worker_number):
    role = f"stranger_{worker_number}"
    in_own_loop(lambda: command(servers.database_url, f"CREATE ROLE {role} LOGIN PASSWORD 'strange'"))
    address = urlsplit(make_blank("closed"))
    url = address._replace(netloc=f"{role}:strange@{address.hostname}:{address.port}").geturl()
    assert refusals(url, "migrate") == [
        "The role of DATABASE_URL must own the base: permission denied for schema public.\n"
    ]


async def test_a_base_that_knows_no_cyrillic_is_refused(database, refusals, make_blank):
    assert await knows_cyrillic()
    # Case alone would do here; trigrams would not.
    url = make_blank("letters", "TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_CTYPE 'C'")
    (said,) = refusals(url, "migrate")
    assert said.endswith("TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'\n")


def test_the_demo_never_touches_the_base_of_the_shop(settings):
    demo = demo_settings(settings)
    assert demo.database_url is None
    assert demo.home == settings.home / "demo"


def test_the_demo_talks_to_messengers_of_its_own_on_its_own_port(settings):
    real = settings.model_copy(update={"whatsapp_access_token": SecretStr("real"), "host": "0.0.0.0"})
    demo = demo_settings(real)
    assert demo.telegram_api_url == f"http://127.0.0.1:{settings.port}/simulator/telegram"
    assert demo.whatsapp_api_url == f"http://127.0.0.1:{settings.port}/simulator/whatsapp/v25.0"
    assert demo.whatsapp_access_token != real.whatsapp_access_token
    assert demo.sms_url is not None
    assert demo.sms_body is not None
    assert demo.sms_url.get_secret_value() == f"http://127.0.0.1:{settings.port}/simulator/sms/send"
    assert f"http://127.0.0.1:{settings.port}/webhooks/sms?key=" in demo.sms_body.get_secret_value()
    assert (demo.smtp_host, demo.smtp_security) == ("127.0.0.1", "none")
    assert set(simulator_beside(demo).apps) == {"/simulator"}


def test_a_demo_that_others_may_reach_has_a_simulator_all_the_same(settings):
    demo = demo_settings(settings.model_copy(update={"host": "192.0.2.1"}))
    assert set(simulator_beside(demo).apps) == {"/simulator"}
