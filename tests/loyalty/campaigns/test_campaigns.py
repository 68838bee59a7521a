"""Messages to many: whom one reaches and leaves out, what everybody reads, standing still, ending, counting."""

from datetime import timedelta

import pytest

from loyalty import db
from loyalty.campaigns.actions.drafting import Chosen
from loyalty.campaigns.actions.feeding import AHEAD, count, feed, feed_due
from loyalty.campaigns.actions.running import cancel_campaign, pause_campaign, resume_campaign
from loyalty.campaigns.queries.campaigns import campaign, campaigns, failures, recipients, skipped
from loyalty.campaigns.queries.reach import Manner, Reach, reach
from loyalty.campaigns.rules.drafts import Acknowledgement, CampaignDraft, acknowledgement
from loyalty.campaigns.rules.states import TICKED_AT_MOST, CampaignState, Fate, Skip
from loyalty.campaigns.rules.texts import TEXT_LENGTH, Words
from loyalty.conversations.actions import delivery
from loyalty.conversations.actions.messaging import set_manners
from loyalty.conversations.rules import Cap, Manners
from loyalty.customers.actions.archive import delete_customers
from loyalty.customers.actions.profile import set_consent
from loyalty.customers.rules import Topic
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.ids import new_key
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.queries.verify import verify
from loyalty.segments.actions.segments import add_member, add_segment
from loyalty.segments.queries.audience import Audience
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.segments.rules.trees import Condition, Group
from loyalty.staff.rules import COMMAND
from tests.builders import (
    EVERYBODY,
    NOW,
    a_campaign,
    a_cashier,
    a_customer,
    a_location,
    a_programme,
    a_sale,
    an_account,
    assert_books_agree,
)
from tests.proofs.test_bulk import MANY_PEOPLE

SOURCE = "telegram:4242"
BOTH = ("telegram", "whatsapp")
LATER = NOW + timedelta(minutes=5)


@pytest.fixture(autouse=True)
async def _shop(database):
    await a_programme()


async def a_reader(name: str = "Мария Соколова", *, language: str = "ru", says_yes: bool = True) -> int:
    """Somebody with Telegram who agreed to advertising."""
    person = await a_customer(name=name)
    await an_account(person.id)
    await db.execute("UPDATE customer SET language = $2 WHERE id = $1", person.id, language)
    if says_yes:
        await agree(person.id)
    return person.id


async def agree(customer_id: int, *, granted: bool = True) -> None:
    await set_consent(
        customer_id, Topic.MARKETING, granted=granted, source="telegram", text_version="1", actor=COMMAND, now=NOW
    )


async def a_whatsapp(customer_id: int, *, heard_at=None) -> int:
    account_id = await an_account(customer_id)
    await db.execute("UPDATE messenger_account SET channel = 'whatsapp', is_default = false WHERE id = $1", account_id)
    await db.execute("UPDATE conversation SET heard_at = $2 WHERE account_id = $1", account_id, heard_at)
    return account_id


async def start(
    chosen: Chosen = EVERYBODY,
    *,
    key: str | None = None,
    texts: dict[str, str] | None = None,
    name: str = "",
    acknowledged: Acknowledgement | None = None,
    now=NOW,
) -> int:
    words = Words(texts if texts is not None else {"ru": "{first_name}, мы соскучились"})
    author = await a_cashier()
    return await a_campaign(
        CampaignDraft(name, words), chosen, acknowledged=acknowledged, key=key, actor=author, now=now
    )


async def reached(audience: Audience | None = None, *, working=BOTH, now=NOW) -> Reach:
    return await reach(audience or Audience(), Manner(), working=working, now=now)


async def send(*, as_: str = "sent", now=LATER) -> int:
    """Let everything in the outbox of Telegram come to this end; returns how much."""
    leased = await delivery.lease_messages(SOURCE, limit=1_000, now=now)
    begun = await delivery.settle_and_begin([], [one.id for one in leased], SOURCE, now=now)
    for one in leased:
        if as_ == "unknown":
            await delivery.settle_unknown(one, "no_answer", now=now)
        elif as_ != "sent":
            await delivery.settle_failed(one.id, as_, now=now)
    if as_ == "sent":
        await delivery.settle_and_begin([(one.id, str(one.id), now) for one in leased], [], SOURCE, now=now)
    return len(begun)


