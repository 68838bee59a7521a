import asyncio
import io
import json

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from admin_web.app import build_app
from admin_web.assets import assets
from admin_web.pages import PAGES
from loyalty.errors import Conflict, Invalid, NotFound, Refused
from loyalty.staff.rules import Role
from tests.admin_web.conftest import send_login
from tests.bot.conftest import until

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FAULTS = {
    "/missing": NotFound("customer"),
    "/wrong": Invalid("name", "too_long", limit=100),
    "/refused": Refused("not_enough_bonuses", available=104_000),
    "/conflict": Conflict("key_was_used"),
    "/broken": RuntimeError("the phone +79990001122 is in this row"),
    "/starting": asyncpg.CannotConnectNowError("the database system is starting up"),
    "/stopped": asyncpg.AdminShutdownError("terminating connection due to administrator command"),
    "/cut": asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
}


@pytest.fixture
async def faulty(database, settings):
    """The panel with addresses that fail in each of the house's ways."""
    app = await build_app(settings)

    def failing(error):
        async def handler(_):
            raise error

        return handler

    app.add_routes([web.get(path, failing(error)) for path, error in FAULTS.items()])
    headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "en", "Accept": "text/html"}
    async with TestClient(TestServer(app), headers=headers) as client:
        yield client


async def test_every_answer_carries_the_policy(panel):
    for path in ("/login", "/nothing", "/health/live", assets()["app.css"].url):
        headers = (await panel.get(path)).headers
        assert headers["Content-Security-Policy"] == CSP
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Permissions-Policy"] == "camera=()"
        assert "Strict-Transport-Security" not in headers
        assert len(headers["X-Request-ID"]) == 16


async def test_the_camera_is_for_the_till_alone(panel):
    for path, policy in (("/cashier", "camera=(self)"), ("/cashier/sale", "camera=(self)"), ("/cashiers", "camera=()")):
        answer = await panel.get(path, allow_redirects=False)
        assert answer.headers["Permissions-Policy"] == policy


async def test_pages_are_not_kept_and_files_are_kept_for_ever(panel):
    assert (await panel.get("/login")).headers["Cache-Control"] == "no-store"
    for name in ("app.css", "app.js", "htmx.js"):
        answer = await panel.get(assets()[name].url)
        assert "immutable" in answer.headers["Cache-Control"]
    stale = await panel.get("/s/000000000000/app.css")
    assert (stale.status, stale.headers["Cache-Control"]) == (200, "no-cache")


async def test_an_unknown_file_is_not_found(panel):
    assert (await panel.get("/s/000000000000/..%2fapp.py")).status == 404


async def test_pages_and_files_travel_packed(panel):
    async with panel.session.get(panel.make_url("/login"), headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert "<title>" in await answer.text()


async def test_a_page_differs_by_who_asks_for_it(panel):
    assert "HX-Request" in (await panel.get("/login")).headers["Vary"]


async def test_https_is_remembered_and_cookies_are_secure_behind_a_trusted_proxy(database, settings):
    secure = settings.model_copy(update={"public_url": "https://club.example.com"})
    headers = {"Sec-Fetch-Site": "same-origin", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.5"}
    async with TestClient(TestServer(await build_app(secure)), headers=headers) as client:
        answer = await client.get("/login?lang=ru", allow_redirects=False)
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


async def test_a_session_cookie_is_secure_when_the_panel_is_open_at_https(database, settings, hire):
    person = await hire()
    secure = settings.model_copy(update={"public_url": "https://club.example.com"})
    async with TestClient(TestServer(await build_app(secure)), headers={"Sec-Fetch-Site": "none"}) as client:
        assert (await send_login(client, person.email)).cookies["regulars"]["secure"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "OWN"}, 403),
        ({"Origin": "OWN"}, 303),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
async def test_a_write_from_another_site_is_refused(database, settings, headers, status):
    async with TestClient(TestServer(await build_app(settings))) as client:
        own = str(client.make_url("/")).rstrip("/")
        sent = {name: value.replace("OWN", own) for name, value in headers.items()}
        answer = await client.post("/logout", headers=sent, allow_redirects=False)
        assert answer.status == status


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/missing", 404, "There is no such customer."),
        ("/wrong", 422, "At most 100 characters."),
        ("/refused", 409, "There are only 1,040 bonuses to use."),
        ("/conflict", 409, "This operation was made before with other figures."),
        ("/broken", 500, "Something broke on our side"),
        ("/starting", 503, "A server we need does not answer."),
        ("/stopped", 503, "A server we need does not answer."),
        ("/cut", 503, "A server we need does not answer."),
        ("/nothing", 404, "There is nothing here"),
    ],
)
async def test_an_error_is_a_page_a_toast_or_json_by_who_asks(faulty, path, status, words):
    page = await faulty.get(path)
    assert (page.status, page.content_type) == (status, "text/html")
    assert words in await page.text()
    part = await faulty.get(path, headers={"HX-Request": "true"})
    assert (part.status, part.headers["HX-Reswap"], await part.text()) == (status, "none", "")
    assert json.loads(part.headers["HX-Trigger"])["toast"]["kind"] == "bad"
    program = await faulty.get(path, headers={"Accept": "application/json"})
    assert (program.status, program.content_type) == (status, "application/json")
    assert (await program.json())["error"]["request_id"] == program.headers["X-Request-ID"]


