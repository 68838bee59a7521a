"""What people see and change whose rights end with locations: in lists, sums and searches, at the till, in forms."""

import re

import pytest

from loyalty import db
from loyalty.customers.actions.archive import delete_customers
from loyalty.customers.queries import customer
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.queries.reach import Thing, is_reached
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.segments.actions.segments import add_member
from loyalty.segments.actions.views import save_view
from loyalty.segments.queries.base import Look, base_count
from loyalty.segments.queries.segments import sizes_within
from loyalty.staff.actions import update_staff
from loyalty.staff.queries import StaffView
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START, send_login
from tests.admin_web.rights_world import HERE, THERE, the_world
from tests.builders import a_customer, a_location, a_sale, a_waiting_chat, an_account

HTMX = {"HX-Request": "true"}


@pytest.fixture
async def world(database, hire):
    """Two locations with people of their own, made by an owner."""
    here, there = await a_location(name="Tverskaya, 12"), await a_location(name="Pokrovka, 27")
    owner = await hire(Role.OWNER)
    return await the_world([owner], here, there)


@pytest.fixture
def enter(panel, hire, world):
    """Sign in as somebody whose rights are for the first location alone."""

    async def come(role: Role = Role.MARKETER, **more) -> StaffView:
        person = await hire(role, location_ids=[world.here.location_id], email="lera@example.com", **more)
        await send_login(panel, person.email)
        return person

    return come


async def text(panel, path: str, **more) -> str:
    answer = await panel.get(path, **more)
    assert answer.status == 200, path
    return str(await answer.text())


@pytest.mark.parametrize(
    "path",
    [
        "/customers",
        "/customers?q=Мария",
        "/customers?f=visits:between:0..",
        "/customers?location=2",
        "/customers/deleted",
        "/customers/duplicates",
        "/customers/similar?name=x&email=twin@example.com",
        "/customers/1/merge?q=twin@",
        "/segments/1",
        "/conversations",
        "/conversations?q=Мария",
        "/conversations?q=Hello+there",
        "/messages",
        "/link-requests",
        "/credit-requests",
        "/claims",
        "/settings/entry-links",
    ],
)
async def test_a_list_ends_with_the_readers_locations(panel, enter, world, path):
    for side, called in ((world.here, HERE), (world.there, THERE)):
        twins = [await a_customer(name=f"{called} Двойник") for _ in range(2)]
        await db.execute(
            "UPDATE customer SET home_location_id = $1, email = 'twin@example.com' WHERE id = ANY($2::bigint[])",
            side.location_id,
            [one.id for one in twins],
        )
        gone = await a_customer(name=f"{called} Удалён")
        await db.execute("UPDATE customer SET home_location_id = $1 WHERE id = $2", side.location_id, gone.id)
        await delete_customers([gone.id], actor=COMMAND, now=START)
        await add_member(world.segment_id, side.ids["/customers"], actor=COMMAND, now=START)
        await a_waiting_chat(side.ids["account"], "Hello there")
        await db.execute("UPDATE entry_link SET name = $2 WHERE location_id = $1", side.location_id, called)
    path = path.replace("/customers/1/", f"/customers/{world.here.ids['/customers']}/")
    path = path.replace("/segments/1", f"/segments/{world.segment_id}").replace("=2", f"={world.there.location_id}")
    await send_login(panel, "owner@example.com")
    known = await text(panel, path)
    assert HERE in known or "location=" in path
    assert THERE in known
    await panel.post("/logout")
    await enter()
    shown = await text(panel, path)
    assert HERE in shown
    assert THERE not in shown


async def test_sums_and_counts_end_with_them_too(panel, enter, world):
    await enter()
    mine = await base_count(Look(locations=(world.here.location_id,)), now=START)
    assert 0 < mine < await base_count(Look(), now=START)
    assert f'<b class="num">{mine}</b>' in await text(panel, "/customers/totals")
    assert str(mine) in await text(panel, "/customers/filters/count?join.0=all")
    page = await text(panel, "/messages")
    assert 'class="cnt">1<' in page  # one claim, one credit, one account, and no more
    assert 'class="cnt">2<' not in page


