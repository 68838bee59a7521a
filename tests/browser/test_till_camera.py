"""The till's camera, somebody who is not registered, and a connection that comes and goes."""

import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import segno
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, expect

from loyalty.clock import system_now
from tests.browser.conftest import (
    DESKTOP,
    LAUNCH_FLAGS,
    PASSWORD,
    PHONE,
    check_accessible,
    check_no_sideways_scroll,
    sign_in,
)

CASHIER = "camera-cashier@example.com"
SMALL_PHONE = {"width": 360, "height": 640}
CAMERA_FLAGS = ["--use-fake-device-for-media-stream"]

# What stands in for a browser that reads codes itself: Chromium does so on phones, not here.
DETECTOR = """
    window.seen = [];
    window.BarcodeDetector = class {
      static getSupportedFormats() { return Promise.resolve(["qr_code", "code_128"]); }
      detect(video) { return Promise.resolve(window.seen.map((rawValue) => ({ rawValue }))); }
    };
"""
# Keeps what the camera gave, to see that it is let go.
TRACKS = """
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    window.tracks = [];
    navigator.mediaDevices.getUserMedia = async (what) => {
      const stream = await ask(what);
      window.tracks.push(...stream.getTracks());
      return stream;
    };
"""


@pytest.fixture(scope="module")
def card(site) -> str:
    """The number of Olga's card; a cashier of one's own works where she buys."""
    made: list[str] = []

    async def fill() -> None:
        from loyalty.customers.actions.profile import add_customer
        from loyalty.customers.rules import Profile, Via
        from loyalty.staff.actions import accept_invitation, invite
        from loyalty.staff.rules import COMMAND, Role

        now = system_now() - timedelta(days=3)
        token = await invite(CASHIER, "Тимур Котов", Role.CASHIER, 1, actor=COMMAND, now=now)
        await accept_invitation(token, PASSWORD, now=now)
        profile = Profile("Ольга Смирнова", "+79265550101", None, "f", None, "ru", None)
        made.append((await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=now)).card_number)

    site.do(fill)
    return made[0]


