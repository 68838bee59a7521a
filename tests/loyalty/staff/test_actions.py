import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from loyalty.db import fetch, fetch_value, use_case
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.shop.actions import add_location
from loyalty.staff.actions import (
    accept_invitation,
    change_password,
    disable,
    enable,
    end_sessions,
    invite,
    rename,
    reset_password,
    set_language,
    sign_in,
    update_staff,
    write_journal,
)
from loyalty.staff.queries import (
    JournalFilters,
    invited_by,
    journal_actions,
    journal_page,
    staff_list,
    staff_member,
)
from loyalty.staff.rules import COMMAND, Role

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PASSWORD = "a phrase to keep"

pytestmark = pytest.mark.usefixtures("database")


async def hire(email="olga@example.com", role=Role.OWNER, name="Olga Kim", **more):
    token = await invite(email, name, role, actor=COMMAND, now=NOW, **more)
    return await accept_invitation(token, PASSWORD, now=NOW)


async def test_an_invited_person_sets_a_password_and_signs_in():
    token = await invite(" Olga@Example.com ", "Olga  Kim", Role.OWNER, actor=COMMAND, now=NOW)
    invited = await invited_by(token, NOW)
    assert (invited.email, invited.name, invited.has_password) == ("olga@example.com", "Olga Kim", False)
    person = await accept_invitation(token, PASSWORD, now=NOW, name="Olga K")
    assert person.name == "Olga K"
    assert (await sign_in("OLGA@example.com", PASSWORD, NOW)).id == person.id


async def test_only_the_hash_of_a_token_is_kept():
    token = await invite("olga@example.com", "Olga", Role.OWNER, actor=COMMAND, now=NOW)
    (row,) = await fetch("SELECT * FROM staff_invitation")
    assert token not in str(row)
    assert len(token) >= 43


async def test_an_invitation_works_once():
    token = await invite("olga@example.com", "Olga", Role.OWNER, actor=COMMAND, now=NOW)
    await accept_invitation(token, PASSWORD, now=NOW)
    with pytest.raises(NotFound):
        await accept_invitation(token, "another phrase", now=NOW)


