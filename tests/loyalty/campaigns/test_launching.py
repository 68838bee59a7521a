"""When a campaign begins: at once, at its time, again and again; drafts, copies, the last moment, errors of its own."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from loyalty import db
from loyalty.campaigns.actions.drafting import Chosen, FileChange, add_draft, change_draft, copy_campaign, delete_draft
from loyalty.campaigns.actions.feeding import count, feed, feed_due
from loyalty.campaigns.actions.running import cancel_campaign, resume_campaign, send_again
from loyalty.campaigns.actions.starting import launch_campaign, start_campaign, start_due
from loyalty.campaigns.actions.trying import send_trial
from loyalty.campaigns.queries.campaigns import campaign, campaigns, recipients, skipped
from loyalty.campaigns.queries.reach import Manner, reach
from loyalty.campaigns.rules.drafts import CampaignDraft, CampaignTopic, Terms, Timing, acknowledgement
from loyalty.campaigns.rules.repeating import by_cron, weekly
from loyalty.campaigns.rules.states import CampaignState, Fate, PauseReason, Skip
from loyalty.campaigns.rules.texts import ButtonKind, CampaignButton, Words
from loyalty.conversations.actions.templates import add_template, note_template
from loyalty.conversations.answering import Upload
from loyalty.conversations.content import Content
from loyalty.conversations.templating import TemplateDraft, Variable
from loyalty.errors import Conflict, Invalid, Refused
from loyalty.ids import new_key
from loyalty.office.actions.erasure import erase_customer
from loyalty.segments.actions.segments import add_segment
from loyalty.segments.queries.audience import Audience
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.staff.rules import COMMAND
from tests.builders import EVERYBODY, NOW, a_campaign, a_cashier, a_location, a_programme, an_account
from tests.loyalty.campaigns.test_campaigns import BOTH, LATER, a_reader, a_whatsapp, agree, send
from tests.proofs.test_bulk import MANY_PEOPLE

HELLO = Words({"ru": "Привет"})
DRAFT = CampaignDraft("Осень", HELLO)
ZONE = "Europe/Moscow"


@pytest.fixture(autouse=True)
async def _shop(database):
    await a_programme()


async def drafted(draft: CampaignDraft = DRAFT, chosen: Chosen = EVERYBODY, *, now=NOW) -> int:
    return await add_draft(draft, chosen, key=new_key(), actor=COMMAND, now=now)


async def launched(draft: CampaignDraft = DRAFT, chosen: Chosen = EVERYBODY, *, now=NOW) -> int:
    campaign_id = await drafted(draft, chosen, now=now)
    await launch(campaign_id, now=now)
    return campaign_id


async def launch(campaign_id: int, *, working=BOTH, now=NOW) -> None:
    await launch_campaign(campaign_id, acknowledgement("ru"), working=working, actor=COMMAND, now=now)


async def said() -> list[Content]:
    rows = await db.fetch("SELECT content FROM message WHERE kind = 'bulk' ORDER BY id")
    return [Content.from_body(db.from_json(row["content"])) for row in rows]


async def test_a_draft_is_kept_once_and_nothing_of_it_is_sent():
    await a_reader()
    key = new_key()
    first = await add_draft(DRAFT, Chosen(), key=key, actor=COMMAND, now=NOW)
    assert await add_draft(DRAFT, Chosen(), key=key, actor=COMMAND, now=NOW) == first
    assert await start_due(now=LATER) == 0
    view = await campaign(first)
    assert (view.state, view.total, view.draft.words) == (CampaignState.DRAFT, 0, HELLO)
    await change_draft(first, replace(DRAFT, name="Зима"), actor=COMMAND, now=LATER)
    assert (await campaign(first)).name == "Зима"
    await delete_draft(first, actor=COMMAND, now=LATER)
    assert await campaigns() == ([], None)


async def test_launched_fifty_times_and_looked_for_by_many_it_begins_once():
    await a_reader()
    campaign_id = await drafted()
    await asyncio.gather(*[launch(campaign_id) for _ in range(50)])
    begun = await asyncio.gather(*[start_campaign(campaign_id, now=NOW) for _ in range(10)])
    assert sum(begun) == 1
    assert await db.fetch_value("SELECT count(*) FROM recipient") == 1
    assert await db.fetch_value("SELECT count(*) FROM journal_entry WHERE action = 'campaign.launched'") == 1
    with pytest.raises(Conflict, match="campaign_has_begun"):
        await change_draft(campaign_id, DRAFT, actor=COMMAND, now=NOW)
    with pytest.raises(Conflict, match="campaign_has_begun"):
        await delete_draft(campaign_id, actor=COMMAND, now=NOW)


async def test_it_waits_for_its_time_and_begins_once_an_hour_late():
    await a_reader()
    at = NOW + timedelta(hours=3)
    campaign_id = await launched(replace(DRAFT, timing=Timing(starts_at=at, zone=ZONE)))
    assert (await campaign(campaign_id)).state is CampaignState.SCHEDULED
    assert await start_due(now=at - timedelta(seconds=1)) == 0
    # Whoever came since is of it: its audience is chosen when it begins.
    await a_reader()
    assert [await start_due(now=at + timedelta(hours=1)) for _ in range(3)] == [1, 0, 0]
    view = await campaign(campaign_id)
    assert (view.state, view.total, view.started_at) == (CampaignState.RUNNING, 2, at + timedelta(hours=1))


async def test_what_waits_is_a_draft_again_once_it_is_changed():
    timing = Timing(starts_at=NOW + timedelta(hours=3), zone=ZONE)
    campaign_id = await launched(replace(DRAFT, timing=timing))
    await change_draft(campaign_id, replace(DRAFT, timing=timing), actor=COMMAND, now=LATER)
    assert await start_due(now=NOW + timedelta(hours=4)) == 0
    with pytest.raises(Invalid) as error:
        await launch(campaign_id, now=NOW + timedelta(hours=4))
    assert (error.value.field, error.value.reason) == ("starts_at", "in_the_past")


async def test_again_and_again_each_time_is_a_campaign_and_missed_ones_are_made_up_for_by_one():
    await a_reader()
    every_day = weekly([1, 2, 3, 4, 5, 6, 7], time(10, 0))
    series = await launched(replace(DRAFT, timing=Timing(repeat=every_day, zone=ZONE)))
    first = datetime(2026, 3, 11, 7, tzinfo=UTC)
    assert (await campaign(series)).draft.timing.starts_at == first
    assert [await start_due(now=first) for _ in range(2)] == [1, 0]
    assert [await start_due(now=first + timedelta(days=3, hours=2)) for _ in range(2)] == [1, 0]
    times, _ = await campaigns(series_id=series)
    assert [one.total for one in times] == [1, 1]
    assert len({one.seed for one in times}) == 2
    view = await campaign(series)
    assert (view.state, view.draft.timing.starts_at) == (CampaignState.SCHEDULED, first + timedelta(days=4))
    await cancel_campaign(series, actor=COMMAND, now=LATER)
    assert await start_due(now=first + timedelta(days=9)) == 0


async def test_a_series_that_two_look_for_sends_each_time_once():
    await a_reader()
    series = await launched(replace(DRAFT, timing=Timing(repeat=by_cron("0 * * * *"), zone=ZONE)))
    at = NOW + timedelta(hours=1)
    assert sum(await asyncio.gather(*[start_campaign(series, now=at) for _ in range(8)])) == 1
    assert len((await campaigns(series_id=series))[0]) == 1


async def test_whose_last_moment_has_passed_does_not_begin_and_nobody_gets_it_after_that():
    await a_reader()
    until = NOW + timedelta(hours=2)
    late = await launched(
        replace(DRAFT, timing=Timing(starts_at=NOW + timedelta(hours=1), send_until=until, zone=ZONE))
    )
    assert await start_due(now=until) == 0
    view = await campaign(late)
    assert (view.state, view.pause_reason) == (CampaignState.CANCELLED, PauseReason.TOO_LATE)
    await db.execute(MANY_PEOPLE.replace("to_char(number", "to_char(70000000 + number"), 700)
    begun = await a_campaign(replace(DRAFT, timing=Timing(send_until=until, zone=ZONE)))
    await feed_due(now=LATER)
    assert await send(now=LATER) == 500
    for _ in range(2):
        await feed_due(now=until)
    view = await campaign(begun)
    assert (view.state, view.sent, await skipped(begun)) == (CampaignState.FINISHED, 500, {Skip.TOO_LATE: 201})
    assert await db.fetch_value("SELECT count(*) FROM message WHERE status = 'queued'") == 0


async def test_a_filter_that_asks_for_what_is_gone_hands_it_back_and_keeps_no_other():
    await a_reader()
    segment = await add_segment(SegmentDraft("Лето"), actor=COMMAND, now=NOW)
    broken = await launched(chosen=Chosen({"f": f"segment:any:{segment}"}))
    whole = await launched()
    await db.execute('UPDATE campaign SET look = \'{"f": "nonsense"}\' WHERE id = $1', broken)
    assert await start_due(now=LATER) == 1
    view = await campaign(broken)
    assert (view.state, view.pause_reason) == (CampaignState.DRAFT, PauseReason.NO_AUDIENCE)
    assert (await campaign(whole)).state is CampaignState.RUNNING


async def test_the_control_group_is_drawn_by_lot_as_the_preview_told_it():
    await db.execute(MANY_PEOPLE.replace("to_char(number", "to_char(60000000 + number"), 400)
    await a_reader(says_yes=False)
    campaign_id = await drafted(replace(DRAFT, terms=Terms(control_bp=2_000)))
    view = await campaign(campaign_id)
    told = await reach(Audience(), Manner(control_bp=2_000, seed=view.seed), working=BOTH, now=NOW)
    await launch(campaign_id)
    await start_campaign(campaign_id, now=NOW)
    view = await campaign(campaign_id)
    assert (view.total, view.skipped, view.control, view.reached) == (401, 1, told.control, told.reached)
    assert 50 < view.control < 110
    while await feed(campaign_id, now=LATER):
        await send()
    view = await campaign(campaign_id)
    assert (view.state, view.sent) == (CampaignState.FINISHED, view.reached)
    rows, _ = await recipients(campaign_id, fate=Fate.CONTROL)
    written = "SELECT count(*) FROM message m JOIN recipient r USING (customer_id) WHERE r.state = 'control'"
    assert (len(rows), await db.fetch_value(written)) == (min(50, view.control), 0)
    # Another seed draws others.
    other = await reach(Audience(), Manner(control_bp=2_000, seed=view.seed + 1), working=BOTH, now=NOW)
    assert other.total == told.total


async def test_who_gets_a_bonus_with_it_is_due_once_it_was_sent_or_nobody_knows():
    first, second, third = await a_reader(), await a_reader(), await a_reader()
    campaign_id = await a_campaign(replace(DRAFT, terms=Terms(bonus=100_00, bonus_days=14)))
    await feed_due(now=LATER)
    for person, end in ((first, "sent"), (second, "unknown"), (third, "failed")):
        await db.execute(
            "UPDATE message SET status = $2::varchar, reason = CASE WHEN $2::varchar = 'failed' THEN 'blocked' END"
            " WHERE customer_id = $1", person, end)  # fmt: skip
    await feed(campaign_id, now=LATER)
    states = await db.fetch("SELECT customer_id, state FROM recipient ORDER BY 1")
    assert [(row["customer_id"], row["state"]) for row in states] == [(first, "due"), (second, "due"), (third, "done")]


async def test_the_words_name_what_is_known_of_each_and_a_fallback_elsewhere():
    place = await a_location(name="Покровка, 27")
    known, other = await a_reader("Мария Соколова"), await a_reader("")
    await db.execute("UPDATE customer SET home_location_id = $2 WHERE id = $1", known, place)
    await db.execute("UPDATE customer_facts SET balance = 15000 WHERE customer_id = $1", known)
    text = "{first_name}, {balance} ждут: {location}. Уровень {tier}, дарим {bonus}"
    words = Words({"ru": text}, {"first_name": {"ru": "Друг"}, "location": {"ru": "любая кофейня"}})
    await a_campaign(CampaignDraft("", words, terms=Terms(bonus=50_00, bonus_days=7)))
    await feed_due(now=LATER)
    assert [one.text.replace("\u00a0", " ") for one in await said()] == [
        "Мария, 150 бонусов ждут: Покровка, 27. Уровень Base, дарим 50 бонусов",
        "Друг, 0 бонусов ждут: любая кофейня. Уровень Base, дарим 50 бонусов",
    ]
    assert other


async def test_who_lacks_what_the_text_needs_is_left_out_where_its_author_said_so():
    await a_reader("Мария")
    nameless = await a_reader("")
    campaign_id = await a_campaign(CampaignDraft("", Words({"ru": "{first_name}, привет"}, {"first_name": None})))
    assert await skipped(campaign_id) == {Skip.VARIABLE_MISSING: 1}
    [row] = (await recipients(campaign_id, fate=Fate.SKIPPED))[0]
    assert row.customer_id == nameless


async def test_buttons_files_and_counted_links_go_with_it():
    person = await a_reader()
    buttons = (
        CampaignButton(ButtonKind.CARD, {"ru": "Моя карта", "en": "My card"}),
        CampaignButton(ButtonKind.LINK, {"ru": "Меню"}, "https://shop.example/menu"),
        CampaignButton(ButtonKind.REPLY, {"ru": "Приду"}),
    )
    campaign_id = await drafted(replace(DRAFT, words=replace(HELLO, buttons=buttons)))
    picture = Upload("latte.png", "image/png", b"\x89PNG\r\n\x1a\n")
    draft = replace(DRAFT, words=replace(HELLO, buttons=buttons))
    await change_draft(campaign_id, draft, file=FileChange(picture), actor=COMMAND, now=NOW)
    view = await campaign(campaign_id)
    assert (view.file_name, view.draft.words.buttons) == ("latte.png", buttons)
    await launch(campaign_id)
    await start_campaign(campaign_id, now=NOW)
    await feed_due(link=lambda *told: f"https://ours.example/r/{'-'.join(map(str, told))}", now=LATER)
    [one] = await said()
    assert one.attachment == view.draft.words.attachment
    assert [(button.text, button.data) for row in one.buttons for button in row] == [
        ("Моя карта", "card"),
        ("Приду", "say:Приду"),
    ]
    assert [(link.text, link.url) for link in one.links] == [
        ("Меню", f"https://ours.example/r/{campaign_id}-{person}-1")
    ]


async def test_a_file_that_goes_with_a_copy_outlives_the_draft_it_came_with():
    picture = FileChange(Upload("latte.png", "image/png", b"\x89PNG\r\n\x1a\n"))
    first = await add_draft(DRAFT, Chosen(), file=picture, key=new_key(), actor=COMMAND, now=NOW)
    second = await copy_campaign(first, key="1", actor=COMMAND, now=NOW)
    assert await copy_campaign(first, key="1", actor=COMMAND, now=NOW) == second
    await delete_draft(first, actor=COMMAND, now=NOW)
    assert (await campaign(second)).file_name == "latte.png"
    await change_draft(second, DRAFT, file=FileChange(drops=True), actor=COMMAND, now=NOW)
    assert await db.fetch_value("SELECT count(*) FROM attachment") == 0


async def test_news_of_the_service_reach_whoever_takes_messages_and_offers_those_who_agreed():
    silent = await a_reader(says_yes=False)
    left = await a_reader(says_yes=False)
    await agree(left, granted=False)
    news = await a_campaign(CampaignDraft("", HELLO, CampaignTopic.SERVICE))
    assert (await campaign(news)).reached == 2
    await db.execute("UPDATE messenger_account SET takes_service = false WHERE customer_id = $1", silent)
    told = await reach(Audience(), Manner(CampaignTopic.SERVICE), working=BOTH, now=NOW)
    assert (told.reached, told.skipped) == (1, {Skip.NOT_TAKEN: 1})


async def test_its_own_order_of_channels_goes_before_the_shops_and_the_customers():
    person = await a_reader()
    await a_whatsapp(person, heard_at=NOW - timedelta(hours=1))
    for channels, wanted in ((("whatsapp", "telegram"), "whatsapp"), (("telegram",), "telegram")):
        told = await reach(Audience(), Manner(channels=channels), working=BOTH, now=NOW)
        assert told.channels == {wanted: 1}
    with pytest.raises(Refused, match="no_channel_works"):
        await launch(await drafted(replace(DRAFT, channels=("sms",))), working=BOTH)


async def test_a_template_stands_in_where_the_window_is_closed():
    person = await a_reader()
    await db.execute("DELETE FROM conversation")
    await db.execute("DELETE FROM messenger_account WHERE customer_id = $1", person)
    await a_whatsapp(person, heard_at=NOW - timedelta(days=3))
    assert (await reach(Audience(), Manner(), working=BOTH, now=NOW)).skipped == {Skip.WINDOW_CLOSED: 1}
    told = TemplateDraft("offer", "ru", "marketing", "Ждём, {{1}}, у нас", (Variable("first_name", "гость"),))
    template = await add_template(told, actor=COMMAND, now=NOW)
    await note_template("offer", "ru", "approved", "", now=NOW)
    await a_campaign(replace(DRAFT, words=replace(HELLO, template=template)))
    await feed_due(now=LATER)
    [one] = await said()
    assert (one.stand_in, one.values["first_name"]) == (template, "Мария")


async def test_it_stands_still_by_itself_when_too_much_goes_wrong_and_not_when_people_left():
    await db.execute(MANY_PEOPLE.replace("to_char(number", "to_char(50000000 + number"), 100)
    campaign_id = await a_campaign(DRAFT)
    await feed_due(now=LATER)
    await db.execute("UPDATE message SET status = 'failed', reason = 'blocked' WHERE id % 2 = 0")
    await count(campaign_id, now=LATER)
    assert (await campaign(campaign_id)).state is CampaignState.RUNNING
    await db.execute(
        "UPDATE message SET status = 'failed', reason = 'rejected' WHERE id IN (SELECT id FROM message"
        " WHERE status = 'queued' LIMIT 20)")  # fmt: skip
    await count(campaign_id, now=LATER)
    view = await campaign(campaign_id)
    assert (view.state, view.pause_reason) == (CampaignState.PAUSED, PauseReason.ERRORS)
    assert await db.fetch_value("SELECT count(*) FROM message WHERE status = 'queued'") == 0
    # Somebody looked and lets it go on: what went wrong before counts no more.
    after = LATER + timedelta(minutes=1)
    await resume_campaign(campaign_id, actor=COMMAND, now=after)
    await count(campaign_id, now=after)
    view = await campaign(campaign_id)
    assert (view.state, view.pause_reason) == (CampaignState.RUNNING, None)


async def test_a_token_that_is_revoked_lets_it_stand_still():
    await a_reader()
    campaign_id = await a_campaign(DRAFT)
    await feed_due(now=LATER)
    await db.execute(
        "INSERT INTO channel_pause (source, paused_until, reason, at) VALUES ('telegram:4242', $1, 'unauthorized', $2)",
        LATER + timedelta(days=1), LATER)  # fmt: skip
    await count(campaign_id, now=LATER)
    view = await campaign(campaign_id)
    assert (view.state, view.pause_reason) == (CampaignState.PAUSED, PauseReason.TOKEN_REVOKED)


async def test_those_of_whom_nobody_knows_get_it_again_when_somebody_says_so_and_once():
    first, second = await a_reader(), await a_reader()
    campaign_id = await a_campaign(DRAFT)
    await feed_due(now=LATER)
    assert await send(as_="unknown") == 2
    await feed_due(now=LATER)
    assert (await campaign(campaign_id)).state is CampaignState.FINISHED
    assert await send_again(campaign_id, customer_id=first, actor=COMMAND, now=LATER) == 1
    assert await send_again(campaign_id, customer_id=first, actor=COMMAND, now=LATER) == 0
    assert (await campaign(campaign_id)).state is CampaignState.RUNNING
    assert await send_again(campaign_id, actor=COMMAND, now=LATER) == 1
    assert await send() == 2
    await feed_due(now=LATER)
    view = await campaign(campaign_id)
    assert (view.state, view.sent, view.unknown) == (CampaignState.FINISHED, 2, 0)
    assert await db.fetch_value("SELECT count(*) FROM message WHERE customer_id = $1", second) == 2


async def test_a_trial_comes_to_whoever_asks_for_it_once_and_is_nobodys_campaign():
    campaign_id = await drafted(replace(DRAFT, words=Words({"ru": "{first_name}, привет"})))
    me = await a_cashier(phone="+79165557701")
    with pytest.raises(Refused, match="nowhere_to_try"):
        await send_trial(campaign_id, "ru", {}, channels=BOTH, key="1", actor=me, now=NOW)
    person = await a_reader()
    await db.execute("UPDATE customer SET phone = $2, phone_verified_at = $3 WHERE id = $1", person, me.phone, NOW)
    await an_account(person)
    for _ in range(2):
        values = {"first_name": "Олег"}
        assert await send_trial(campaign_id, "ru", values, channels=BOTH, key="1", actor=me, now=NOW) == ["telegram"]
    assert [one.text for one in await said()] == ["Олег, привет"]
    row = await db.fetch_row("SELECT topic, priority FROM message")
    assert row == {"topic": "service", "priority": 1}


async def test_an_erasure_takes_searches_and_words_for_them_alone_out_of_drafts():
    person, other = await a_reader("Мария Соколова"), await a_reader()
    alone, both = await drafted(chosen=Chosen(ids=(person,))), await drafted(chosen=Chosen(ids=(person, other)))
    searched = await launched(chosen=Chosen({"q": "Соколова"}), now=NOW)
    await erase_customer(person, actor=COMMAND, now=LATER)
    assert ((await campaign(alone)).state, (await campaign(alone)).texts) == (CampaignState.CANCELLED, {})
    assert (await campaign(both)).texts == HELLO.texts
    view = await campaign(searched)
    assert (view.state, view.look, view.ids) == (CampaignState.DRAFT, {}, ())


@pytest.mark.parametrize(
    ("draft", "field", "reason"),
    [
        (replace(DRAFT, channels=("pigeon",)), "channels", "unknown_choice"),
        (replace(DRAFT, channels=("sms", "sms")), "channels", "named_twice"),
        (replace(DRAFT, terms=Terms(control_bp=6_000)), "control", "unknown_choice"),
        (replace(DRAFT, terms=Terms(window_days=5)), "window", "unknown_choice"),
        (replace(DRAFT, terms=Terms(bonus=100)), "bonus_days", "out_of_range"),
        (replace(DRAFT, words=Words({"ru": "дарим {bonus}"})), "bonus", "named_and_not_given"),
        (replace(DRAFT, words=Words({"ru": "{location}"})), "fallback-location-ru", "required"),
        (replace(DRAFT, timing=Timing(starts_at=NOW, zone=ZONE)), "starts_at", "in_the_past"),
        (replace(DRAFT, timing=Timing(starts_at=NOW + timedelta(days=400), zone=ZONE)), "starts_at", "too_far_ahead"),
        (replace(DRAFT, timing=Timing(send_until=NOW, zone=ZONE)), "send_until", "before_the_start"),
        (replace(DRAFT, timing=Timing(starts_at=LATER, zone="Mars/Base")), "zone", "unknown_choice"),
    ],
)
async def test_what_cannot_be_kept_names_its_field(draft, field, reason):
    with pytest.raises(Invalid) as error:
        await drafted(draft)
    assert (error.value.field, error.value.reason) == (field, reason)
    assert await db.fetch_value("SELECT count(*) FROM campaign") == 0
