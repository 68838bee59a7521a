"""The till's API against its own OpenAPI document: whatever is sent, no fault, and no answer it does not name."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from loyalty.clock import system_now
from loyalty.staff.actions import add_key
from loyalty.staff.rules import COMMAND, Scope
from tests.bot.conftest import until
from tests.builders import a_customer, a_location, an_account, assert_books_agree
from tests.conftest import ROOT
from tests.proofs.conftest import sized
from tests.proofs.test_tills import free_ports

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1500)]

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,ignored_auth,unsupported_method"
)


async def test_no_request_breaks_the_api_or_is_answered_otherwise_than_the_document_says(processes, tmp_path):
    location = await a_location()
    for _ in range(5):
        await an_account((await a_customer(bonuses=100_000_00)).id)
    assert location == 1, "the document's examples name it"
    key = await add_key("Till", set(Scope), None, actor=COMMAND, now=system_now())
    port = free_ports()[0]
    web = await processes.start("web", REGULARS_PORT=str(port), REGULARS_API_RATE="60000")
    await until(lambda: web.has_said("started") or not web.is_alive())
    assert await answer_to(port, b"POST /api/v1/quote HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n") == 400
    done = await asyncio.to_thread(run_schemathesis, port, key, tmp_path)
    assert done.returncode == 0, done.stdout[-8000:]
    errors = [line for line in web.log.read_text().splitlines() if '"level": "err' in line]
    assert [line for line in errors if '"kind": "BadHttpMessage"' not in line] == []
    await assert_books_agree(now=system_now())


async def answer_to(port: int, request: bytes) -> int:
    """The status that a request gets which no library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    status = (await reader.readline()).split()[1]
    writer.close()
    return int(status)


def run_schemathesis(port: int, key: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Its own command, as anybody would run it against the served document."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", "--no-color", "--checks", CHECKS,
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(sized(4, 100)), "--generation-deterministic",
        "--request-timeout", "20", "--continue-on-failure", "--suppress-health-check",
        "all", "--warnings", "off", "--header", f"Authorization: Bearer {key}",
        f"http://127.0.0.1:{port}/api/v1/openapi.json"]  # fmt: skip
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=plain_environment())


def plain_environment() -> dict[str, str]:
    return {"PATH": str(Path(sys.executable).parent), "HOME": str(ROOT), "LANG": "C.UTF-8", "NO_PROXY": "127.0.0.1"}
