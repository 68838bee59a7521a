"""What people do in Telegram on the chat page."""

from typing import Any

from aiohttp import web

from bot.simulator.links import deep_link
from bot.simulator.manners import done, read, read_file, refused
from bot.simulator.messengers import Act
from bot.simulator.photos import MOST_BYTES, BadPhoto
from bot.simulator.telegram.messages import LONGEST_CAPTION, LONGEST_TEXT
from bot.simulator.telegram.people import Person


async def start(person: Person, request: web.Request) -> web.Response:
    """Press Start, with the payload of a deep link."""
    body = await read(request)
    person.start(deep_link(body.get("payload")))
    return done()


async def send(person: Person, request: web.Request) -> web.Response:
    """Write a text of 1 to 4096 characters."""
    text = str((await read(request)).get("text", "")).strip()
    if len(text) > LONGEST_TEXT:
        return refused("too_long", count=len(text))
    if not text:
        return refused("failed")
    person.send(text)
    return done()


async def send_photo(person: Person, request: web.Request) -> web.Response:
    """Send the body as a photo, with the query's caption."""
    try:
        data = await read_file(request, MOST_BYTES)
        person.send_photo(data, request.query.get("caption", "")[:LONGEST_CAPTION])
    except (BadPhoto, web.HTTPRequestEntityTooLarge):
        return refused("bad_photo")
    return done()


async def share_contact(person: Person, request: web.Request) -> web.Response:
    """Share the own phone number."""
    await read(request)
    person.share_contact()
    return done()


async def tap(person: Person, request: web.Request) -> web.Response:
    """Press an inline button."""
    body: dict[str, Any] = await read(request)
    message_id, data = body.get("message_id"), body.get("data")
    if not isinstance(message_id, int) or not isinstance(data, str):
        return refused("failed")
    person.tap(message_id, data)
    return done()


async def block(person: Person, request: web.Request) -> web.Response:
    """Block the bot or let it write again."""
    body = await read(request)
    if body.get("blocked") is True:
        person.block()
    elif person.blocked:
        person.unblock()
    return done()


ACTS: dict[str, Act] = {
    "start": start,
    "messages": send,
    "photos": send_photo,
    "contact": share_contact,
    "taps": tap,
    "block": block,
}