@pytest.fixture(scope="module")
def browser(
    playwright: Playwright, chromium: str, card: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser in front of whose camera Olga holds her card."""
    film = tmp_path_factory.mktemp("camera") / "card.y4m"
    film.write_bytes(film_of(card))
    flags = [*LAUNCH_FLAGS, *CAMERA_FLAGS, f"--use-file-for-fake-video-capture={film}"]
    started = playwright.chromium.launch(executable_path=chromium, args=flags)
    yield started
    started.close()


def film_of(text: str) -> bytes:
    """A QR code held still, as raw video (YUV4MPEG2)."""
    drawn = io.BytesIO()
    segno.make(text, error="q", micro=False).save(drawn, kind="png", scale=9)
    frame = Image.new("L", (640, 480), 120)
    frame.paste(Image.open(drawn).convert("L"), (180, 90))
    grey = bytes([128]) * (320 * 240 * 2)
    return b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420mpeg2\n" + (b"FRAME\n" + frame.tobytes() + grey) * 2


@pytest.fixture
def till(open_page: Callable[..., Page], site) -> Callable[..., Page]:
    """Open the search of a cashier: `till(allowed=False)` where the camera is not."""

    def open_till(*, viewport=PHONE, allowed: bool = True, script: str = TRACKS, **more) -> Page:
        page = open_page(viewport=viewport, **more)
        if allowed:
            page.context.grant_permissions(["camera"], origin=site.url)
        page.add_init_script(script)
        sign_in(page, CASHIER)
        page.goto("/cashier")
        return page

    return open_till


def scan(page: Page) -> None:
    page.get_by_role("button", name="Scan", exact=True).click()


def released(page: Page) -> bool:
    states: list[str] = page.evaluate("window.tracks.map((track) => track.readyState)")
    return bool(states) and set(states) == {"ended"}


# ------------------------------------------------------------------------------------------- the camera


def test_pictures_of_the_camera_are_read_by_the_server_and_serve_the_customer(till):
    page = till()
    with page.expect_request("**/cashier/scan"):
        scan(page)
    page.wait_for_url("**/cashier/sale")
    expect(page.get_by_text("Ольга С.")).to_be_visible()


def test_a_browser_that_reads_codes_asks_no_server_and_passes_over_other_codes(till, card):
    page = till(script=TRACKS + DETECTOR)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/scan") else None)
    scan(page)
    expect(page.locator("video")).to_be_visible()
    page.evaluate("window.seen = ['https://example.com/menu']")
    expect(page.get_by_text("This is no card of ours.")).to_be_visible()
    page.evaluate("(number) => { window.seen = [number]; }", card)
    page.wait_for_url("**/cashier/sale")
    assert asked == []


@pytest.mark.parametrize("way", ["Escape", "button"])
def test_the_camera_is_let_go_when_it_is_closed(till, way):
    page = till(script=TRACKS + DETECTOR)
    scan(page)
    expect(page.locator("video")).to_be_visible()
    check_accessible(page)
    assert not released(page)
    if way == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name="Close the camera").click()
    expect(page.locator("video")).to_be_hidden()
    assert released(page)
    expect(page.locator("#padval")).to_be_visible()
    scan(page)
    expect(page.locator("video")).to_be_visible()


def test_a_camera_that_is_not_allowed_is_told_in_plain_words(till):
    page = till(allowed=False)
    scan(page)
    expect(page.get_by_text("The camera is not allowed here.")).to_be_visible()
    expect(page.locator("#padval")).to_be_visible()


def test_a_page_that_is_not_secure_says_why_the_camera_is_off(till):
    hide = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"
    page = till(script=hide + "Object.defineProperty(window, 'isSecureContext', { value: false });")
    scan(page)
    expect(page.get_by_text("only when the page is opened over https")).to_be_visible()
    without = till(script=hide)
    expect(without.locator("[data-scan=open]")).to_be_hidden()


# ------------------------------------------------------------------------------------------- not registered


def press(page: Page, digits: str) -> None:
    for digit in digits:
        page.locator(f"[data-key='{digit}']").click()


def check_thumbs(page: Page) -> None:
    """Everything that can be pressed is at least 44 px in both directions."""
    small = page.evaluate(
        "[...document.querySelectorAll('button, a, input:not([type=hidden])')]"
        ".filter(e => e.offsetHeight && (e.offsetHeight < 44 || e.offsetWidth < 44)).map(e => e.outerHTML.slice(0, 80))"
    )
    assert small == []


def test_the_sale_of_somebody_not_registered_waits_and_the_page_turns_when_they_come(till, site):
    page = till(viewport=SMALL_PHONE, locale="ru")
    check_thumbs(page)
    check_no_sideways_scroll(page)
    press(page, "89265550177")
    page.get_by_role("button", name="Найти клиента").click()
    check_thumbs(page)
    check_accessible(page)
    page.get_by_role("link", name="Продолжить без регистрации").click()
    press(page, "1840")
    check_accessible(page)
    keep = page.get_by_role("button", name=re.compile("Отложить для ···0177: 1.840"))
    expect(keep).to_be_in_viewport(ratio=1)
    keep.click()
    page.wait_for_url("**/cashier/join/*")
    expect(page.get_by_role("status").first).to_contain_text(re.compile("1.840"))
    check_thumbs(page)
    check_accessible(page)

    async def register() -> None:
        from loyalty.customers.actions.profile import add_customer
        from loyalty.customers.rules import Profile, Via
        from loyalty.receipts.actions.waiting import credit_waiting_sales
        from loyalty.staff.rules import COMMAND

        profile = Profile("Мария Соколова", "+79265550177", None, "f", None, "ru", None)
        person = await add_customer(profile, via=Via.TELEGRAM, actor=COMMAND, now=system_now(), phone_verified=True)
        await credit_waiting_sales(person.id, now=system_now())

    site.do(register)
    expect(page.get_by_text("Начислено: Мария С.")).to_be_visible()
    check_accessible(page)


@pytest.mark.parametrize("viewport", [SMALL_PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_screens_of_somebody_not_registered_can_be_used_by_everybody(till, viewport):
    page = till(viewport=viewport)
    check_accessible(page)
    page.fill("#padval", "89265551000" if viewport is DESKTOP else "89265551001")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Go on without registering")).to_be_visible()
    check_accessible(page)
    page.get_by_role("link", name="Go on without registering").click()
    page.wait_for_url("**/cashier/join")
    page.keyboard.type("350")
    page.get_by_role("button", name=re.compile("Keep for")).click()
    page.wait_for_url("**/cashier/join/*")
    check_accessible(page)
    page.goto("/cashier/shift")
    expect(page.get_by_text("waits").first).to_be_visible()
    check_accessible(page)
    check_no_sideways_scroll(page)
    page.goto("/cashier")
    page.get_by_role("link", name="Not registered").click()
    expect(page.get_by_text("There is no code to scan")).to_be_visible()
    check_accessible(page)


# ------------------------------------------------------------------------------------------- the connection


@pytest.mark.loses_answers
def test_a_lost_connection_is_told_and_nothing_typed_is_lost(till):
    page = till()
    bar = page.get_by_text("No connection.")
    page.fill("#padval", "89265550101")
    page.context.set_offline(True)
    expect(bar).to_be_visible()
    check_accessible(page)
    page.get_by_role("button", name="Find customer").click()
    page.get_by_role("link", name="My shift").click()
    expect(page.locator("#padval")).to_have_value("89265550101")
    page.context.set_offline(False)
    expect(bar).to_be_hidden()
    page.get_by_role("button", name="Find customer").click()
    page.wait_for_url("**/cashier/sale")


@pytest.mark.loses_answers
def test_a_sale_pressed_without_a_connection_is_taken_once_when_it_is_back(till):
    page = till()
    page.fill("#padval", "89265550101")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cashier/sale")
    press(page, "350")
    take = page.get_by_role("button", name=re.compile("Take 350"))
    expect(take).to_be_visible()
    page.context.set_offline(True)
    take.click()
    expect(page.get_by_text("No connection.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("No connection.")).to_be_hidden()
    take.click()
    page.wait_for_url("**/cashier/receipts/*")


@pytest.mark.loses_answers
def test_a_server_that_does_not_answer_is_told_until_it_does(till):
    page = till()
    page.fill("#padval", "89265550101")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cashier/sale")
    page.route("**/health/ready", lambda route: route.abort("connectionrefused"))
    page.route("**/cashier/quote", lambda route: route.abort("connectionrefused"), times=1)
    press(page, "1")
    expect(page.get_by_text("No connection.")).to_be_visible()
    page.unroute("**/health/ready")
    expect(page.get_by_text("No connection.")).to_be_hidden()
