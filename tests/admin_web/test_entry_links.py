"""Entry links in the panel: the list, the form, one link with its codes, files and the sheet to print."""

import io
import re

import pytest
import segno
import zxingcpp
from PIL import Image
from pydantic import SecretStr

from admin_web.chat_links import PIXELS
from admin_web.keys import SETTINGS
from loyalty.conversations.actions.links import keep_link
from loyalty.customers.actions.entry_links import add_entry_link, keep_entry_link, open_entry_link
from loyalty.customers.queries.entry_links import PAGE_ROWS, EntryLinkView, entry_link, entry_links
from loyalty.shop.actions import close_location
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_location, a_sale, an_account

PATH = "/settings/entry-links"
HTMX = {"HX-Request": "true"}
MARKUP = '<b>"Tables"</b>'


@pytest.fixture
async def owner(panel, sign_in_as):
    await sign_in_as()
    return panel


@pytest.fixture
async def with_bots(panel):
    """Both messengers have told how people come to them."""
    ours = {
        "telegram_bot_token": SecretStr("77:secret"),
        "whatsapp_access_token": SecretStr("w"),
        "whatsapp_phone_number_id": "5",
    }
    panel.app._state[SETTINGS] = panel.app[SETTINGS].model_copy(update=ours)
    await keep_link("telegram:77", "https://t.me/ladno_bot?start=", now=START)
    await keep_link("whatsapp:5", "https://wa.me/79160000000?text=%2Fstart%20", now=START)


async def a_link(name: str = "Tables", source: str = "tables", location_id: int | None = None) -> EntryLinkView:
    link_id = await add_entry_link(name, source, location_id=location_id, actor=COMMAND, now=START)
    return (await entry_link(link_id))[0]


async def text(panel, path: str, **more: object) -> str:
    answer = await panel.get(path, **more)
    assert answer.status == 200, path
    return str(await answer.text())


async def test_the_first_link_is_made_and_shown_without_a_messenger(owner):
    assert "No entry links yet" in await text(owner, PATH)
    place = await a_location(name="Tverskaya")
    closed = await a_location(name="Closed one")
    await close_location(closed, actor=COMMAND, now=START)
    form = await text(owner, f"{PATH}/new")
    assert "Tverskaya" in form
    assert "Closed one" not in form
    values = {"name": MARKUP, "source": "Table tents", "location": str(place)}
    page = await (await owner.post(f"{PATH}/new", data=values)).text()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page.partition("kpis")[0].partition("<h1>")[2].partition("</h1>")[0]
    assert "No messenger is connected" in page
    assert "/sheet" not in page
    [(link, _)], _ = await entry_links()
    assert (link.source, link.location_name, link.staff_name) == ("Table tents", "Tverskaya", "Olga Kim")
    assert f"{PATH}/{link.id}" in await text(owner, PATH)


async def test_what_is_wrong_with_a_link_stands_beside_its_field(owner):
    answer = await owner.post(f"{PATH}/new", data={"name": "", "source": "x", "location": ""}, headers=HTMX)
    words = await answer.text()
    assert (answer.status, 'id="name-error"' in words, words.strip().startswith("<form")) == (422, True, True)
    answer = await owner.post(f"{PATH}/new", data={"name": "x", "source": "y" * 41, "location": ""})
    assert (answer.status, 'id="source-error"' in await answer.text()) == (422, True)
    answer = await owner.post(f"{PATH}/new", data={"name": "x", "source": "y", "location": "999"})
    assert (answer.status, "Choose one of the list." in await answer.text()) == (422, True)
    assert await entry_links() == ([], None)


async def test_a_link_is_changed_deleted_and_brought_back(owner):
    link = await a_link()
    assert 'value="Tables"' in await text(owner, f"{PATH}/{link.id}/edit")
    await owner.post(f"{PATH}/{link.id}/edit", data={"name": "Window", "source": "tables", "location": ""})
    changed = (await entry_link(link.id))[0]
    assert (changed.name, changed.code) == ("Window", link.code)
    gone = await (await owner.post(f"{PATH}/{link.id}/delete")).text()
    assert f"{PATH}/{link.id}/restore" in gone
    assert "Window" not in gone
    assert "not shown in the list any more" in await text(owner, f"{PATH}/{link.id}")
    assert (await owner.get(f"{PATH}/{link.id}/edit")).status == 404
    assert "Window" in await (await owner.post(f"{PATH}/{link.id}/restore")).text()
    journal = await text(owner, "/journal")
    for act in ("Entry link changed", "Entry link deleted", "Entry link brought back"):
        assert act in journal