async def test_a_segment_is_as_large_as_the_reader_can_see(panel, enter, world):
    for side in (world.here, world.there):
        await add_member(world.segment_id, side.ids["/customers"], actor=COMMAND, now=START)
    sizes = await sizes_within([world.segment_id], [world.here.location_id], now=START)
    assert sizes == {world.segment_id: 1}
    assert await sizes_within([], [1], now=START) == {}
    await enter()
    assert '<td class="r num k-val">1</td>' in await text(panel, "/segments")
    page = await text(panel, f"/segments/{world.segment_id}")
    assert "1 customer<" in page
    assert "/edit" not in page


async def test_whoever_was_only_sold_what_came_back_was_not_there(world):
    person = await a_customer()
    sale = await a_sale(person.id, world.here.location_id, 100_00, now=START)
    places = [world.here.location_id]
    assert await is_reached(Thing.CUSTOMER, person.id, staff_id=1, location_ids=places)
    await refund_receipt(sale.receipt_id, None, key="back", actor=COMMAND, now=START)
    assert not await is_reached(Thing.CUSTOMER, person.id, staff_id=1, location_ids=places)


async def test_a_merged_card_is_where_the_card_is_that_it_became(panel, enter, world):
    await enter()
    merged = await db.fetch_value("SELECT merged_id FROM merge WHERE id = $1", world.here.ids["/merges"])
    await db.execute("UPDATE customer SET home_location_id = $2 WHERE id = $1", merged, world.there.location_id)
    answer = await panel.get(f"/customers/{merged}", allow_redirects=False)
    assert answer.status == 303
    elsewhere = await db.fetch_value("SELECT merged_id FROM merge WHERE id = $1", world.there.ids["/merges"])
    assert (await panel.get(f"/customers/{elsewhere}", allow_redirects=False)).status == 404


async def test_what_is_left_of_somebody_erased_is_shown_where_they_belonged(panel, enter, world):
    await enter()
    for side, status in ((world.here, 200), (world.there, 404)):
        await erase_customer(side.ids["other"], actor=COMMAND, now=START)
        assert (await panel.get(f"/customers/{side.ids['other']}")).status == status


async def test_a_card_of_elsewhere_is_answered_like_none(panel, enter, world):
    await enter()
    said = [
        await (await panel.get(f"/customers/{number}")).text() for number in (world.there.ids["/customers"], 999_999)
    ]
    said = [re.sub(r"[0-9a-f]{16}|/customers/[0-9]+", "", one) for one in said]
    assert said[0] == said[1]
    for headers in (HTMX, {"Accept": "application/json"}):
        answer = await panel.get(f"/customers/{world.there.ids['/customers']}", headers=headers)
        assert answer.status == 404


async def test_what_is_the_chains_says_so(panel, enter):
    await enter()
    answer = await panel.get("/categories")
    assert answer.status == 403
    assert "It concerns the whole chain, and your rights are for some locations." in await answer.text()
    told = await panel.get("/categories", headers={"Accept": "application/json"})
    assert (await told.json())["error"]["reason"] == "only_for_the_chain"
    shown = await text(panel, "/customers")
    assert "Who belongs there or has been there: Tverskaya, 12" in shown
    for path in ("/categories", "/label-rules", "/settings/canned-replies"):
        assert f'href="{path}"' not in shown
    for path in ("/segments", "/claims", "/settings/entry-links"):
        assert f'href="{path}"' in shown


