"""What people do in WhatsApp on the chat page."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.simulator.links import deep_link
from bot.simulator.manners import done, read, read_file, refused
from bot.simulator.messengers import Act
from bot.simulator.photos import MOST_BYTES, BadPhoto
from bot.simulator.whatsapp.files import LIMITS
from bot.simulator.whatsapp.messages import LONGEST_CAPTION, LONGEST_TEXT
from bot.simulator.whatsapp.people import Person

SQUARE = (55.7539, 37.6208)
"""Where people are who send their place."""
EMOJI = ("👍", "❤️", "😂", "😮", "🙏")


async def start(person: Person, request: web.Request) -> web.Response:
    """Send what a link has written."""
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
    """Send the body as a picture, with the query's caption."""
    try:
        data = await read_file(request, MOST_BYTES)
        person.send_photo(data, request.query.get("caption", "")[:LONGEST_CAPTION])
    except (BadPhoto, web.HTTPRequestEntityTooLarge):
        return refused("bad_photo")
    return done()


async def send_document(person: Person, request: web.Request) -> web.Response:
    """Send the body as a file, with the query's name and type."""
    mime = request.query.get("mime", "")
    if mime not in LIMITS:
        mime = "application/pdf" if mime == "" else "text/plain"
    try:
        data = await read_file(request, MOST_BYTES)
    except web.HTTPRequestEntityTooLarge:
        return refused("bad_file")
    person.send_document(data, request.query.get("name", "document")[:240], mime)
    return done()


async def send_location(person: Person, request: web.Request) -> web.Response:
    """Send the place where people are."""
    await read(request)
    person.send_location(*SQUARE)
    return done()


async def share_contact(person: Person, request: web.Request) -> web.Response:
    """Send a card with the own number."""
    await read(request)
    person.share_contact()
    return done()


async def tap(person: Person, request: web.Request) -> web.Response:
    """Press a button under a message, or choose a row of its list."""
    body: dict[str, Any] = await read(request)
    message, data = body.get("message_id"), body.get("data")
    acts: dict[Any, Callable[[str, str], str]] = {"list": person.choose}
    try:
        acts.get(body.get("kind"), person.tap)(str(message), str(data))
    except (KeyError, LookupError):
        return refused("failed")
    return done()


async def react(person: Person, request: web.Request) -> web.Response:
    """React to a message of the business, or take it back."""
    body = await read(request)
    emoji = str(body.get("emoji", ""))
    if emoji not in {"", *EMOJI}:
        return refused("failed")
    try:
        person.react(str(body.get("message_id")), emoji)
    except LookupError:
        return refused("failed")
    return done()


async def want_offers(person: Person, request: web.Request) -> web.Response:
    """Stop the business's advertising, or want it again."""
    if (await read(request)).get("offers") is True:
        person.resume_offers()
    else:
        person.stop_offers()
    return done()


async def let_a_day_pass(person: Person, request: web.Request) -> web.Response:
    """Close the window."""
    await read(request)
    person.let_a_day_pass()
    return done()


async def block(person: Person, request: web.Request) -> web.Response:
    """Block the business or let it write again."""
    if (await read(request)).get("blocked") is True:
        person.block()
    else:
        person.unblock()
    return done()


ACTS: dict[str, Act] = {
    "start": start,
    "messages": send,
    "photos": send_photo,
    "documents": send_document,
    "location": send_location,
    "contact": share_contact,
    "taps": tap,
    "reactions": react,
    "offers": want_offers,
    "day": let_a_day_pass,
    "block": block,
}