async def test_the_list_counts_and_filters_and_goes_on(owner):
    place = await a_location(name="Tverskaya")
    link = await a_link("Tables", "tables", place)
    for _ in range(4):
        await open_entry_link(link.code, await an_account(), now=START)
    people = [await a_customer() for _ in range(2)]
    for person in people:
        await keep_entry_link(person.id, link.id, actor=COMMAND, now=START)
    await a_sale(people[0].id, place, 100_00)
    await a_link("Post", "instagram")
    page = await text(owner, PATH)
    assert [re.sub(r"<[^>]+>|\s", "", cell) for cell in re.findall(r'<td class="r num">(.*?)</td>', page)] == [
        "0", "0", "0", "4", "250%", "150%",
    ]  # fmt: skip
    here = await text(owner, PATH, params={"location": str(place)}, headers=HTMX | {"HX-Target": "results"})
    assert here.strip().startswith('<div class="results"')
    assert ("Tables" in here, "Post" in here) == (True, False)
    there = await text(owner, PATH, params={"source": "instagram"})
    assert (">Tables<" in there, ">Post<" in there) == (False, True)
    both = await text(owner, PATH, params={"source": "instagram", "location": str(place)})
    assert "No links like this" in both
    for odd in ({"location": "x'"}, {"source": "nothing"}, {"before": "9" * 30}, {"before": "-1"}):
        assert ">Tables<" in await text(owner, PATH, params=odd)
    for _ in range(PAGE_ROWS):
        await a_link("Flyer", "flyer")
    following = re.findall(rf"{PATH}\?before=\d+", await text(owner, PATH))[0]
    rest = await text(owner, following)
    assert (">Tables<" in rest, ">Flyer<" in rest) == (True, False)


@pytest.mark.usefixtures("with_bots")
async def test_a_link_has_an_address_and_codes_for_each_messenger(owner):
    link = await a_link()
    page = await text(owner, f"{PATH}/{link.id}")
    addresses = {
        "telegram": f"https://t.me/ladno_bot?start=e_{link.code}",
        "whatsapp": f"https://wa.me/79160000000?text=%2Fstart%20e_{link.code}",
    }
    assert page.count('class="entry-qr"') == 2
    for messenger, address in addresses.items():
        assert f'value="{address}"' in page
        answer = await owner.get(f"{PATH}/{link.id}/{messenger}.png")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{link.code}-{messenger}.png"'
        with Image.open(io.BytesIO(await answer.read())) as picture:
            assert (answer.content_type, picture.size) == ("image/png", (PIXELS, PIXELS))
            assert zxingcpp.read_barcodes(picture.convert("L"))[0].text == address
        answer = await owner.get(f"{PATH}/{link.id}/{messenger}.svg")
        drawing = io.BytesIO()
        segno.make_qr(address, error="m").save(drawing, kind="svg", scale=10, dark="#000", light="#fff")
        assert (answer.content_type, await answer.read()) == ("image/svg+xml", drawing.getvalue())
    for wrong in ("sms.png", "telegram.gif", "viber.svg"):
        assert (await owner.get(f"{PATH}/{link.id}/{wrong}")).status == 404


@pytest.mark.usefixtures("with_bots")
async def test_the_sheet_speaks_the_language_that_was_chosen(owner):
    link = await a_link()
    sheet = await text(owner, f"{PATH}/{link.id}/sheet")
    assert ("bonuses for every purchase" in sheet, sheet.count('class="entry-qr"')) == (True, 2)
    sheet = await text(owner, f"{PATH}/{link.id}/sheet", params={"language": "ru", "in": "whatsapp"})
    assert ("бонусы" in sheet, 'lang="ru"' in sheet, sheet.count('class="entry-qr"')) == (True, True, 1)
    assert "<figcaption>WhatsApp</figcaption>" in sheet
    odd = await text(owner, f"{PATH}/{link.id}/sheet", params={"language": "xx", "in": "viber"})
    assert ("bonuses for every purchase" in odd, odd.count('class="entry-qr"')) == (True, 2)


async def test_a_sheet_without_a_messenger_says_so(owner):
    link = await a_link()
    assert "No messenger is connected" in await text(owner, f"{PATH}/{link.id}/sheet")


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.OWNER, 200), (Role.MARKETER, 200), (Role.SUPPORT, 403), (Role.ANALYST, 403), (Role.CASHIER, 403)],
)
async def test_links_are_for_owners_and_marketers(panel, sign_in_as, role, status):
    link = await a_link()
    await sign_in_as(role)
    for path in (PATH, f"{PATH}/new", f"{PATH}/{link.id}", f"{PATH}/{link.id}/edit", f"{PATH}/{link.id}/sheet"):
        assert (await panel.get(path)).status == status, path
    values = {"name": "x", "source": "y", "location": ""}
    for path in (f"{PATH}/new", f"{PATH}/{link.id}/edit", f"{PATH}/{link.id}/delete", f"{PATH}/{link.id}/restore"):
        assert (await panel.post(path, data=values)).status == status, path


async def test_a_link_that_is_not_there_is_said_so(owner):
    for path in (f"{PATH}/999", f"{PATH}/999/edit", f"{PATH}/999/sheet", f"{PATH}/999/telegram.png"):
        assert (await owner.get(path)).status == 404, path
    assert "There is no such entry link." in await (await owner.get(f"{PATH}/999")).text()


async def test_the_card_says_by_which_link_its_customer_came(owner, sign_in_as):
    link, person, other = (
        await a_link(MARKUP, "flyer", await a_location(name="Arbat")),
        await a_customer(),
        await a_customer(),
    )
    await keep_entry_link(person.id, link.id, actor=COMMAND, now=START)
    tab = await text(owner, f"/customers/{person.id}?tab=registration")
    assert f'href="{PATH}/{link.id}"' in tab
    assert ("&lt;b&gt;" in tab, "flyer" in tab, "Arbat" in tab) == (True, True, True)
    assert "<dt>Entry link<" not in await text(owner, f"/customers/{other.id}?tab=registration")
    await sign_in_as(Role.ANALYST)
    tab = await text(owner, f"/customers/{person.id}?tab=registration")
    assert ("&lt;b&gt;" in tab, f'href="{PATH}/{link.id}"' in tab) == (True, False)