async def test_of_two_clicks_on_one_link_one_counts(database):
    token = await invite("olga@example.com", "Olga", Role.OWNER, actor=COMMAND, now=NOW)
    # The row is held until both clicks wait for it: each has looked at the link by then, if it looks before it locks.
    async with database.transaction():
        await database.execute("SELECT FROM staff_invitation FOR UPDATE")
        clicks = [asyncio.create_task(accept_invitation(token, f"{PASSWORD} {number}", now=NOW)) for number in (1, 2)]
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        for _ in range(200):
            if await database.fetchval(waiting) == 2:
                break
            await asyncio.sleep(0.02)
    answers = await asyncio.gather(*clicks, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["NotFound", "StaffView"]


async def test_an_invitation_ends_after_seven_days_and_a_reset_after_one():
    token = await invite("olga@example.com", "Olga", Role.OWNER, actor=COMMAND, now=NOW)
    await invited_by(token, NOW + timedelta(days=7, seconds=-1))
    with pytest.raises(NotFound):
        await invited_by(token, NOW + timedelta(days=7))
    person = await accept_invitation(token, PASSWORD, now=NOW)
    token = await reset_password(person.id, actor=COMMAND, now=NOW)
    await invited_by(token, NOW + timedelta(hours=24, seconds=-1))
    with pytest.raises(NotFound):
        await invited_by(token, NOW + timedelta(hours=24))


async def test_a_new_link_voids_the_older_one():
    first = await invite("olga@example.com", "Olga", Role.OWNER, actor=COMMAND, now=NOW)
    person = await invited_by(first, NOW)
    second = await reset_password(person.id, actor=COMMAND, now=NOW)
    with pytest.raises(NotFound):
        await invited_by(first, NOW)
    assert (await invited_by(second, NOW)).id == person.id


async def test_a_link_ends_older_sessions():
    person = await hire()
    token = await reset_password(person.id, actor=COMMAND, now=NOW)
    later = NOW + timedelta(hours=1)
    assert (await accept_invitation(token, "another phrase", now=later)).sessions_from == later


@pytest.mark.parametrize(
    ("password", "reason"),
    [("short", "too_short"), ("olga@example.com", "too_easy"), ("aaaaaaaaaaaa", "too_easy"), ("a" * 201, "too_long")],
)
async def test_a_weak_password_is_not_taken(password, reason):
    token = await invite("olga@example.com", "Olga", Role.OWNER, actor=COMMAND, now=NOW)
    with pytest.raises(Invalid) as refusal:
        await accept_invitation(token, password, now=NOW)
    assert (refusal.value.field, refusal.value.reason) == ("password", reason)
    assert not (await invited_by(token, NOW)).has_password


@pytest.mark.parametrize(("email", "password"), [("olga@example.com", "wrong phrase"), ("no@example.com", PASSWORD)])
async def test_sign_in_refuses_alike(email, password):
    await hire()
    with pytest.raises(Refused, match="wrong_email_or_password"):
        await sign_in(email, password, NOW)


async def test_a_disabled_person_cannot_sign_in_until_enabled():
    owner = await hire()
    cashier = await hire("timur@example.com", Role.CASHIER)
    await disable(cashier.id, actor=owner.actor, now=NOW)
    with pytest.raises(Refused):
        await sign_in("timur@example.com", PASSWORD, NOW)
    await enable(cashier.id, actor=owner.actor, now=NOW)
    assert (await sign_in("timur@example.com", PASSWORD, NOW)).id == cashier.id


async def test_two_people_cannot_have_one_address():
    await hire()
    with pytest.raises(Invalid, match="email_taken"):
        await invite("OLGA@example.com", "Other", Role.CASHIER, actor=COMMAND, now=NOW)


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a b@example.com", "x" * 250 + "@example.com"])
async def test_what_is_no_address_is_refused(email):
    with pytest.raises(Invalid) as refusal:
        await invite(email, "Olga", Role.OWNER, actor=COMMAND, now=NOW)
    assert refusal.value.field == "email"


async def test_an_unknown_location_is_refused():
    with pytest.raises(Invalid, match="unknown_choice"):
        await invite("olga@example.com", "Olga", Role.OWNER, 77, actor=COMMAND, now=NOW)


async def test_the_last_owner_stays():
    owner = await hire()
    other = await hire("second@example.com", Role.MARKETER)
    # Invited, but never came in: cannot run the shop.
    await invite("third@example.com", "Third", Role.OWNER, actor=COMMAND, now=NOW)
    with pytest.raises(Refused, match="last_owner"):
        await disable(owner.id, actor=other.actor, now=NOW)
    with pytest.raises(Refused, match="last_owner"):
        await update_staff(
            owner.id,
            name="Olga",
            role=Role.CASHIER,
            location_id=None,
            location_ids=None,
            phone=None,
            actor=owner.actor,
            now=NOW,
        )


async def test_two_owners_who_disable_each_other_leave_one():
    first, second = await hire(), await hire("second@example.com")
    acts = (disable(second.id, actor=first.actor, now=NOW), disable(first.id, actor=second.actor, now=NOW))
    answers = await asyncio.gather(*acts, return_exceptions=True)
    assert [type(answer).__name__ for answer in answers if answer is not None] == ["Refused"]
    assert [person.is_active for person in await staff_list()].count(True) == 1


async def test_nobody_disables_themselves():
    owner = await hire()
    await hire("second@example.com")
    with pytest.raises(Refused, match="own_account_stays"):
        await disable(owner.id, actor=owner.actor, now=NOW)


async def test_a_changed_role_is_told_with_both_roles():
    owner = await hire()
    cashier = await hire("timur@example.com", Role.CASHIER)
    place = await add_location(name="One", time_zone="Europe/Moscow", actor=COMMAND, now=NOW)
    changed = await update_staff(
        cashier.id,
        name="Timur",
        role=Role.SUPPORT,
        location_id=place.id,
        location_ids=None,
        phone="+79990001122",
        actor=owner.actor,
        now=NOW,
    )
    assert (changed.role, changed.location_id, changed.phone) == (Role.SUPPORT, place.id, "+79990001122")
    line = (await journal_page(JournalFilters(action="staff.changed"))).lines[0]
    assert line.details == {
        "fields": ["location_id", "name", "phone", "role"],
        "role": "support",
        "role_before": "cashier",
    }


async def test_rights_end_with_locations_until_they_are_for_the_chain_again():
    owner = await hire()
    first, second = [
        (await add_location(name=name, time_zone="Europe/Moscow", actor=COMMAND, now=NOW)).id for name in ("One", "Two")
    ]
    person = await hire("lera@example.com", Role.MARKETER, location_ids=[second, first])
    assert (owner.location_ids, person.location_ids) == (None, (first, second))
    assert [one.location_ids for one in await staff_list() if one.id == person.id] == [(first, second)]
    about = {"name": person.name, "role": Role.MARKETER, "phone": None, "actor": owner.actor, "now": NOW}
    limited = await update_staff(person.id, location_id=first, location_ids=[first], **about)
    assert limited.location_ids == (first,)
    line = (await journal_page(JournalFilters(action="staff.changed"))).lines[0]
    assert line.details == {"fields": ["location_id", "location_ids"], "location_ids": [first]}
    assert (await update_staff(person.id, location_id=first, location_ids=None, **about)).location_ids is None
    assert (await journal_page(JournalFilters(action="staff.changed"))).lines[0].details["location_ids"] == []


@pytest.mark.parametrize(
    ("role", "location_id", "location_ids", "field", "reason"),
    [
        (Role.OWNER, None, [1], "location_ids", "owner_runs_the_chain"),
        (Role.CASHIER, None, [], "location_ids", "required"),
        (Role.CASHIER, 2, [1], "location_id", "not_among_theirs"),
        (Role.CASHIER, None, [1, 77], "location_ids", "unknown_choice"),
    ],
)
async def test_rights_cannot_end_anywhere(role, location_id, location_ids, field, reason):
    for name in ("One", "Two"):
        await add_location(name=name, time_zone="Europe/Moscow", actor=COMMAND, now=NOW)
    with pytest.raises(Invalid) as refusal:
        await invite("a@example.com", "A", role, location_id, location_ids=location_ids, actor=COMMAND, now=NOW)
    assert (refusal.value.field, refusal.value.reason) == (field, reason)


async def test_saving_what_is_there_leaves_no_line():
    owner = await hire()
    before = await fetch_value("SELECT count(*) FROM journal_entry")
    await update_staff(
        owner.id,
        name=owner.name,
        role=owner.role,
        location_id=None,
        location_ids=None,
        phone=None,
        actor=owner.actor,
        now=NOW,
    )
    await rename(owner.id, owner.name, actor=owner.actor, now=NOW)
    assert await fetch_value("SELECT count(*) FROM journal_entry") == before


async def test_a_changed_password_ends_sessions_and_links():
    person = await hire()
    token = await reset_password(person.id, actor=COMMAND, now=NOW)
    later = NOW + timedelta(minutes=1)
    with pytest.raises(Invalid, match="wrong_password"):
        await change_password(person.id, "not it", "another phrase", actor=person.actor, now=later)
    changed = await change_password(person.id, PASSWORD, "another phrase", actor=person.actor, now=later)
    assert changed.sessions_from == later
    assert (await sign_in(person.email, "another phrase", later)).id == person.id
    with pytest.raises(NotFound):
        await invited_by(token, later)


async def test_sessions_end_for_all_browsers_at_once():
    person = await hire()
    assert (await end_sessions(person.id, actor=COMMAND, now=NOW + timedelta(1))).sessions_from > NOW


async def test_the_language_is_one_we_speak():
    person = await hire()
    await set_language(person.id, "uk")
    assert (await staff_member(person.id)).language == "uk"
    with pytest.raises(Invalid):
        await set_language(person.id, "xx")


async def test_an_undone_act_leaves_no_line():
    @use_case
    async def fail():
        await write_journal(COMMAND, "staff.enabled", now=NOW)
        raise Refused("last_owner")

    with pytest.raises(Refused):
        await fail()
    assert await fetch_value("SELECT count(*) FROM journal_entry") == 0


async def test_the_journal_names_no_names():
    owner = await hire(phone="+79990001122")
    await hire("timur@example.com", Role.CASHIER, "Timur Volkov")
    await disable(2, actor=owner.actor, now=NOW)
    written = str(await fetch("SELECT details FROM journal_entry"))
    for personal in ("Olga", "Timur", "example.com", "9990001122", PASSWORD):
        assert personal not in written


async def test_the_journal_is_read_in_pages_and_by_filters():
    owner = await hire()
    for number in range(5):
        await write_journal(
            owner.actor,
            "location.changed",
            now=NOW + timedelta(days=number),
            subject_kind="location",
            subject_id=number,
        )
    first = await journal_page(JournalFilters(action="location.changed"), limit=3)
    assert [line.subject_id for line in first.lines] == [4, 3, 2]
    second = await journal_page(JournalFilters(action="location.changed"), first.next_before, limit=3)
    assert ([line.subject_id for line in second.lines], second.next_before) == ([1, 0], None)
    period = JournalFilters(staff_id=owner.id, since=NOW + timedelta(days=1), until=NOW + timedelta(days=3))
    assert [line.subject_id for line in (await journal_page(period)).lines] == [2, 1]
    assert (await journal_page(JournalFilters(subject_kind="location", subject_id=2))).lines[0].staff_name == "Olga Kim"
    assert await journal_actions() == ["location.changed", "staff.invited", "staff.joined"]


@pytest.mark.parametrize("act", [disable, enable, reset_password, end_sessions])
async def test_what_is_done_to_nobody_is_not_found(act):
    with pytest.raises(NotFound):
        await act(404, actor=COMMAND, now=NOW)