async def test_everybody_of_the_audience_is_split_by_channel_and_by_reason():
    await a_location()
    plain = await a_reader()
    silent = await a_reader(says_yes=False)
    left = await a_reader()
    await agree(left, granted=False)
    nobody = (await a_customer(phone=None)).id
    await db.execute("DELETE FROM messenger_account WHERE customer_id = $1", nobody)
    blocked = await a_reader()
    await db.execute("UPDATE messenger_account SET is_active = false WHERE customer_id = $1", blocked)
    stopped = await a_reader()
    await db.execute("UPDATE messenger_account SET takes_marketing = false WHERE customer_id = $1", stopped)
    kept_out = await a_reader()
    away = await add_segment(SegmentDraft("Colleagues", is_exclusion=True), actor=COMMAND, now=NOW)
    await add_member(away, kept_out, actor=COMMAND, now=NOW)
    closed = await a_reader()
    await db.execute("DELETE FROM conversation WHERE account_id IN (SELECT id FROM messenger_account"
                     " WHERE customer_id = $1)", closed)  # fmt: skip
    await db.execute("DELETE FROM messenger_account WHERE customer_id = $1", closed)
    await a_whatsapp(closed, heard_at=NOW - timedelta(hours=25))
    hidden = await a_reader()
    await delete_customers([hidden], actor=COMMAND, now=NOW)

    found = await reached(now=NOW)
    assert found.channels == {"telegram": 1}
    assert found.skipped == {
        Skip.EXCLUDED: 1,
        Skip.NO_ACCOUNT: 1,
        Skip.BLOCKED: 1,
        Skip.NO_CONSENT: 2,
        Skip.NOT_TAKEN: 1,
        Skip.WINDOW_CLOSED: 1,
    }
    assert (found.reached, found.total) == (1, 8)
    started = await start()
    view = await campaign(started)
    assert (view.total, view.skipped, view.reached) == (8, 7, 1)
    # Nobody is written to in WhatsApp, so nothing is to be told of there.
    assert view.channels == ("telegram",)
    assert await skipped(started) == found.skipped
    rows, _ = await recipients(started)
    reasons = {row.customer_id: row.reason for row in rows}
    assert reasons == {
        plain: None,
        silent: "no_consent",
        left: "no_consent",
        nobody: "no_account",
        blocked: "blocked",
        stopped: "not_taken",
        kept_out: "excluded",
        closed: "window_closed",
    }


async def test_an_exclusion_by_conditions_keeps_out_whoever_meets_them_now():
    spender, other = await a_reader(), await a_reader()
    await a_sale(spender, await a_location(), 5000_00)
    rich = Group(parts=(Condition("sold", "between", "100000.."),))
    await add_segment(SegmentDraft("Rich", is_exclusion=True, conditions=rich), actor=COMMAND, now=NOW)
    found = await reached(now=LATER)
    assert (found.channels, found.skipped) == ({"telegram": 1}, {Skip.EXCLUDED: 1})
    named = await reached(Audience(ids=(other,)), now=LATER)
    assert (named.reached, named.total) == (1, 1)


async def test_of_several_accounts_the_shops_first_channel_is_taken_and_the_customers_own_before_it():
    person = await a_reader()
    await a_whatsapp(person, heard_at=NOW - timedelta(hours=1))
    assert (await reached(now=NOW)).channels == {"telegram": 1}
    await db.execute("UPDATE messenger_account SET is_default = false WHERE customer_id = $1", person)
    await db.execute("UPDATE messenger_account SET is_default = true WHERE channel = 'whatsapp'")
    assert (await reached(now=NOW)).channels == {"whatsapp": 1}
    # Where the window is over, another channel is better than none.
    assert (await reached(now=NOW + timedelta(days=2))).channels == {"telegram": 1}
    # A channel that does not work here is none.
    nowhere = await reached(working=("whatsapp",), now=NOW + timedelta(days=2))
    assert nowhere.skipped == {Skip.WINDOW_CLOSED: 1}