async def test_the_base_is_looked_at_for_one_location_by_everybody(panel, world):
    await send_login(panel, "owner@example.com")
    here, there = world.here.location_id, world.there.location_id
    both = await text(panel, "/customers")
    assert HERE in both
    assert THERE in both
    one = await text(panel, f"/customers?location={there}&sort=name&dir=asc")
    assert f'<option value="{there}" selected>Pokrovka, 27</option>' in one
    assert HERE not in one
    for kept in ("/customers/filters?", "/customers/columns?"):
        assert re.search(rf"{re.escape(kept)}[^\"]*location={there}", one)
    assert f'name="location" value="{there}"' in one  # what is done with all who are found is done with those there
    for odd in ("0", "x", "99999999999999999999", "-1"):
        assert HERE in await text(panel, f"/customers?location={odd}") or odd == "0"
    several = await text(panel, f"/customers?location={here}.{there}")
    assert f'<option value="{here}.{there}" selected>' in several
    await panel.post("/customers/views", data={"name": "Pokrovka", "query": f"location={there}&q=a"})
    assert f"/customers?q=a&amp;location={there}" in await text(panel, "/customers") or (
        f"location={there}" in await text(panel, "/customers")
    )


async def test_a_shared_view_of_another_location_shows_ones_own(panel, enter, world):
    owner = await db.fetch_value("SELECT id FROM staff_member WHERE role = 'owner'")
    await save_view(owner, "Theirs", f"location={world.there.location_id}", is_shared=True, now=START)
    await enter()
    shown = await text(panel, f"/customers?location={world.there.location_id}")
    assert HERE in shown
    assert THERE not in shown


async def test_an_act_on_all_found_concerns_only_those_within_reach(panel, enter, world):
    await enter()
    form = {"kind": "category", "scope": "all", "way": "there", "target": str(world.category_id), "key": "all-of-mine"}
    await panel.post("/customers/actions", data=form)
    given = {row["customer_id"] for row in await db.fetch("SELECT customer_id FROM customer_category")}
    theirs = await db.fetch(
        "SELECT customer_id AS id FROM mass_action_row WHERE action_id = (SELECT max(id) FROM mass_action)"
    )
    assert world.here.ids["/customers"] in given
    assert world.there.ids["/customers"] not in {row["id"] for row in theirs}
    assert "Tverskaya, 12" in await text(panel, "/customers/actions")


async def test_ticking_somebody_elsewhere_does_nothing(panel, enter, world):
    await enter()
    inside, outside = world.here.ids["/customers"], world.there.ids["/customers"]
    form = {"kind": "category", "scope": "", "way": "there", "target": str(world.category_id), "key": "ticked"}
    answer = await panel.post("/customers/actions", data=form | {"ids": f"{outside}"})
    assert answer.status == 422
    await panel.post("/customers/actions", data=form | {"ids": f"{inside}.{outside}"})
    rows = await db.fetch("SELECT customer_id FROM mass_action_row WHERE action_id = (SELECT max(id) FROM mass_action)")
    assert [row["customer_id"] for row in rows] == [inside]


async def test_acts_of_others_are_not_listed(panel, enter, world):
    await enter()
    assert "/customers/actions/1" not in await text(panel, "/customers/actions")


async def test_whom_they_add_belongs_to_one_of_theirs(panel, enter, world):
    await enter()
    here, there = str(world.here.location_id), str(world.there.location_id)
    shown = await text(panel, "/customers/new")
    assert f'<option value="{here}" selected>' in shown
    assert "Pokrovka, 27" not in shown
    form = {"name": "Новая Гостья", "phone": "", "language": "ru", "key": "a"}
    for home, words in (("", "Fill this in."), (there, "Choose one of the list.")):
        answer = await panel.post("/customers", data=form | {"home_location_id": home})
        assert answer.status == 422
        assert words in await answer.text()
    added = await panel.post("/customers", data=form | {"home_location_id": here}, allow_redirects=False)
    assert added.status == 303
    assert (await panel.get(added.headers["Location"])).status == 200


