"""The card's face: the QR and code of this moment, drawn when it is sent; and how it is kept fresh.

The QR holds digits alone, the card's number and the code, so that a scanner types the same on any keyboard.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from io import BytesIO

import segno
import structlog
from PIL import Image, ImageDraw, ImageFont

from bot.channels.base import Channel, RateLimited, Rejected, SendError, Unreachable
from bot.texts import say
from loyalty import wording
from loyalty.bell import Bell
from loyalty.conversations.actions.cards import DueCard, claim_cards, close_card
from loyalty.conversations.actions.delivery import pause_channel, paused_until
from loyalty.conversations.content import Button, Content
from loyalty.conversations.rules import PauseReason
from loyalty.customers.actions.profile import referral_code_of
from loyalty.customers.queries import customer
from loyalty.customers.rules import card_code, code_step

SIZE = (720, 420)
LIGHT, DARK = (43, 75, 216), (107, 63, 196)
GREY = (140, 142, 150)
WHITE = (255, 255, 255)
PANEL = (50, 50, 370, 370)
BORDER_MODULES = 2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Face:
    """What a card shows at a moment."""

    content: Content
    picture: bytes


async def open_face(key: bytes, customer_id: int, language: str, now: datetime, *, can_edit: bool = True) -> Face:
    """The card with the code of `now`; where it will not be changed, with a button that shows another one."""
    person = await customer(customer_id)
    code = card_code(key, customer_id, code_step(now))
    shown = f"{code[:3]} {code[3:]}"
    caption = say(
        language,
        "card.caption" if can_edit else "card.caption_once",
        name=person.name.split()[0],
        balance=wording.bonuses_in_words(max(0, person.balance), language),
        code=shown,
    )
    picture = await asyncio.to_thread(draw, person.card_number, code)
    again = () if can_edit else ((Button(say(language, "card.again"), "card::"),),)
    return Face(Content(text=caption, strong=shown, buttons=again), picture)


async def closed_face(customer_id: int, language: str) -> Face:
    """The card put away, with a button that opens it again."""
    person = await customer(customer_id)
    again = Button(say(language, "card.again"), "card::")
    picture = await asyncio.to_thread(draw, person.card_number, "")
    return Face(Content(text=say(language, "card.closed"), buttons=((again,),)), picture)


async def open_invitation(channel: Channel, customer_id: int, content: Content) -> Face:
    """An invitation with its link under the text, and the link as a QR code."""
    link = await channel.link(f"r_{await referral_code_of(customer_id)}")
    picture = await asyncio.to_thread(draw_link, link)
    return Face(replace(content, text=f"{content.text}\n\n{link}"), picture)


def draw_link(link: str) -> bytes:
    """A PNG with the QR code of a link."""
    buffer = BytesIO()
    segno.make(link, error="m", micro=False).save(buffer, kind="png", scale=12, border=4)
    return buffer.getvalue()


def draw(card_number: str, code: str) -> bytes:
    """A PNG of the card; without a code it is grey and has no QR."""
    image = _background(bool(code)).copy()
    pen = ImageDraw.Draw(image)
    left = PANEL[2] + 50
    number = f"{card_number[:4]} {card_number[4:]}"
    if code:
        pen.rounded_rectangle(PANEL, radius=24, fill=WHITE)
        _draw_qr(pen, card_number + code)
        pen.text((left, 150), code[:3], font=_font(92), fill=WHITE)
        pen.text((left, 240), code[3:], font=_font(92), fill=WHITE)
        pen.text((left, 60), number, font=_font(36), fill=WHITE)
    else:
        pen.text((SIZE[0] // 2, SIZE[1] // 2), number, font=_font(72), fill=WHITE, anchor="mm")
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def _draw_qr(pen: ImageDraw.ImageDraw, digits: str) -> None:
    rows = [bytes(row) for row in segno.make(digits, error="q", micro=False).matrix]
    module = (PANEL[2] - PANEL[0]) // (len(rows) + 2 * BORDER_MODULES)
    margin = (PANEL[2] - PANEL[0] - module * len(rows)) // 2
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                corner = (PANEL[0] + margin + x * module, PANEL[1] + margin + y * module)
                pen.rectangle((*corner, corner[0] + module - 1, corner[1] + module - 1), fill=(16, 18, 24))


@lru_cache(maxsize=2)
def _background(is_open: bool) -> Image.Image:  # noqa: FBT001  the one thing there is to say about it
    """A gradient from corner to corner, or plain grey."""
    if not is_open:
        return Image.new("RGB", SIZE, GREY)
    slope = Image.linear_gradient("L").resize(SIZE)
    return Image.composite(Image.new("RGB", SIZE, DARK), Image.new("RGB", SIZE, LIGHT), slope)


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font: it has every digit, and no machine lacks it."""
    return ImageFont.load_default(size)


async def refresh_due(channel: Channel, key: bytes, bell: Bell, clock: Callable[[], datetime]) -> None:
    """Change the faces of the cards whose code has changed, then wait for a second."""
    if await paused_until(channel.source, now=clock()) is None:
        for card in await claim_cards(channel.name, now=clock()):
            await _refresh(channel, key, card, clock)
    await bell.wait(f"cards:{channel.name}")


async def _refresh(channel: Channel, key: bytes, card: DueCard, clock: Callable[[], datetime]) -> None:
    if card.closing:
        face = await closed_face(card.customer_id, card.language)
    else:
        face = await open_face(key, card.customer_id, card.language, clock())
    try:
        await channel.edit(card.address, card.external_id, face.content, face.picture)
    except RateLimited as error:
        await pause_channel(channel.source, PauseReason.RATE, seconds=error.retry_after, now=clock())
    except (Rejected, Unreachable):
        # The person deleted the message, or has blocked us.
        await close_card(card.message_id)
    except SendError as error:
        log.warning("card not refreshed", message=card.message_id, reason=error.reason)
