"""Acts on many customers as browsers with and without scripts meet them."""

import re

import pytest
from yarl import URL

from loyalty import db
from loyalty.bonuses.queries import account
from loyalty.customers.actions.categories import add_category
from loyalty.customers.labels import CategoryDraft
from loyalty.office.actions.mass import begin
from loyalty.office.actions.mass_work import work_due
from loyalty.office.mass import MassKind, Order
from loyalty.segments.queries.base import Look
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.admin_web.test_segments import HTMX, text
from tests.builders import a_customer, a_programme

NEW = "/customers/actions/new"


async def some(number: int, name: str = "Anna") -> list[int]:
    return [(await a_customer(name=name)).id for _ in range(number)]


async def a_category() -> int:
    return await add_category(CategoryDraft("Office <1>", "blue"), actor=COMMAND, now=START)


async def having(category_id: int) -> set[int]:
    rows = await db.fetch("SELECT customer_id FROM customer_category WHERE category_id = $1", category_id)
    return {row["customer_id"] for row in rows}


def hidden_fields(words: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', words))


async def asked(panel, kind: str, **more) -> dict[str, str]:
    return hidden_fields(await text(panel, str(URL(NEW).with_query({"kind": kind, **more}))))


async def send(panel, fields: dict[str, str], query: dict[str, str] | None = None, **more):
    return await panel.post(
        URL("/customers/actions").with_query(query or {}), data=fields, allow_redirects=False, **more
    )


async def test_a_ticked_few_are_done_at_once_and_the_toast_undoes_it(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    category_id, (one, two, other) = await a_category(), await some(3)
    listed = await text(panel, "/customers")
    assert f'form="bulk" name="id" value="{one}"' in listed
    words = await text(panel, f"{NEW}?kind=category&id={one}&id={two}")
    assert "2 customers" in words
    assert "Office &lt;1&gt;" in words
    fields = hidden_fields(words) | {"target": str(category_id), "way": "there"}
    done = await send(panel, fields)
    assert (done.status, done.headers["Location"]) == (303, "/customers")
    assert await having(category_id) == {one, two}
    again = await send(panel, fields)
    assert again.status == 303
    words = await text(panel, "/customers")
    assert "Done for 2 customers" in words
    undo_url = re.findall(r'data-undo-url="([^"]+)"', words)[0]
    undone = await panel.post(undo_url, headers=HTMX | {"HX-Current-URL": "http://x/customers?q=Anna"})
    assert undone.headers["HX-Redirect"] == "/customers?q=Anna"
    assert await having(category_id) == set()
    assert "Undone for 2 customers" in await text(panel, "/customers")
    assert other not in await having(category_id)


async def test_a_discount_is_typed_as_percent_and_told_as_it_was_given(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    one, two = await some(2)
    words = await text(panel, f"{NEW}?kind=discount&id={one}&id={two}")
    fields = hidden_fields(words)
    refused = await send(panel, fields | {"discount": "101"})
    assert refused.status == 422
    assert "Must be between 0 and 100 percent." in await refused.text()
    assert (await send(panel, fields | {"discount": "7,5 %"})).status == 303
    shares = await db.fetch("SELECT discount_bp FROM customer_facts WHERE customer_id = ANY($1::bigint[])", [one, two])
    assert [row["discount_bp"] for row in shares] == [750, 750]
    assert "Set the personal discount to 7.5%" in await text(panel, "/customers/actions")


async def test_everybody_found_is_said_by_the_address_and_never_by_ids(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    category_id = await a_category()
    found, _others = await some(2, "Anna"), await some(2, "Berta")
    query = {"q": "Anna"}
    fields = await asked(panel, "category", scope="all", **query)
    assert fields["ids"] == ""
    done = await send(panel, fields | {"target": str(category_id)}, query)
    assert done.headers["Location"] == "/customers?q=Anna"
    assert await having(category_id) == set(found)
    log = await text(panel, "/customers/actions")
    assert "Give the category “Office &lt;1&gt;”" in log
    assert "Search: Anna" in log
    assert 'href="/customers?q=Anna"' in log


async def test_many_go_on_a_page_of_their_own_with_progress_pause_and_result_by_row(panel, sign_in_as, clock):
    await sign_in_as(Role.OWNER)
    category_id = await a_category()
    await some(51)
    done = await send(panel, await asked(panel, "category", scope="all") | {"target": str(category_id)})
    path = done.headers["Location"]
    assert re.fullmatch(r"/customers/actions/\d+", path)
    words = await text(panel, path)
    assert "Under way" in words
    assert "0 of 51" in words
    assert 'hx-trigger="every 1s"' in words
    asked_again = await panel.get(f"{path}?part", headers=HTMX)
    assert asked_again.status == 200
    await panel.post(f"{path}/pause")
    assert await work_due(now=clock.now()) == 0
    assert "Paused" in await text(panel, path)
    await panel.post(f"{path}/resume")
    clock.move(seconds=10)
    await work_due(now=clock.now())
    ended = await panel.get(f"{path}?part", headers=HTMX)
    assert ended.status == 286
    words = await text(panel, path)
    assert "Undo for 51 customers" in words
    assert "They lose the category again" in words
    following = re.findall(rf'href="({path}\?[^"]*after=\d+)"', words)[0].replace("&amp;", "&")
    assert (await text(panel, following)).count('class="k-main"') == 1
    assert "Nobody here" in await text(panel, f"{path}?state=failed")
    undone = await panel.post(f"{path}/undo", allow_redirects=False)
    await work_due(now=clock.now())
    assert await having(category_id) == set()
    assert "Undo: Give the category" in await text(panel, undone.headers["Location"])
    assert "Taken back by" in await text(panel, path)


async def test_why_somebody_was_left_out_stands_beside_them(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    poor = (await a_customer(name="Anna")).id
    fields = await asked(panel, "bonuses", id=str(poor)) | {"way": "back", "amount": "10", "comment": "Mistake"}
    sure = hidden_fields(await (await send(panel, fields)).text())
    done = await send(panel, sure)
    words = await text(panel, done.headers["Location"])
    assert "They have fewer bonuses than that." in words
    assert "Left out" in words


async def test_bonuses_of_many_are_agreed_to_with_their_sum_and_anew_when_that_changes(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    ids = await some(3)
    fields = await asked(panel, "bonuses", scope="all")
    wrong = await send(panel, fields | {"amount": "-5", "comment": ""}, headers=HTMX)
    assert wrong.status == 422
    assert "amount-error" in await wrong.text()
    missing = await send(panel, fields | {"amount": "5", "comment": ""}, headers=HTMX)
    assert "comment-error" in await missing.text()
    first = await send(panel, fields | {"way": "there", "amount": "100", "comment": "Sorry <b>"}, headers=HTMX)
    assert first.status == 200
    words = await first.text()
    assert "3 customers, together 300 bonuses" in words
    assert "Sorry &lt;b&gt;" in words
    sure = hidden_fields(words) | {"comment": "Sorry <b>"}
    late = (await a_customer(name="Anna")).id
    anew = await send(panel, sure, headers=HTMX)
    assert "4 customers, together 400 bonuses" in await anew.text()
    done = await send(panel, sure | {"agreed": "40000"})
    assert done.status == 303
    assert [(await account(each, now=START)).balance for each in [*ids, late]] == [100_00] * 4


async def test_a_limit_of_the_day_is_told_before(panel, sign_in_as, database):
    await sign_in_as(Role.OWNER)
    await some(3)
    await a_programme(manual_credit_day=200_00)
    fields = await asked(panel, "bonuses", scope="all") | {"amount": "100", "comment": "Thanks", "way": "there"}
    assert "The programme allows 200 a day by hand" in await (await send(panel, fields)).text()


async def test_many_are_deleted_by_the_word_alone(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    ids = await some(2)
    fields = await asked(panel, "delete", id=str(ids[0]))
    wrong = await send(panel, fields | {"word": "remove"}, headers=HTMX)
    assert wrong.status == 422
    assert "word-error" in await wrong.text()
    await send(panel, fields | {"word": "delete"})
    listed = await text(panel, "/customers")
    assert f'name="id" value="{ids[0]}"' not in listed
    assert f'name="id" value="{ids[1]}"' in listed


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ANALYST, Role.CASHIER])
async def test_others_do_not_act(panel, sign_in_as, role):
    await sign_in_as(role)
    await some(1)
    if role is not Role.CASHIER:
        listed = await text(panel, "/customers")
        assert 'name="kind"' not in listed
        # An analyst ticks whom to take out as a file.
        assert ("data-row" in listed) == ('id="bulk"' in listed) == (role is Role.ANALYST)
    for path in ("/customers/actions", f"{NEW}?kind=delete", "/customers/actions/1"):
        assert (await panel.get(path)).status == 403
    for path in ("/customers/actions", "/customers/actions/1/pause", "/customers/actions/1/undo"):
        assert (await panel.post(path, data={"kind": "delete"})).status == 403


async def test_what_is_not_there_is_not_found_and_nobody_chosen_is_told(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    assert (await panel.get("/customers/actions/77")).status == 404
    assert (await panel.get(f"{NEW}?kind=dance")).status == 404
    assert (await panel.post("/customers/actions/77/undo")).status == 404
    assert "Nobody is chosen" in await text(panel, f"{NEW}?kind=delete")
    assert "There are no categories yet" in await text(panel, f"{NEW}?kind=category&id=1")
    assert "Nothing was done to many yet" in await text(panel, "/customers/actions")
    gone = await send(panel, {"kind": "delete", "ids": "987654", "word": "delete", "key": "k"}, headers=HTMX)
    assert "Nobody is found any more" in await gone.text()
    assert (await panel.get(f"{NEW}?kind=delete&scope=all&f=nonsense")).status == 422


async def test_a_deed_that_comes_too_late_says_so(panel, sign_in_as):
    owner = await sign_in_as(Role.OWNER)
    await some(1)
    order = Order(MassKind.CATEGORY_GIVE, await a_category())
    action_id = await begin(order, Look(), key="1", actor=owner.actor, now=START)
    await work_due(now=START)
    late = await panel.post(f"/customers/actions/{action_id}/pause")
    assert "This is over already." in await late.text()