async def test_who_got_enough_advertising_lately_is_left_out():
    await set_manners(Manners(cap=Cap(1, 7)), now=NOW)
    await a_reader()
    await start()
    await feed_due(now=LATER)
    assert (await reached(now=LATER)).reached == 1
    assert await send() == 1
    assert (await reached(now=LATER)).skipped == {Skip.CAPPED: 1}
    assert (await reached(now=NOW + timedelta(days=8))).reached == 1


async def test_the_same_key_starts_one_campaign():
    await a_reader()
    key = new_key()
    assert await start(key=key) == await start(key=key)
    assert len((await campaigns())[0]) == 1


async def test_whoever_is_found_later_is_not_of_it():
    await a_reader()
    started = await start()
    await a_reader()
    while await feed(started, now=LATER):
        pass
    assert await send() == 1


async def test_a_filter_and_a_search_choose_the_audience():
    first, second = await a_reader("Анна Белова"), await a_reader("Олег Черный")
    await a_sale(second, await a_location(), 900_00)
    look = {"f": "sold:between:50000.."}
    started = await start(Chosen(look))
    rows, _ = await recipients(started)
    assert [row.customer_id for row in rows] == [second]
    searched = await start(Chosen({"q": "белова"}))
    assert [row.customer_id for row in (await recipients(searched))[0]] == [first]
    ticked = await start(Chosen(ids=(first,)))
    assert [row.customer_id for row in (await recipients(ticked))[0]] == [first]


async def test_everybody_reads_it_in_their_language_or_the_shops():
    await a_reader("Мария Соколова")
    await a_reader("Max Weber", language="en")
    await a_reader("Софія Гнатюк", language="uk")
    await a_reader("", language="ru")
    await start(texts={"ru": "Здравствуйте, {first_name}.\nЖдём.", "en": "{first_name}, come in.", "uk": "  "})
    await feed_due(now=LATER)
    said = {row["text"] for row in await db.fetch("SELECT content->>'text' AS text FROM message WHERE kind = 'bulk'")}
    assert said == {
        "Здравствуйте, Мария.\nЖдём.",
        "Max, come in.",
        "Здравствуйте, Софія.\nЖдём.",
        "Здравствуйте.\nЖдём.",
    }


@pytest.mark.parametrize(
    ("texts", "field", "reason"),
    [
        ({"en": "Hello"}, "text-ru", "required"),
        ({"ru": " \n "}, "text-ru", "required"),
        ({"ru": "я" * (TEXT_LENGTH + 1)}, "text-ru", "too_long"),
        ({"ru": "ура", "en": "{name}"}, "text-en", "unknown_variable"),
        ({"ru": "ура", "uk": "{"}, "text-uk", "odd_braces"),
    ],
)
async def test_words_that_cannot_be_sent_name_their_field(texts, field, reason):
    await a_reader()
    with pytest.raises(Invalid) as error:
        await start(texts=texts)
    assert (error.value.field, error.value.reason) == (field, reason)
    assert await db.fetch_value("SELECT count(*) FROM campaign") == 0


async def test_nothing_is_sent_without_the_words_that_its_author_confirmed():
    await a_reader()
    said = acknowledgement("uk")
    for other in (Acknowledgement(said.version + 1, "uk", said.text), Acknowledgement(said.version, "uk", "Так")):
        with pytest.raises(Invalid) as error:
            await start(acknowledged=other)
        assert error.value.field == "acknowledged"
    started = await start(acknowledged=said)
    view = await campaign(started)
    assert (view.acknowledged_version, view.acknowledged_text) == (said.version, said.text)
    row = await db.fetch_row("SELECT acknowledged_language, staff_id, created_at FROM campaign WHERE id = $1", started)
    assert row is not None
    assert (row["acknowledged_language"], row["staff_id"], row["created_at"]) == ("uk", view.staff_id, NOW)


async def test_a_campaign_that_reaches_nobody_ends_with_the_reason_of_each():
    await a_reader(says_yes=False)
    started = await start()
    await feed_due(now=LATER)
    view = await campaign(started)
    assert (view.state, view.total, view.reached) == (CampaignState.FINISHED, 1, 0)
    assert await skipped(started) == {Skip.NO_CONSENT: 1}
    with pytest.raises(Refused, match="too_many_customers"):
        await start(Chosen(ids=tuple(range(TICKED_AT_MOST + 1))))


