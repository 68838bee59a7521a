"""Links into the chats through which this installation talks, and their QR codes."""

import io

import segno
from aiohttp import web
from markupsafe import Markup
from PIL import Image

from admin_web.keys import SETTINGS
from loyalty.conversations.channels import TELEGRAM, WHATSAPP
from loyalty.conversations.queries import links_of

BORDER = 4
"""Modules of light around a code that is taken away; readers need them. Source: ISO/IEC 18004, 5.3.8."""
PIXELS = 1000


async def chat_links(request: web.Request, payload: str) -> dict[str, str]:
    """By messenger the link that opens a chat with us and tells it `payload`, as far as they are known."""
    settings = request.app[SETTINGS]
    sources = {}
    if settings.telegram_bot_token is not None:
        number = settings.telegram_bot_token.get_secret_value().partition(":")[0]
        sources[TELEGRAM] = f"{TELEGRAM}:{number}"
    if settings.whatsapp_access_token is not None:
        sources[WHATSAPP] = f"{WHATSAPP}:{settings.whatsapp_phone_number_id}"
    links = await links_of(sources.values(), payload)
    return {name: links[source] for name, source in sources.items() if source in links}


def drawn(link: str) -> Markup:
    """The link as a QR code: dark on white in every theme, for a code turned inside out is not read by all phones."""
    # Safe: the library's own drawing; the link is ours and becomes modules of the code.
    return Markup(_code(link).svg_inline(omitsize=True, border=3, dark="#000", light="#fff"))  # noqa: S704


def svg_file(link: str) -> bytes:
    """The code as a file for a printer, sharp at any size."""
    body = io.BytesIO()
    _code(link).save(body, kind="svg", border=BORDER, scale=10, dark="#000", light="#fff")
    return body.getvalue()


def png_file(link: str) -> bytes:
    """The code as a picture, PIXELS wide and high: its modules are whole pixels, the rest is light around them."""
    code, body = _code(link), io.BytesIO()
    scale = PIXELS // code.symbol_size(border=BORDER)[0]
    modules = io.BytesIO()
    code.save(modules, kind="png", border=0, scale=scale, dark="#000", light="#fff")
    with Image.open(modules) as picture:
        sheet, free = Image.new("1", (PIXELS, PIXELS), 1), PIXELS - picture.width
        sheet.paste(picture.convert("1"), (free // 2, free // 2))
    sheet.save(body, "PNG", optimize=True)
    return body.getvalue()


def _code(link: str) -> segno.QRCode:
    return segno.make_qr(link, error="m")