async def test_json_names_the_reason_the_field_and_the_figures(faulty):
    answer = await faulty.get("/wrong", headers={"Accept": "application/json"})
    error = (await answer.json())["error"]
    assert (error["reason"], error["field"], error["details"]) == ("too_long", "name", {"limit": 100})


async def test_a_fault_shows_its_number_and_no_data(faulty, caplog, capfd):
    answer = await faulty.get("/broken")
    text = await answer.text()
    assert answer.headers["X-Request-ID"] in text
    printed = "".join(capfd.readouterr()) + caplog.text
    for place in (text, printed):
        assert "79990001122" not in place
        assert "Traceback" not in place


async def test_a_big_body_is_refused(panel):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await panel.post("/login", data=io.BytesIO(b"email=" + b"a" * 1_100_000), headers=headers)
    assert answer.status == 413


async def test_a_body_that_is_not_encoded_as_it_says_is_refused(panel):
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
    answer = await panel.post("/login", data=b"email=a", headers=headers)
    assert answer.status == 400


def is_handling() -> bool:
    return any("_handle_request" in str(task.get_coro()) for task in asyncio.all_tasks())


async def test_whoever_hangs_up_amid_a_request_is_no_fault(database, settings, capfd):
    # As it runs in earnest: the tests' own server cancels whoever reads, and nothing would be raised.
    runner = web.AppRunner(await build_app(settings))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    _, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(b"POST /login HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 100\r\n")
    writer.write(b"Content-Type: application/x-www-form-urlencoded\r\n\r\nemail=a")
    await writer.drain()
    await until(is_handling)
    await asyncio.sleep(0.3)  # it reads by now
    writer.transport.abort()
    await until(lambda: not is_handling())
    await runner.cleanup()
    assert "fault" not in "".join(capfd.readouterr())


async def test_a_nul_in_a_form_is_refused_before_the_base_sees_it(panel):
    answer = await panel.post("/login", data={"email": "a\x00b", "password": "b"})
    assert answer.status == 400


async def test_the_wrong_method_names_the_right_ones(panel):
    answer = await panel.post("/health/live")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")


@pytest.mark.parametrize(
    ("header", "cookie", "language"),
    [
        ("ru", None, "ru"),
        ("uk-UA,uk;q=0.9,en;q=0.5", None, "uk"),
        ("fr,en;q=0.2,ru;q=0.8", None, "ru"),
        ("de", None, "ru"),
        ("", None, "ru"),
        ("ru", "en", "en"),
        ("ru;q=x", "zz", "ru"),
    ],
)
async def test_the_language_is_the_cookies_then_the_browsers_then_the_shops(panel, header, cookie, language):
    cookies = {"lang": cookie} if cookie else {}
    answer = await panel.get("/login", headers={"Accept-Language": header}, cookies=cookies)
    assert f'<html lang="{language}"' in await answer.text()


async def test_the_accounts_language_is_stronger_than_the_browsers(panel, sign_in_as):
    await sign_in_as()
    answer = await panel.post("/account/language", data={"language": "uk", "next": "/journal"}, allow_redirects=False)
    assert answer.headers["Location"] == "/journal"
    assert '<html lang="uk"' in await (await panel.get("/account")).text()


async def test_without_redis_a_page_says_so_in_plain_words(database, settings):
    lost = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    async with TestClient(TestServer(await build_app(lost)), headers={"Sec-Fetch-Site": "none"}) as client:
        answer = await client.get("/login", cookies={"regulars": "anything"}, headers={"Accept-Language": "en"})
        text = await answer.text()
        assert answer.status == 503
        assert "A server we need does not answer." in text
        assert "Traceback" not in text
        ready = await client.get("/health/ready")
        assert (ready.status, await ready.json()) == (
            503,
            {"status": "not available", "database": "ok", "redis": "not available"},
        )
        assert (await client.get("/health/live")).status == 200


async def test_health_is_open_and_figures_are_for_this_machine(panel):
    assert await (await panel.get("/health/ready")).json() == {"status": "ok", "database": "ok", "redis": "ok"}
    figures = await panel.get("/metrics")
    assert figures.status == 200
    assert 'route="/health/ready"' in await figures.text()
    assert (await panel.get("/metrics", headers={"X-Forwarded-For": "203.0.113.5"})).status == 403


async def test_figures_are_not_for_those_a_nameless_proxy_brings(database, settings):
    nameless = settings.model_copy(update={"trusted_proxies": ()})
    async with TestClient(TestServer(await build_app(nameless))) as client:
        assert (await client.get("/metrics")).status == 200
        assert (await client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})).status == 403


async def test_a_token_in_an_address_becomes_no_label(panel):
    await panel.get("/join/a-secret-token")
    assert "a-secret-token" not in await (await panel.get("/metrics")).text()


def test_every_handler_says_who_may_open_it():
    for module in PAGES:
        for route in module.ROUTES:
            assert hasattr(route.handler, "needs"), f"{module.__name__}: {route.handler.__name__}"


async def test_the_navigation_shows_only_what_opens(panel, sign_in_as):
    await sign_in_as(Role.CASHIER)
    text = await (await panel.get("/account")).text()
    for path in ("/settings/shop", "/settings/staff", "/journal", "/customers"):
        assert f'href="{path}"' not in text


async def test_many_pages_at_once_speak_each_to_their_own_reader(panel):
    async def language_of(wish):
        answer = await panel.get("/login", headers={"Accept-Language": wish})
        return f'<html lang="{wish}"' in await answer.text()

    assert all(await asyncio.gather(*(language_of(wish) for wish in ("en", "ru", "uk") * 10)))
