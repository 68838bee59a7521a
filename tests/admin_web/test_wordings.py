"""A message to many in several wordings, as it is written, looked through and judged, with scripts and without."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import FormData
from pydantic import SecretStr

from admin_web.i18n import READER, Reader
from admin_web.pages.campaign_wordings import wordings_said, wordings_told
from loyalty import db
from loyalty.campaigns.effect import Pair, Verdict
from loyalty.campaigns.queries.report import Report
from loyalty.campaigns.queries.wordings import WordingCount, Wordings
from loyalty.clock import system_now
from loyalty.staff.rules import Role
from tests.admin_web.test_campaigns import agreed, drafted, keep, launch, readers, written
from tests.admin_web.test_mass import hidden_fields
from tests.admin_web.test_segments import HTMX, text
from tests.builders import NOW, a_location, a_programme, a_sale
from tests.loyalty.campaigns.frozen import a_campaign, a_recipient

DAY = timedelta(days=1)


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"telegram_bot_token": SecretStr("4242:token")})


@pytest.fixture
def reader():
    token = READER.set(Reader(language="en", currency="RUB", exponent=2, now=NOW))
    yield
    READER.reset(token)


def plain(words: str) -> str:
    return words.replace("\xa0", " ").replace("\u202f", " ")


async def two_wordings(panel) -> dict[str, str]:
    """A form with two of them as it is when everything is typed."""
    return await written(panel, {"scope": "all"}) | {"wordings": "2", "text-b-ru": "Wording B for {first_name}"}


async def test_without_scripts_another_wording_has_its_place_and_what_was_typed_stays(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    await readers(1)
    fields = await written(panel, {"scope": "all"})
    assert 'name="text-b-ru"' not in await text(panel, "/campaigns/new")
    # The form may bring a file along.
    wide = FormData(fields | {"step": "add"}, default_to_multipart=True)
    added = await (await panel.post("/campaigns/wordings?scope=all", data=wide)).text()
    assert "<!doctype html>" in added.lower()
    assert hidden_fields(added)["wordings"] == "2"
    for words in ('name="text-b-ru"', "Wording A", "Wording B", "{first_name}, &lt;b&gt;come in", "drawn by lot"):
        assert words in added, words
    typed = fields | {"wordings": "3", "text-b-ru": "Second", "text-c-ru": "Third", "text-c-en": "Third, too"}
    third = await (await panel.post("/campaigns/wordings", data=typed)).text()
    assert "Try another wording" not in third
    less = await (await panel.post("/campaigns/wordings", data=typed | {"step": "drop-1"})).text()
    assert hidden_fields(less)["wordings"] == "2"
    # The third is the second now; what stood there is gone.
    assert re.search(r'name="text-b-ru"[^>]*>Third<', less)
    assert re.search(r'name="text-b-en"[^>]*>Third, too<', less)
    # It can be put back behind it, as long as nothing else is changed.
    taken = hidden_fields(less)
    assert taken["taken_ru"] == "Second"
    back = typed | taken | {"text-b-ru": "Third", "text-c-ru": "", "step": "back"}
    again = await (await panel.post("/campaigns/wordings", data=back)).text()
    assert re.search(r'name="text-c-ru"[^>]*>Second<', again)
    assert "Put it back" not in again
    for step in ("drop-7", "drop-", "nothing"):
        same = await (await panel.post("/campaigns/wordings", data=typed | {"step": step})).text()
        assert hidden_fields(same)["wordings"] == "3"
    assert await db.fetch_value("SELECT count(*) FROM campaign") == 0


async def test_with_scripts_the_texts_alone_come_and_the_preview_asks_anew(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    await readers(1)
    fields = await written(panel, {"scope": "all"})
    part = await (await panel.post("/campaigns/wordings", data=fields | {"step": "add"}, headers=HTMX)).text()
    assert "<html" not in part
    assert part.count("autofocus") == 1
    assert 'hx-trigger="load" hx-target="#preview"' in part
    told = fields | {"wordings": "2", "text-b-ru": "B for {first_name}", "wording": "B"}
    shown = await (await panel.post("/campaigns/preview", data=told, headers=HTMX)).text()
    assert "B for Anna" in shown
    assert "come in" not in shown
    for field in ("text-ru", "text-b-ru"):
        assert f'id="{field}-size" hx-swap-oob="true"' in shown
    # The other is still being written: what can be read is shown all the same.
    for others in ({"text-b-ru": ""}, {"text-b-ru": "{what}"}):
        one = await (await panel.post("/campaigns/preview", data=told | others | {"wording": "A"}, headers=HTMX)).text()
        assert "Anna, &lt;b&gt;come in&lt;/b&gt;" in one
        assert "text-b-ru-size" not in one
    wrong = await (await panel.post("/campaigns/preview", data=told | {"text-b-ru": "{what}"}, headers=HTMX)).text()
    assert "{what}" in wrong
    gone = await (await panel.post("/campaigns/preview", data=told | {"wording": "ABC"}, headers=HTMX)).text()
    assert "come in" in gone


async def test_what_is_wrong_with_a_wording_stands_beside_it(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    await readers(1)
    fields = await two_wordings(panel)
    for changes, field in (
        ({"text-b-ru": ""}, "text-b-ru"),
        ({"text-b-ru": "{what}"}, "text-b-ru"),
        ({"text-b-ru": fields["text-ru"]}, "text-b-ru"),
        ({"text-b-en": "Told in English, too"}, "text-en"),
        ({"text-en": "In English alone"}, "text-b-en"),
    ):
        answer = await keep(panel, fields | changes, headers=HTMX)
        assert (answer.status, f'id="{field}-error"' in await answer.text()) == (422, True), changes
    # One wording means one, whatever else is typed.
    url = await drafted(panel, fields | {"wordings": "9"})
    assert await db.fetch_value("SELECT other_texts FROM campaign") is None
    assert "Wording A" not in await text(panel, url)


async def test_every_wording_is_looked_through_tried_and_shown_when_it_is_sent(panel, sign_in_as):
    me = await sign_in_as(Role.MARKETER)
    people = await readers(4)
    await db.execute("UPDATE staff_member SET phone = '+79165558821' WHERE id = $1", me.id)
    await db.execute(
        "UPDATE customer SET phone = '+79165558821', phone_verified_at = $2 WHERE id = $1", people[0], system_now()
    )
    url = await drafted(panel, await two_wordings(panel))
    page = await text(panel, url)
    for words in ("Wording A", "Wording B for {first_name}", "Each wording comes", 'name="wording" value="B"'):
        assert words in page, words
    assert re.search(r'name="text-b-ru"[^>]*>Wording B for {first_name}<', await text(panel, f"{url}/edit"))
    shown = await panel.post(f"/campaigns/preview?draft={url.rpartition('/')[2]}", data={"wording": "B"}, headers=HTMX)
    assert "Wording B for Anna" in await shown.text()
    await panel.post(f"{url}/trial", data={"key": "1", "customer": str(people[0]), "language": "ru"})
    told = await db.fetch("SELECT content FROM message ORDER BY id")
    assert [db.from_json(row["content"])["text"] for row in told] == ["Anna, <b>come in</b>", "Wording B for Anna"]
    asked = await (await launch(panel, url, {})).text()
    assert "By lot, each wording (A, B) goes to about 2 of them" in asked
    assert (await launch(panel, url, hidden_fields(asked))).headers["Location"] == url
    sent = await text(panel, url)
    for words in ("Wording A", "Wording B for {first_name}", 'id="report-wordings"', "Cannot tell yet which is better"):
        assert words in sent, words
    drawn = {row["variant"] for row in await db.fetch("SELECT variant FROM recipient")}
    assert drawn == {place for place, letter in enumerate("AB") if f'<td class="muted">{letter}</td>' in sent}
    one = await agreed(panel, await written(panel, {"scope": "all"}))
    assert 'id="report-wordings"' not in await text(panel, one)


async def test_the_report_tells_each_wording_with_its_beginning(panel, sign_in_as):
    await a_programme()
    place, at = await a_location(), system_now() - 10 * DAY
    campaign_id = await a_campaign(at=at)
    await db.execute("UPDATE campaign SET other_texts = $1::jsonb", db.to_json([{"ru": "Заходите " * 20}]))
    people = [await a_recipient(campaign_id, at=at) for _ in range(3)]
    await db.execute("UPDATE recipient SET variant = 1 WHERE customer_id = $1", people[0])
    await a_sale(people[0], place, 700_00, now=at + DAY)
    await sign_in_as(Role.MARKETER)
    page = plain(await text(panel, f"/campaigns/{campaign_id}"))
    section = page[page.index('id="report-wordings"') :]
    section = section[: section.index("</div>\n  </div>") if "</div>\n  </div>" in section else None]
    for words in ("Ждём", "Заходите Заходите", "…", "700 ₽", "Too few people drew each of them"):
        assert words in section, words


def judged(verdict: Verdict, *pairs: Pair, number: int = 2) -> Report:
    counts = tuple(WordingCount(500, 500, 3, 4, 50, 100_00) for _ in range(number))
    return Report(NOW, until=NOW + 7 * DAY, wordings=Wordings(counts, verdict, pairs))


@pytest.mark.parametrize(
    ("verdict", "sums", "title", "told"),
    [
        (
            Verdict.EARNED,
            (40_12, 15_03, 65_21),
            "B brought about 40 ₽ ± 25 ₽ more a person than A",
            "From +15 ₽ to +65 ₽",
        ),
        (Verdict.EARNED, (1_23, 34, 2_12), "B brought about 1.23 ₽ ± 0.89 ₽ more a person than A", "+0.34 ₽"),
        (Verdict.UNCLEAR, (10_00, -12_00, 32_00), "Cannot tell yet which is better", "from −12 ₽ to +32 ₽"),
        (Verdict.TOO_SMALL, (None, None, None), "Cannot tell yet which is better", "wants 100 people and 30 buyers"),
    ],
)
def test_which_is_better_is_said_in_plain_words(reader, verdict, sums, title, told):
    said = wordings_said(judged(verdict, Pair(1, 0, verdict, *sums)))
    assert plain(said.title) == title
    assert told in plain(said.text)


def test_before_the_window_is_over_and_without_one_nothing_is_said(reader):
    early = wordings_said(judged(Verdict.EARLY))
    assert early.title == "Cannot tell yet which is better"
    assert "Purchases count up to 17 Mar 2026" in plain(early.text)
    without = wordings_said(replace(judged(Verdict.NO_WINDOW), until=None))
    assert without.title == "Which is better is not known"
    assert "replies and clicks" in without.text


def test_of_three_the_other_pairs_are_told_too(reader):
    first, second = Pair(2, 0, Verdict.EARNED, 40_00, 10_00, 70_00), Pair(2, 1, Verdict.UNCLEAR, 50_00, -1_00, 101_00)
    told = wordings_told(judged(Verdict.EARNED, first, second, number=3), [{"ru": "А"}, {"ru": "Б"}, {"ru": "В"}], "ru")
    assert [(letter, text) for letter, text, _ in told["report_wordings"]] == [("A", "А"), ("B", "Б"), ("C", "В")]
    assert [plain(one) for one in told["wordings_others"]] == ["C beside B: +50 ₽ a person, from −1 ₽ to +101 ₽"]
    assert "C beside A" in told["wordings_interval"]
    assert wordings_told(Report(NOW), [], "ru") == {"report_wordings": []}
    assert wordings_told(None, [], "ru") == {"report_wordings": []}
