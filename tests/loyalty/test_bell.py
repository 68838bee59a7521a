import asyncio

from loyalty import db
from loyalty.bell import EVERYTHING, MOST_HEARD, Bell, hung


async def test_any_number_hear_a_topic_and_what_it_is_about(redis_url):
    async with hung(redis_url) as bell:
        with bell.heard("conversations") as first, bell.heard("conversations") as second, bell.heard("other") as third:
            db.wake("conversations:17")
            db.wake("conversations:18")
            for ear in (first, second):
                heard = await ear.wait(1)
                assert heard == {"17", "18"}
            assert await third.wait(0.01) == set()


async def test_a_ring_in_another_process_is_heard_with_what_it_is_about(redis_url):
    async with hung(redis_url) as here, hung(redis_url) as there:
        db.listeners.remove(here.ring)
        try:
            with here.heard("conversations") as ear:
                await asyncio.sleep(0.1)
                there.ring("conversations:17")
                there.ring("messages")
                assert await ear.wait(2) == {"17"}
        finally:
            db.listeners.append(here.ring)


async def test_an_ear_that_is_not_asked_forgets_details_and_no_news(redis_url):
    async with hung(redis_url) as bell:
        with bell.heard("conversations") as ear:
            for number in range(MOST_HEARD + 50):
                bell.ring(f"conversations:{number}")
            assert EVERYTHING in await ear.wait(1)


async def test_a_worker_is_woken_by_the_name_of_a_topic_alone(redis_url):
    async with hung(redis_url) as bell:
        waiting = asyncio.create_task(bell.wait("messages"))
        await asyncio.sleep(0)
        bell.ring("messages:17")
        async with asyncio.timeout(0.5):
            await waiting


async def test_nudging_ends_every_waiting_with_nothing_heard(redis_url):
    async with hung(redis_url) as bell:
        with bell.heard("conversations") as ear:
            bell.nudge_all()
            async with asyncio.timeout(0.5):
                assert await ear.wait(30) == set()


def test_an_ear_is_forgotten_when_nobody_listens_any_more():
    bell = Bell(None)  # type: ignore[arg-type]
    with bell.heard("conversations"):
        assert len(bell._ears["conversations"]) == 1
    assert not bell._ears["conversations"]
