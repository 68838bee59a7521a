"""A real browser against a real server process. A test fails on any page error, console error or CSP violation.

The server runs in a process of its own, because Playwright's synchronous interface and aiohttp cannot share a
loop. Data are written through the house's own actions before the server looks.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from loyalty.clock import system_now
from tests.conftest import ROOT, SECRET_KEY, in_own_loop

REGULARS = str(Path(sys.executable).with_name("regulars"))
PASSWORD = "a phrase to keep"
OWNER = "owner@example.com"
CASHIER = "cashier@example.com"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
LAUNCH_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
AXE = Axe()
EVERYTHING = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
# The browser itself reports answers that refuse; a refusal under test is no fault of the page.
EXPECTED_ANSWERS = tuple(f"status of {status} " for status in (401, 403, 404, 409, 410, 422, 429))

# What the browser and htmx say when an answer is lost on purpose.
LOST_ANSWERS = ("net::ERR_", "htmx:afterRequest", "htmx:sendError")


@dataclass(frozen=True, slots=True)
class Site:
    """The running server, and a way to write into its base."""

    url: str
    database_url: str
    redis_url: str = ""

    def do(self, work: Callable[[], Awaitable[Any]]) -> None:
        """Run actions of the house against the site's base."""

        async def with_database() -> None:
            from loyalty.db import close_database, open_database

            await open_database(self.database_url)
            try:
                await work()
            finally:
                await close_database()

        in_own_loop(with_database)

    def ring(self, topic: str, *, after: Callable[[], Awaitable[Any]]) -> None:
        """Run actions, and ring as a process of the house does when they are committed."""

        async def loudly() -> None:
            from loyalty.bell import hung

            async with hung(self.redis_url) as bell:
                await after()
                bell.ring(topic)

        self.do(loudly)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def site(
    make_database: Callable[[str], str],
    redis_address: str,
    tmp_path_factory: pytest.TempPathFactory,
    worker_number: int,
) -> Iterator[Site]:
    """One server for each worker of the run, with an owner, a cashier and two locations."""
    database_url, port = make_database(f"browser_{worker_number}"), free_port()
    log = tmp_path_factory.mktemp("browser") / "server.log"
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_address,
        "REGULARS_SECRET_KEY": SECRET_KEY,
        "REGULARS_PORT": str(port),
    }
    site = Site(f"http://127.0.0.1:{port}", database_url, redis_address)
    site.do(first_people)
    command = [REGULARS, "run", "web"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_until_ready(site.url, server, log)
        yield site
    finally:
        server.terminate()
        server.wait(20)


async def first_people() -> None:
    """What most pages need to have something to show."""
    from loyalty.shop.actions import add_location, update_shop
    from loyalty.staff.actions import accept_invitation, invite
    from loyalty.staff.rules import COMMAND, Role

    # In the past: a session must not look older than the password it was begun with.
    now = system_now() - timedelta(minutes=5)
    for email, name, role in ((OWNER, "Ольга Кравец", Role.OWNER), (CASHIER, "Тимур Волков", Role.CASHIER)):
        token = await invite(email, name, role, actor=COMMAND, now=now)
        await accept_invitation(token, PASSWORD, now=now)
    await invite("new@example.com", "Полина Белова", Role.MARKETER, actor=COMMAND, now=now)
    await update_shop(
        name="Кофейня «Ладно»",
        currency="RUB",
        region="RU",
        language="ru",
        time_zone="Europe/Moscow",
        actor=COMMAND,
        now=now,
    )
    for name, address in (("Тверская, 12", "Москва, Тверская улица, 12"), ("Невский, 88", "")):
        await add_location(name=name, address=address, time_zone="Europe/Moscow", actor=COMMAND, now=now)


def wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"the server ended:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the server is not ready:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    started = playwright.chromium.launch(executable_path=chromium, args=LAUNCH_FLAGS)
    yield started
    started.close()


@pytest.fixture
def open_page(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Open a page of a new browser profile: `open_page(viewport=PHONE, locale="ru", dark=True)`."""
    contexts, complaints = [], []
    losing = request.node.get_closest_marker("loses_answers") is not None

    def open_one(*, viewport: Any = DESKTOP, locale: str = "en", dark: bool = False, scripts: bool = True) -> Page:
        context = browser.new_context(
            base_url=site.url,
            viewport=viewport,
            locale=locale,
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation',"
            " e => console.error('CSP', e.effectiveDirective, e.blockedURI, e.sourceFile, e.lineNumber))"
        )
        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        page.on("console", lambda message: complaints.append(message.text) if is_fault(message, losing) else None)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not complaints, complaints


@pytest.fixture(scope="session")
def demo() -> Iterator[tuple[str, dict[str, str]]]:
    """`regulars demo` as a newcomer starts it, with few customers; its address, and its environment."""
    with tempfile.TemporaryDirectory(prefix="regulars-demo-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # the servers may enter when the tests run as root
        yield from _demo(home)


def _demo(home: Path) -> Iterator[tuple[str, dict[str, str]]]:
    port = free_port()
    environment = {**os.environ, "REGULARS_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    for name in ("DATABASE_URL", "REDIS_URL", "REGULARS_SECRET_KEY", "TELEGRAM_BOT_TOKEN"):
        environment.pop(name, None)
    command = [REGULARS, "demo", "--customers", "30", "--port", str(port)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env=environment, cwd=ROOT, **pipes) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if f":{port}/simulator" in line:
                break
        assert process.poll() is None, "".join(said)
        yield f"http://127.0.0.1:{port}", {**environment, "REGULARS_HOME": str(home / "demo")}
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(30) == 0
    # Nothing went wrong behind the pages either: the demo logs only that.
    assert "error" not in rest, rest


@pytest.fixture
def open_at(browser: Browser, demo) -> Iterator[Callable[..., Page]]:
    """A browser of somebody: `open_at("/simulator", PHONE, "ru")`."""
    contexts, complaints = [], []

    def open_one(path: str, viewport, locale: str) -> Page:
        context = browser.new_context(base_url=demo[0], viewport=viewport, locale=locale, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        page.on("console", lambda message: complaints.append(message.text) if is_fault(message, False) else None)
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def is_fault(message: Any, losing: bool) -> bool:
    expected = EXPECTED_ANSWERS + (LOST_ANSWERS if losing else ())
    return message.type == "error" and not any(answer in message.text for answer in expected)


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A desktop page in English."""
    return open_page()


def sign_in(page: Page, email: str = OWNER) -> Page:
    page.goto("/login")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.click("button.pri")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def check_accessible(page: Page) -> None:
    """axe finds nothing at WCAG 2.2 AA, in light and in dark; only colours are asked for twice."""
    page.evaluate(AXE.axe_script)
    for is_dark, rules in ((True, COLOURS), (False, EVERYTHING)):
        page.emulate_media(color_scheme="dark" if is_dark else "light")
        options = {"runOnly": rules, "resultTypes": ["violations"]}
        results = AxeResults(page.evaluate("options => axe.run(options)", options))
        assert results.violations_count == 0, f"{page.url}, dark: {is_dark}\n{results.generate_report()}"
    page.emulate_media(color_scheme="null")


def check_no_sideways_scroll(page: Page) -> None:
    """The page is not wider than its window."""
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1], f"{page.url}: {widths}"
