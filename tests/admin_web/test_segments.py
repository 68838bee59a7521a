import re

import pytest

from loyalty.segments.actions.segments import add_member, add_segment, archive_segment
from loyalty.segments.queries.segments import PAGE_ROWS, chips, members, segment
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.builders import a_cashier, a_customer, a_location, a_sale

HTMX = {"HX-Request": "true"}


async def text(panel, path: str, **headers: str) -> str:
    response = await panel.get(path, headers=headers)
    assert response.status == 200, (path, response.status)
    return await response.text()


async def a_segment(name: str = "Friends", *, at_till: bool = False) -> int:
    return await add_segment(SegmentDraft(name, "", at_till), actor=COMMAND, now=START)


async def put(segment_id: int, customer_id: int) -> None:
    await add_member(segment_id, customer_id, actor=COMMAND, now=START)


async def test_a_segment_lives_through_its_pages(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    assert "No segments yet" in await text(panel, "/segments")
    form = {"name": "Друзья <1>", "description": "По пятницам", "is_at_till": "1"}
    made = await panel.post("/segments/new", data=form, allow_redirects=False)
    path = made.headers["Location"]
    words = await text(panel, path)
    assert "Друзья &lt;1&gt;" in words
    assert "Nobody is in it yet" in words
    taken = await panel.post("/segments/new", data=form)
    assert taken.status == 422
    assert "Another segment in use has this name." in await taken.text()
    assert "По пятницам" in await text(panel, f"{path}/edit")
    await panel.post(f"{path}/edit", data={"name": "Friends"})
    view = await segment(int(path.rpartition("/")[2]))
    assert (view.name, view.description, view.is_at_till) == ("Friends", "", False)
    await panel.post(f"{path}/archive", allow_redirects=False)
    words = await text(panel, "/segments")
    assert f'data-undo-url="{path}/restore"' in words
    assert "Archived" in words
    assert "Use it again" in await text(panel, path)
    await panel.post(f"{path}/restore")
    assert (await segment(view.id)).archived_at is None


async def test_the_people_of_a_segment_come_in_pages_with_masked_phones(panel, sign_in_as):
    await sign_in_as(Role.ANALYST)
    made = await a_segment()
    for number in range(PAGE_ROWS + 1):
        await put(made, (await a_customer(name=f"Мария Соколова {number}", phone=f"+7916123{number:04d}")).id)
    first = await text(panel, f"/segments/{made}")
    assert first.count('class="who"') == PAGE_ROWS
    assert f"{PAGE_ROWS + 1} customers" in first
    assert "Соколова" not in first
    assert "+7 ··· ··-07" in first.replace("\xa0", " ")
    assert "916123" not in re.sub(r"\D", "", first)
    older = re.findall(r'href="(/segments/\d+\?before=\d+)"', first)[0]
    part = await text(panel, older, **HTMX, **{"HX-Target": "results"})
    assert part.lstrip().startswith('<div class="results"')
    assert part.count('class="who"') == 1
    assert "/remove" not in first  # an analyst looks


async def test_somebody_is_taken_out_and_back_by_an_undo(panel, sign_in_as):
    await sign_in_as()
    made, person = await a_segment(), await a_customer()
    await put(made, person.id)
    await panel.post(f"/segments/{made}/members/{person.id}/remove", allow_redirects=False)
    words = await text(panel, f"/segments/{made}")
    undo = re.findall(r'data-undo-url="([^"]+)"', words)[0]
    assert (await members(made))[0] == []
    await panel.post(undo)
    assert [one.customer_id for one in (await members(made))[0]] == [person.id]


async def test_the_card_gives_and_takes_segments(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    person, made = await a_customer(), await a_segment("Offices")
    path = f"/customers/{person.id}"
    assert "Segment to add" in await text(panel, path)
    part = await panel.post(f"{path}/segments", data={"segment": str(made)}, headers=HTMX)
    words = await part.text()
    assert words.lstrip().startswith('<section class="card" id="segments"')
    assert f"{path}/segments/{made}/remove" in words
    taken = await panel.post(f"{path}/segments/{made}/remove", headers=HTMX)
    assert f"{path}/segments/{made}/add" in taken.headers["HX-Trigger"]
    assert not (await chips(person.id))[0].is_in
    plain = await panel.post(f"{path}/segments/{made}/add", allow_redirects=False)
    assert plain.headers["Location"] == path
    await archive_segment(made, actor=COMMAND, now=START)
    assert (await panel.post(f"{path}/segments", data={"segment": str(made)})).status == 409
    for wrong in ("", "x", "9999999999", "404"):
        assert (await panel.post(f"{path}/segments", data={"segment": wrong})).status == 404


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (Role.CASHIER, "/segments", 403),
        (Role.ANALYST, "/segments", 200),
        (Role.SUPPORT, "/segments/new", 403),
        (Role.OWNER, "/segments/404", 404),
        (Role.OWNER, "/segments/99999999999", 404),
    ],
)
async def test_segments_open_only_to_whom_they_are_for(panel, sign_in_as, role, path, status):
    await sign_in_as(role)
    assert (await panel.get(path)).status == status


