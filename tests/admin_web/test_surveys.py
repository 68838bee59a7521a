"""The pages of surveys: the score and what it is made of, the programme, asking on demand, a person's tab, the file."""

import csv
import io
from datetime import timedelta

import pytest
from pydantic import SecretStr
from yarl import URL

from loyalty import db
from loyalty.segments.actions.segments import add_member, add_segment
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.staff.rules import COMMAND, Role
from loyalty.surveys.actions.asking import ask_due
from loyalty.surveys.queries.programme import survey_programme
from tests.admin_web.conftest import START
from tests.admin_web.test_mass import hidden_fields
from tests.admin_web.test_segments import HTMX, text
from tests.builders import a_cashier, a_customer, a_location, an_account
from tests.loyalty.surveys.test_results import an_answer


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"telegram_bot_token": SecretStr("4242:token")})


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    """Answers are made as of the panel's own time."""
    monkeypatch.setattr("tests.loyalty.surveys.test_results.NOW", START)


async def scored(*scores: int, location: int | None = None, **more) -> int:
    """A customer who gave these scores, the first of them yesterday."""
    person = (await a_customer(name="Anna Belova")).id
    for days, score in enumerate(scores, 1):
        await an_answer(person, score, days_ago=days, location=location, **more)
    return person


async def test_an_empty_period_says_why_and_offers_the_one_thing_to_do(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    words = await text(panel, "/surveys")
    assert "Nobody has answered in these days" in words
    assert "The bot asks nobody after purchases: that is switched off" in words
    assert 'href="/surveys/programme"' in words


async def test_the_score_with_its_interval_what_it_is_made_of_and_the_comments(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    cashier = (await a_cashier()).staff_id
    here, there = await a_location(name="Here"), await a_location(name="There")
    person = await scored(10, 9, 3, location=here, cashier=cashier, comment="Wait <i>less</i>")
    await scored(8, location=there)
    words = await text(panel, "/surveys")
    for shown in (
        "Of 4 answers: with so few, somewhere between",
        "Promoters <b>50%</b>",
        "Wait &lt;i&gt;less&lt;/i&gt;",
        f"/customers/{person}?tab=nps",
        f"/customers/{person}?tab=conversation",
        "says little",
        "By cashier",
        'role="img"',
    ):
        assert shown in words, shown
    assert "<i>less" not in words
    only = await text(panel, f"/surveys?location={there}")
    assert ("Of 1 answer:" in only, "Wait" in only) == (True, False)
    headers = HTMX | {"HX-Target": "figures"}
    part = await (await panel.get("/surveys?period=12m", headers=headers)).text()
    assert "<html" not in part
    assert "NPS by month" in part
    # What nobody can ask is the usual.
    assert (await panel.get("/surveys?period=odd&location=999&segment=x")).status == 200


async def test_the_change_to_the_period_before_is_shown_where_enough_was_answered(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    here = await a_location(name="Here")
    person = (await a_customer()).id
    for number in range(10):
        await an_answer(person, 10, days_ago=2 + number, location=here)
        await an_answer(person, 8 if number else 0, days_ago=95 + number, location=here)
    words = await text(panel, "/surveys")
    assert words.count("+110") == 2
    assert "against the period before" in words


async def test_a_segment_is_looked_at_alone(panel, sign_in_as):
    await sign_in_as(Role.ANALYST)
    one = await scored(10)
    await scored(0)
    segment = await add_segment(SegmentDraft("Regulars"), actor=COMMAND, now=START)
    await add_member(segment, one, actor=COMMAND, now=START)
    assert "Of 1 answer:" in await text(panel, f"/surveys?segment={segment}")


async def test_answers_are_read_by_group_with_comments_and_a_page_at_a_time(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    await scored(*([10] * 20), comment="fine")
    await scored(*([2] * 15))
    every = await text(panel, "/surveys/answers")
    assert every.count('class="score') == 30
    low = await text(panel, "/surveys/answers?group=detractor")
    assert (low.count('class="score'), "fine" in low) == (15, False)
    said = await text(panel, "/surveys/answers?comment=1")
    assert said.count("fine") == 20
    following = next(part for part in every.split('"') if "after=" in part).replace("&amp;", "&")
    assert (await text(panel, following)).count('class="score') == 5


async def test_the_file_has_the_same_answers_masks_phones_and_is_written_down(panel, sign_in_as):
    await sign_in_as(Role.ANALYST)
    await scored(10, comment="=1+1")
    await scored(1)
    answer = await panel.post(URL("/surveys/answers/file").with_query({"group": "promoter"}))
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="nps-' in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
    assert rows[0][:4] == ["When", "Score", "Group", "Comment"]
    assert rows[1][1:5] == ["10", "Promoters", "'=1+1", "Anna Belova"]
    assert "···" in rows[1][5]
    assert len(rows) == 2
    acts = await db.fetch("SELECT details FROM journal_entry WHERE action = 'survey_answers.exported'")
    assert db.from_json(acts[0]["details"])["phones"] is False


async def test_whose_rights_end_with_a_location_sees_its_answers_alone_and_opens_no_settings(panel, sign_in_as):
    here, there = await a_location(name="Here"), await a_location(name="There")
    await scored(10, location=here)
    await scored(0, 1, location=there)
    await scored(5)
    await sign_in_as(Role.MARKETER, location_ids=(here,))
    words = await text(panel, "/surveys")
    assert "Of 1 answer:" in words
    assert "/surveys/programme" not in words
    assert "Of 1 answer:" in await text(panel, f"/surveys?location={there}")
    assert (await text(panel, "/surveys/answers")).count('class="score') == 1
    assert (await panel.get("/surveys/programme")).status == 403
    assert (await panel.get("/surveys/runs")).status == 403


async def test_the_programme_is_set_previewed_and_refused_beside_its_fields(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    place = await a_location(name="Here")
    await a_customer(name="Anna Belova")
    shown = await text(panel, "/surveys/programme")
    assert "how likely are you to recommend us" in shown
    fields = {
        "seen": "", "is_on": "1", "delay_hours": "3", "pause_days": "120", "minimum": "300,50", "where": "some",
        f"at-{place}": "1", "bonus": "50", "makes_tasks": "1", "assignee_id": "", "link-0": "https://maps.example.com/x",
        "text-en": "{first_name}, how was it?", "text-ru": "", "text-uk": "", "text-en-thanks_promoter": "Hurray",
    }  # fmt: skip
    looked = await (
        await panel.post("/surveys/programme/preview", data=fields | {"language": "en"}, headers=HTMX)
    ).text()
    assert "Anna, how was it?" in looked
    assert "Hurray" in looked
    assert looked.count('<p class="chat-btns">') == 2  # Telegram's buttons, WhatsApp's list
    assert "1 or 0" in looked
    for changes, field in (
        ({"delay_hours": "721"}, "delay_hours"),
        ({"pause_days": "30"}, "pause_days"),
        ({"delay_hours": ""}, "delay_hours"),
        ({"minimum": "x"}, "minimum"),
        ({f"at-{place}": ""}, "location_ids"),
        ({"link-0": "http://maps.example.com"}, "link-0"),
        ({"text-en": "{odd}"}, "text-en"),
        ({"text-en-thanks_promoter": "x" * 601}, "text-en-thanks_promoter"),
    ):
        answer = await panel.post("/surveys/programme", data=fields | changes, headers=HTMX)
        assert (answer.status, f'id="{field}-error"' in await answer.text()) == (422, True), changes
    assert (await survey_programme()).updated_at is None
    done = await panel.post("/surveys/programme", data=fields, allow_redirects=False)
    assert (done.status, done.headers["Location"]) == (303, "/surveys")
    draft = (await survey_programme()).draft
    assert (draft.is_on, draft.delay_hours, draft.pause_days, draft.minimum) == (True, 3, 120, 300_50)
    assert (draft.location_ids, draft.bonus, draft.link(place)) == ((place,), 50_00, "https://maps.example.com/x")
    again = await text(panel, "/surveys/programme")
    assert "{first_name}, how was it?" in again
    assert 'value="300.50"' in again
    # Somebody else has changed it since.
    late = await panel.post("/surveys/programme", data=fields, headers=HTMX)
    assert late.status == 422
    assert "Somebody changed this meanwhile" in await late.text()
    assert "The bot asks 3 hours after a purchase" in await text(panel, "/surveys")


async def test_a_segment_is_asked_after_the_reach_and_the_count_were_shown(panel, sign_in_as):
    me = await sign_in_as(Role.MARKETER)
    people = [(await a_customer(name="Anna Belova")).id for _ in range(3)]
    for person in people[:2]:
        await an_account(person)
    segment = await add_segment(SegmentDraft("Regulars"), actor=COMMAND, now=START)
    for person in people:
        await add_member(segment, person, actor=COMMAND, now=START)
    assert "Regulars" in await text(panel, "/surveys/runs/new")
    chosen = await panel.get(f"/surveys/runs/new?segment={segment}", allow_redirects=False)
    url = chosen.headers["Location"]
    page = await text(panel, url)
    assert "2 customers are asked" in page
    assert "no messenger in which they could answer" in page
    fields = hidden_fields(page)
    there = URL("/surveys/runs").with_query(URL(url).query)
    asked = await (await panel.post(there, data=fields | {"step": "ask"})).text()
    assert "2 customers will be asked" in asked
    assert await db.fetch_value("SELECT count(*) FROM survey_run") == 0
    agreed = fields | hidden_fields(asked) | {"step": "start"}
    done = await panel.post(there, data=agreed, allow_redirects=False)
    again = await panel.post(there, data=agreed, allow_redirects=False)
    assert (done.status, again.headers["Location"]) == (303, done.headers["Location"])
    assert await db.fetch_value("SELECT staff_id FROM survey_run") == me.id
    await ask_due(now=START)
    run = await text(panel, done.headers["Location"])
    assert "2 of 2" in run
    assert "Regulars" in run
    part = await panel.get(f"{done.headers['Location']}?part", headers=HTMX)
    assert part.status == 200
    ended = await panel.post(f"{done.headers['Location']}/cancel", allow_redirects=False)
    assert ended.status == 303
    assert (await panel.get(f"{done.headers['Location']}?part", headers=HTMX)).status == 286
    assert "Ended early" in await text(panel, "/surveys/runs")
    # They are free again: nobody was sent anything.
    assert "2 customers are asked" in await text(panel, url)


async def test_from_a_segment_and_from_a_filter_of_the_base_one_comes_to_the_page_that_asks(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    person = (await a_customer(name="Anna Belova")).id
    await an_account(person)
    segment = await add_segment(SegmentDraft("Regulars"), actor=COMMAND, now=START)
    assert f'href="/surveys/runs/new?segment={segment}"' in await text(panel, f"/segments/{segment}")
    words = await text(panel, "/customers?f=visits:between:..0&q=anna")
    url = next(part for part in words.split('"') if part.startswith("/surveys/runs/new?")).replace("&amp;", "&")
    assert "1 customer is asked" in await text(panel, url)


async def test_with_nobody_to_ask_the_button_is_off_and_says_why(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    await a_customer()
    words = await text(panel, "/surveys/runs/new?everybody=1")
    assert "There is nobody to ask: see below why." in words
    assert 'class="btn pri" disabled' in words
    refused = await panel.post("/surveys/runs?everybody=1", data={"key": "k", "step": "ask"}, headers=HTMX)
    assert refused.status == 422
    assert "None of these customers can be asked now." in await refused.text()
    assert (await panel.get("/surveys/runs/999")).status == 404
    assert (await panel.get("/surveys/runs/new?f=odd")).status == 422


async def test_the_card_tells_scores_comments_and_questions_without_an_answer(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    person = await scored(9, comment="Lovely", location=await a_location(name="Here"))
    await db.execute(
        "INSERT INTO survey_invitation (key, customer_id, state, reason, due_at, created_at)"
        " VALUES ('x', $1, 'skipped', 'blocked', $2, $2)",
        person,
        START - timedelta(days=200),
    )
    words = await text(panel, f"/customers/{person}?tab=nps")
    for shown in ("Lovely", "Promoters", "Here", "They have blocked us there", "Newest score"):
        assert shown in words, shown
    other = (await a_customer()).id
    assert "Was never asked" in await text(panel, f"/customers/{other}?tab=nps")
    line = await text(panel, f"/customers/{person}?tab=timeline")
    assert "Gave a score: 9 of 10" in line