async def test_who_belongs_elsewhere_stays_there_when_corrected(panel, enter, world):
    await enter()
    person, there = world.here.ids["/customers"], world.there.location_id
    await db.execute("UPDATE customer SET home_location_id = $2 WHERE id = $1", person, there)
    form = {"name": "Мария", "phone": "", "language": "ru", "home_location_id": str(there)}
    assert (await panel.post(f"/customers/{person}/edit", data=form, allow_redirects=False)).status == 303
    assert (await panel.post(f"/customers/{person}/edit", data=form | {"home_location_id": ""})).status == 422
    assert (await customer(person)).home_location_id == there


async def test_a_deleted_card_of_elsewhere_does_not_come_back_by_its_phone(panel, enter, world):
    await enter()
    outside = await customer(world.there.ids["/customers"])
    await delete_customers([outside.id], actor=COMMAND, now=START)
    form = {"name": "Хитрец", "phone": outside.phone, "language": "ru", "key": "b"}
    answer = await panel.post("/customers", data=form | {"home_location_id": str(world.here.location_id)})
    assert answer.status == 422
    assert (await customer(outside.id)).deleted_at is not None


async def test_an_appointment_is_made_and_told_of_at_ones_own_location(panel, enter, world):
    await enter(Role.SUPPORT)
    person = world.here.ids["/customers"]
    shown = await text(panel, f"/customers/{person}/appointments/new")
    assert "Pokrovka, 27" not in shown
    await db.execute("UPDATE appointment SET customer_id = $1", person)
    tab = await text(panel, f"/customers/{person}?tab=appointments")
    assert f"/appointments/{world.here.ids['appointment']}/" in tab
    assert f"/appointments/{world.there.ids['appointment']}/" not in tab
    url = f"/customers/{person}/appointments/{world.there.ids['appointment']}/cancelled"
    assert (await panel.post(url)).status == 404


async def test_a_claim_is_approved_at_ones_own_location_only(panel, enter, world):
    await enter()
    await db.execute("UPDATE fiscal_claim SET location_id = NULL WHERE id = $1", world.here.ids["/claims"])
    assert "Pokrovka, 27" not in await text(panel, "/claims")
    url = f"/claims/{world.here.ids['/claims']}/approve"
    answer = await panel.post(url, data={"location": str(world.there.location_id)}, headers=HTMX)
    assert answer.status == 422
    assert "Choose one of the list." in await answer.text()


async def test_the_photo_of_a_claim_at_ones_own_location_is_shown_whoever_sent_it(panel, enter, world):
    """A first purchase: its customer has not been anywhere yet."""
    await enter()
    sender, picture, claim = (world.there.ids[name] for name in ("/customers", "media", "/claims"))
    url = f"/customers/{sender}/media/{picture}"
    assert (await panel.get(url)).status == 404
    await db.execute(
        "UPDATE fiscal_claim SET location_id = $2, media_id = $3 WHERE id = $1",
        claim,
        world.here.location_id,
        picture,
    )
    assert (await panel.get(url)).status == 200
    page = await text(panel, "/claims")
    assert url in page
    assert f'href="/customers/{sender}?' not in page  # the card itself stays shut


async def test_an_entry_link_hangs_at_ones_own_location(panel, enter, world):
    await enter()
    shown = await text(panel, "/settings/entry-links/new")
    assert "No location of its own" not in shown
    for place, status in ((world.there.location_id, 422), ("", 422), (world.here.location_id, 303)):
        form = {"name": "Door", "source": "flyer", "location": str(place)}
        answer = await panel.post("/settings/entry-links/new", data=form, allow_redirects=False)
        assert answer.status == status


async def test_nobodys_chat_is_the_chains(panel, enter, world):
    stranger = await an_account()
    await a_waiting_chat(stranger, "Who are you?")
    await enter(Role.SUPPORT)
    assert f"/conversations/{stranger}" not in await text(panel, "/conversations")
    assert (await panel.get(f"/conversations/{stranger}")).status == 404