async def test_who_may_not_manage_cannot_give(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    person, made = await a_customer(), await a_segment()
    for path in (f"/customers/{person.id}/segments", f"/segments/{made}/archive", "/segments/new"):
        assert (await panel.post(path, data={"segment": str(made), "name": "x"})).status == 403
    assert "Segment to add" not in await text(panel, f"/customers/{person.id}")


# ------------------------------------------------------------------------------------------- the till


@pytest.fixture
async def rung(panel, sign_in_as):
    """A cashier and the page of a sale they have just made, with two segments of which one is for the till."""
    location, person = await a_location(), await a_customer()
    cashier = await sign_in_as(Role.CASHIER, location_id=location)
    sale = await a_sale(person.id, location, 500_00, actor=cashier.actor, now=START)
    await put(await a_segment("Hidden"), person.id)
    offered = await a_segment("Offered", at_till=True)
    return panel, f"/cashier/receipts/{sale.receipt_id}", offered, person.id


def pressed(words: str) -> dict[str, str]:
    return dict(re.findall(r'name="(give|take)" value="\d+" aria-pressed="(true|false)"', words))


async def test_after_a_sale_the_cashier_gives_and_takes_what_the_till_may(rung):
    panel, path, offered, person = rung
    words = await text(panel, path)
    assert pressed(words) == {"give": "false"}
    assert "Hidden" not in words
    for _ in range(2):
        part = await panel.post(f"{path}/segments", data={"give": str(offered)}, headers=HTMX)
        assert pressed(await part.text()) == {"take": "true"}
    assert [(chip.name, chip.is_in) for chip in await chips(person)] == [("Hidden", True), ("Offered", True)]
    await panel.post(f"{path}/segments", data={"take": str(offered)})
    assert pressed(await text(panel, path)) == {"give": "false"}


async def test_the_till_cannot_reach_other_segments_nor_other_sales(rung):
    panel, path, offered, person = rung
    for data in ({"take": "1"}, {"give": "1"}, {"give": "404"}, {"give": "x"}, {}):
        assert (await panel.post(f"{path}/segments", data=data)).status == 404, data
    other = await a_sale(person, await a_location(), 500_00, actor=await a_cashier(), now=START)
    answer = await panel.post(f"/cashier/receipts/{other.receipt_id}/segments", data={"give": str(offered)})
    assert answer.status == 404
    assert (await chips(person))[1].is_in is False


async def test_without_segments_for_the_till_there_is_no_place_for_them(rung):
    panel, path, offered, _ = rung
    await archive_segment(offered, actor=COMMAND, now=START)
    assert "pos-chip" not in await text(panel, path)


async def test_the_day_after_the_sale_is_no_longer_the_cashiers(rung, clock):
    panel, path, offered, _ = rung
    clock.move(hours=11)
    assert pressed(await text(panel, path)) == {"give": "false"}
    clock.move(hours=1)  # midnight in Moscow
    assert "pos-chip" not in await text(panel, path)
    late = await panel.post(f"{path}/segments", data={"give": str(offered)})
    assert late.status == 409
    assert "The day of this sale is over" in await late.text()


async def test_a_sale_taken_back_gives_no_segment(rung):
    panel, path, offered, _ = rung
    await panel.post(f"{path}/undo")
    assert "pos-chip" not in await text(panel, path)
    assert (await panel.post(f"{path}/segments", data={"give": str(offered)})).status == 404
