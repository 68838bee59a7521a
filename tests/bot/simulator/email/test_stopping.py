"""The button of a mail program that ends advertising with one press."""

import pytest
from aiohttp import web

from tests.bot.simulator.conftest import serve
from tests.bot.simulator.email.conftest import ADDRESS, Post
from tests.bot.simulator.test_page import SAME

PROMISE = {"List_Unsubscribe_Post": "List-Unsubscribe=One-Click"}


@pytest.fixture
async def stop():
    """Where presses arrive: (address, what was posted)."""
    posted: list[dict[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        posted.append({name: str(value) for name, value in (await request.post()).items()})
        return web.Response(status=int(request.query.get("status", "200")))

    app = web.Application()
    app.add_routes([web.post("/stop", take)])
    runner, url = await serve(app)
    yield f"{url}/stop", posted
    await runner.cleanup()


async def press(post: Post) -> int:
    box = post.mail.box(ADDRESS)
    home = f"{post.url}/simulator/people/{box.id}/unsubscribe"
    async with post.http.post(home, json={"message": box.messages[-1]["id"]}, headers=SAME) as answer:
        return answer.status


async def test_the_press_is_posted_to_the_link_of_the_message(post: Post, stop):
    url, posted = stop
    await post.send(List_Unsubscribe=f"<mailto:stop@example.org>, <{url}>", **PROMISE)
    assert post.mail.shown(post.mail.box(ADDRESS).messages[0])["can_stop"] is True
    assert await press(post) == 200
    assert posted == [{"List-Unsubscribe": "One-Click"}]
    assert post.mail.shown(post.mail.box(ADDRESS).messages[0])["stopped"] is True


async def test_a_press_that_is_not_taken_is_told(post: Post, stop):
    url, _ = stop
    await post.send(List_Unsubscribe=f"<{url}?status=404>", **PROMISE)
    assert await press(post) == 422
    assert post.mail.box(ADDRESS).messages[0]["stopped"] is False


async def test_nobody_beyond_this_machine_is_called(post: Post):
    await post.send(List_Unsubscribe="<https://example.com/stop>", **PROMISE)
    assert await press(post) == 422


async def test_without_the_promise_of_one_press_there_is_no_button(post: Post, stop):
    url, _ = stop
    await post.send(List_Unsubscribe=f"<{url}>")
    assert post.mail.shown(post.mail.box(ADDRESS).messages[0])["can_stop"] is False
