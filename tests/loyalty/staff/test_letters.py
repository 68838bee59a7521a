"""Letters to colleagues wait until they are sent, and nobody's words stay longer than that."""

from datetime import timedelta

import pytest

from loyalty import db
from loyalty.staff.letters import LEASE, PAUSES, lease_letters, letter_failed, letter_sent, queue_letter
from tests.builders import NOW, a_cashier

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def timur(database) -> int:
    person = await a_cashier()
    assert person.staff_id is not None
    return person.staff_id


async def queued(staff_id: int, key: str = "1", now=NOW) -> bool:
    return await queue_letter(staff_id, key=key, subject="Hello", text="A secret", now=now)


async def the_row() -> dict:
    row = await db.fetch_row("SELECT * FROM staff_letter")
    assert row is not None
    return row


async def test_one_cause_writes_once_and_who_has_left_gets_nothing(timur):
    assert await queued(timur)
    assert not await queued(timur)
    await db.execute("UPDATE staff_member SET is_active = false")
    assert not await queued(timur, "2")
    assert await db.fetch_value("SELECT count(*) FROM staff_letter") == 1


async def test_a_letter_is_in_one_pair_of_hands_until_its_lease_ends(timur):
    await queued(timur)
    [letter] = await lease_letters(limit=5, now=NOW)
    assert (letter.subject, letter.text, letter.attempts, letter.language) == ("Hello", "A secret", 1, "ru")
    assert "secret" not in repr(letter)
    assert await lease_letters(limit=5, now=NOW + LEASE - timedelta(seconds=1)) == []
    [again] = await lease_letters(limit=5, now=NOW + LEASE)
    assert again.attempts == 2
    # The first sender has lost it, whatever it says now.
    await letter_failed(letter, "rejected", for_good=True, now=NOW + LEASE)
    assert (await the_row())["state"] == "queued"
    await letter_sent(again, now=NOW + LEASE)
    row = await the_row()
    assert (row["state"], row["subject"], row["text"], row["sent_at"]) == ("sent", "", "", NOW + LEASE)


async def test_what_failed_is_tried_again_ever_later_and_then_given_up_without_its_words(timur):
    await queued(timur)
    now = NOW
    for pause in PAUSES:
        [letter] = await lease_letters(limit=5, now=now)
        await letter_failed(letter, "no_answer", now=now)
        assert await lease_letters(limit=5, now=now + pause - timedelta(seconds=1)) == []
        now += pause
    [letter] = await lease_letters(limit=5, now=now)
    await letter_failed(letter, "no_answer", now=now)
    row = await the_row()
    assert (row["state"], row["reason"], row["subject"], row["text"]) == ("failed", "no_answer", "", "")
    assert await lease_letters(limit=5, now=now + timedelta(days=30)) == []


async def test_where_there_is_no_use_it_is_not_tried_again(timur):
    await queued(timur)
    [letter] = await lease_letters(limit=5, now=NOW)
    await letter_failed(letter, "gone", for_good=True, now=NOW)
    assert (await the_row())["state"] == "failed"
