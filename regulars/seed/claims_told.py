"""What was said of fiscal receipts in the chats of made-up people, and the photos that they took."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import segno
from PIL import Image, ImageDraw, ImageFont

from bot.texts import say
from loyalty import db
from loyalty.clock import business_date
from loyalty.conversations.content import Content
from loyalty.conversations.kinds.claim_refused import WHY
from loyalty.conversations.kinds.said import service_content
from loyalty.conversations.rules import Priority
from loyalty.receipts.rules.claims import ClaimSource, ClaimState
from regulars.seed.life import Seeded
from regulars.seed.records import ZONE, SeedClaim
from regulars.seed.told import Chain, Line, day_of, money

PAPER = (420, 640)
READ_IN = timedelta(seconds=2)
"""How long it takes to fetch a photo and find its code."""


def claim_told(one: Seeded, chain: Chain) -> Iterator[Line]:
    """The receipt that was sent, what the bot said to it, and how it ended. A credit is told as a purchase."""
    claim, language = one.claim, one.person.language
    if claim is None:
        return
    if claim.source is ClaimSource.PHOTO:
        sent_at = claim.at - READ_IN
        yield Line(sent_at, "in", "photo", "{}", claim=claim)
        yield _reply(sent_at, say(language, "fiscal.looking"))
    else:
        sent_at = claim.at - timedelta(seconds=1)
        yield Line(sent_at, "in", "text", db.to_json({"text": text_of(claim)}), claim=claim)
    if claim.decided_at != claim.at:
        yield _reply(claim.at, say(language, "fiscal.waiting"))
    if claim.state is ClaimState.REFUSED and claim.decided_at is not None:
        why = WHY[claim.reason or ""]
        values = {
            "total": money(claim.total, chain.shop.currency, chain.shop.exponent, language),
            "day": day_of(business_date(claim.sold_at, ZONE), language),
            "why": why.get(language, why["en"]),
        }
        content = db.to_json(service_content("claim_refused", language, values).to_body())
        key = f"claim_refused:{claim.id}"
        yield Line(claim.decided_at, "out", "claim_refused", content, Priority.SERVICE, key)


def _reply(at: datetime, text: str) -> Line:
    return Line(at, "out", "reply", db.to_json(Content(text=text).to_body()))


def text_of(claim: SeedClaim) -> str:
    """What the QR code of a receipt says."""
    local, key = claim.sold_at.astimezone(ZoneInfo(ZONE)), claim.key
    total = f"{claim.total // 100}.{claim.total % 100:02d}"
    return f"t={local:%Y%m%dT%H%M}&s={total}&fn={key.fn}&i={key.i}&fp={key.fp}&n=1"


def photo_of(claim: SeedClaim) -> bytes:
    """A JPEG of a receipt on a table: the sum, and the QR code."""
    drawn = BytesIO()
    segno.make(text_of(claim), error="m", micro=False).save(drawn, kind="png", scale=6, border=2)
    code = Image.open(drawn).convert("L")
    paper = Image.new("L", PAPER, 246)
    pen = ImageDraw.Draw(paper)
    for row, width in enumerate((180, 260, 220, 300, 120)):
        pen.rectangle((40, 40 + row * 26, 40 + width, 50 + row * 26), fill=200)
    pen.text((40, 190), f"= {claim.total // 100}.{claim.total % 100:02d}", font=ImageFont.load_default(34), fill=40)
    paper.paste(code, ((PAPER[0] - code.width) // 2, 270))
    table = Image.new("L", (560, 760), 122)
    turned = paper.rotate(claim.id % 7 - 3, expand=True, fillcolor=122)
    table.paste(turned, ((560 - turned.width) // 2, (760 - turned.height) // 2))
    shot = BytesIO()
    table.save(shot, "JPEG", quality=70)
    return shot.getvalue()