async def test_a_chat_is_given_only_to_colleagues_who_can_see_it(panel, hire, world):
    there = await hire(Role.SUPPORT, "Vera There", location_ids=[world.there.location_id], email="vera@example.com")
    await send_login(panel, "owner@example.com")
    accounts = world.here.ids["account"], world.there.ids["account"]
    shown = [await text(panel, f"/conversations/{account}") for account in accounts]
    assert ["Vera There" in page for page in shown] == [False, True]
    given = [
        (await panel.post(f"/conversations/{account}/chat/assign", data={"assignee": str(there.id)})).status
        for account in accounts
    ]
    assert given == [422, 200]


async def test_news_of_chats_name_none_to_whom_they_may_not_concern(panel, enter):
    await enter(Role.SUPPORT)
    answer = await panel.get("/conversations/events")
    assert answer.status == 200


async def test_friends_of_another_location_have_no_names(panel, enter, world):
    inside, outside = world.here.ids["/customers"], world.there.ids["/customers"]
    near = world.here.ids["other"]
    for friend in (outside, near):
        await db.execute(
            "INSERT INTO referral (referrer_id, invitee_id, state, created_at) VALUES ($1, $2, 'waiting', $3)",
            inside,
            friend,
            START,
        )
    await db.execute(
        "UPDATE customer SET entry_link_id = $2 WHERE id = $1", inside, world.there.ids["/settings/entry-links"]
    )
    await enter()
    page = await text(panel, f"/customers/{inside}?tab=registration")
    assert "A customer of another location" in page
    assert f'href="/customers/{near}"' in page
    assert THERE not in page
    assert 'href="/settings/entry-links/' not in page.partition("<main")[2]


async def test_the_journal_has_ones_own_acts_and_those_about_ones_people(panel, enter, world):
    await enter(Role.ANALYST)
    inside, outside = world.here.ids["/customers"], world.there.ids["/customers"]
    page = await text(panel, "/journal")
    assert f'href="/customers/{inside}"' in page
    assert f'href="/customers/{outside}"' not in page
    assert "Signed in" in page


async def test_at_the_till_anybody_is_served_at_ones_own_locations(panel, hire, world):
    here, there = world.here.location_id, world.there.location_id
    third = await a_location(name="Park")
    cashier = await hire(Role.CASHIER, location_ids=[here, third], email="till@example.com")
    await send_login(panel, cashier.email)
    choice = await text(panel, "/cashier")
    assert "Tverskaya, 12" in choice
    assert "Park" in choice
    assert "Pokrovka, 27" not in choice
    assert (await panel.post("/cashier/location", data={"location": str(there)})).status == 404
    await panel.post("/cashier/location", data={"location": str(here)})
    outside = await customer(world.there.ids["/customers"])
    sale = await panel.post("/cashier/find", data={"who": outside.phone})
    assert outside.name.split()[0] in await sale.text()
    form = {"total": "100", "shown": "10000", "burn": "0", "key": "a-sale"}
    done = await panel.post("/cashier/sale", data=form)
    assert done.status == 200
    assert await db.fetch_value("SELECT location_id FROM receipt WHERE staff_id = $1", cashier.id) == here
    # Rights that change count from the next click.
    await update_staff(
        cashier.id,
        name="T",
        role=Role.CASHIER,
        location_id=None,
        location_ids=[third],
        phone=None,
        actor=COMMAND,
        now=START,
    )
    assert "Park" in await text(panel, "/cashier")
    assert (await panel.get(str(done.url.path))).status == 404


async def test_whose_rights_are_for_one_location_works_there(panel, hire, world):
    cashier = await hire(Role.CASHIER, location_ids=[world.there.location_id], email="till@example.com")
    await send_login(panel, cashier.email)
    assert "Pokrovka, 27" in await text(panel, "/cashier")