async def test_it_is_fed_to_the_outbox_only_so_far_ahead():
    await db.execute(MANY_PEOPLE.replace("to_char(number", "to_char(90000000 + number"), AHEAD + 21)
    started = await start()
    assert (await campaign(started)).reached == AHEAD + 21
    assert await feed_due(now=LATER) == AHEAD
    assert await feed(started, now=LATER) == 0
    assert await send() == AHEAD
    assert await feed_due(now=LATER) == 21
    assert await send(as_="unknown") == 21
    assert await feed(started, now=LATER) == 0
    view = await campaign(started)
    assert (view.state, view.sent, view.unknown, view.queued) == (CampaignState.FINISHED, AHEAD, 21, 0)
    assert await db.fetch_value("SELECT count(*) FROM message WHERE kind = 'bulk'") == AHEAD + 21


async def test_who_left_the_base_since_is_left_out():
    gone, stays = await a_reader(), await a_reader()
    started = await start()
    await delete_customers([gone], actor=COMMAND, now=NOW)
    await feed_due(now=LATER)
    view = await campaign(started)
    assert (view.total, view.skipped) == (2, 1)
    assert await skipped(started) == {Skip.NOT_IN_BASE: 1}
    assert (await recipients(started, fate=Fate.QUEUED))[0][0].customer_id == stays


async def test_pausing_takes_back_what_nobody_sends_yet_and_going_on_sends_it_once():
    for _ in range(3):
        await a_reader()
    started = await start()
    author = await a_cashier()
    await feed_due(now=LATER)
    for _ in range(2):
        await pause_campaign(started, actor=author, now=LATER)
    assert await send() == 0
    await feed_due(now=LATER)
    view = await campaign(started)
    assert (view.state, view.queued, view.cancelled) == (CampaignState.PAUSED, 3, 0)
    assert [row.fate for row in (await recipients(started))[0]] == [Fate.QUEUED] * 3
    for _ in range(2):
        await resume_campaign(started, actor=author, now=LATER)
    assert await send() == 3
    await feed_due(now=LATER)
    view = await campaign(started)
    assert (view.state, view.sent, view.settled) == (CampaignState.FINISHED, 3, 3)
    with pytest.raises(Refused, match="campaign_is_over"):
        await pause_campaign(started, actor=author, now=LATER)
    with pytest.raises(NotFound):
        await pause_campaign(started + 1, actor=author, now=LATER)


async def test_what_went_to_another_account_stands_still_with_its_campaign():
    person = await a_reader()
    await a_whatsapp(person, heard_at=NOW)
    started = await start()
    await feed_due(now=LATER)
    [leased] = await delivery.lease_messages(SOURCE, limit=10, now=LATER)
    await pause_campaign(started, actor=await a_cashier(), now=LATER)
    assert await delivery.settle_failed(leased.id, "blocked", now=LATER)
    await feed_due(now=LATER)
    assert await delivery.lease_messages("whatsapp:1000", limit=10, now=LATER) == []
    await resume_campaign(started, actor=await a_cashier(), now=LATER)
    [instead] = await delivery.lease_messages("whatsapp:1000", limit=10, now=LATER)
    await delivery.settle_and_begin([], [instead.id], "whatsapp:1000", now=LATER)
    await delivery.settle_and_begin([(instead.id, "w", LATER)], [], "whatsapp:1000", now=LATER)
    await feed_due(now=LATER)
    view = await campaign(started)
    assert (view.state, view.sent, view.failed) == (CampaignState.FINISHED, 1, 0)
    assert (await recipients(started))[0][0].channel == "whatsapp"
    assert await told_of_campaigns() == set()


async def test_the_books_tell_of_a_campaign_that_does_not_add_up():
    await a_reader()
    await a_reader(says_yes=False)
    started = await start()
    await feed_due(now=LATER)
    await assert_books_agree(now=LATER)
    await db.execute("UPDATE campaign SET total = 3, skipped = 0")
    await db.execute("UPDATE recipient SET message_id = NULL WHERE state = 'queued'")
    assert await told_of_campaigns() == {(check, started) for check in CAMPAIGN_CHECKS}


CAMPAIGN_CHECKS = {"audience of campaign", "left out of campaign", "message of recipient"}


async def told_of_campaigns() -> set[tuple[str, int]]:
    """(check, campaign) of what does not add up."""
    found = (await verify(now=LATER)).differences
    return {(one.check, one.id) for one in found if one.check in CAMPAIGN_CHECKS}


async def test_cancelling_leaves_what_was_sent_and_sends_nothing_more():
    for _ in range(3):
        await a_reader()
    started = await start()
    author = await a_cashier()
    await feed_due(now=LATER)
    [first] = await delivery.lease_messages(SOURCE, limit=1, now=LATER)
    await delivery.settle_and_begin([], [first.id], SOURCE, now=LATER)
    for _ in range(2):
        await cancel_campaign(started, actor=author, now=LATER)
    await delivery.settle_and_begin([(first.id, "1", LATER)], [], SOURCE, now=LATER)
    assert await send() == 0
    await count(started, now=LATER)
    view = await campaign(started)
    assert (view.state, view.sent, view.cancelled, view.queued) == (CampaignState.CANCELLED, 1, 2, 0)
    assert len((await recipients(started, fate=Fate.CANCELLED))[0]) == 2
    for act in (pause_campaign, resume_campaign):
        with pytest.raises(Refused, match="campaign_is_over"):
            await act(started, actor=author, now=LATER)


async def test_cancelling_before_anything_was_fed_cancels_everybody():
    await a_reader()
    started = await start()
    await cancel_campaign(started, actor=await a_cashier(), now=LATER)
    view = await campaign(started)
    assert (view.cancelled, view.settled, view.reached) == (1, 1, 1)
    assert (await recipients(started, fate=Fate.CANCELLED))[0][0].fate is Fate.WAITING


async def test_what_did_not_arrive_is_told_with_its_reason():
    person = await a_reader()
    started = await start()
    await feed_due(now=LATER)
    assert await send(as_="blocked") == 1
    await feed_due(now=LATER)
    view = await campaign(started)
    assert (view.state, view.failed) == (CampaignState.FINISHED, 1)
    assert await failures(started) == [("blocked", 1)]
    [row] = (await recipients(started, fate=Fate.FAILED))[0]
    assert (row.customer_id, row.reason) == (person, "blocked")


async def test_a_campaign_is_called_by_its_first_words_unless_somebody_names_it():
    await a_reader()
    assert (await campaign(await start(texts={"ru": "Первая строка\nи ещё"}))).name == "Первая строка"
    assert (await campaign(await start(texts={"ru": "{first_name}, у вас {balance}"}))).name == "У вас …"
    assert (await campaign(await start(name="  Осень  2026 "))).name == "Осень 2026"
    long = await campaign(await start(texts={"ru": "слово " * 40}))
    assert len(long.name) <= 80
    assert long.name.endswith("слово…")
    with pytest.raises(Invalid) as error:
        await start(name="я" * 81)
    assert (error.value.field, error.value.reason) == ("name", "too_long")


async def test_erasing_a_person_takes_the_words_that_were_for_them_alone():
    person = await a_reader("Мария Соколова")
    other = await a_reader("Олег Черный")
    alone = await start(Chosen(ids=(person,)), texts={"ru": "Мария, ваш торт готов"})
    together = await start(texts={"ru": "Ждём всех"})
    await db.execute(
        'UPDATE campaign SET look = \'{"q": "Соколова", "f": "sold:between:1.."}\' WHERE id = $1', together
    )
    await erase_customer(person, actor=COMMAND, now=LATER)
    assert ((await campaign(alone)).name, (await campaign(alone)).texts) == ("", {})
    kept = await campaign(together)
    assert (kept.texts, kept.look) == ({"ru": "Ждём всех"}, {"f": "sold:between:1.."})
    await feed_due(now=LATER)
    told = await db.fetch("SELECT customer_id FROM message WHERE kind = 'bulk'")
    assert [row["customer_id"] for row in told] == [other]
