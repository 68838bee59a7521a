"""What the messages of a campaign would cost, in words, wherever it stands to be sent."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from admin_web.formats import money
from admin_web.forms import Form, is_id
from admin_web.i18n import READER
from admin_web.i18n import gettext as _
from admin_web.keys import SETTINGS, SHOP
from admin_web.message_words import channel_name
from loyalty.campaigns.links import click_url
from loyalty.campaigns.queries.costs import message_prices
from loyalty.campaigns.queries.reach import Reach
from loyalty.campaigns.queries.values import values_for
from loyalty.campaigns.rules.costs import Estimate, estimated, sms_parts
from loyalty.campaigns.rules.drafts import CampaignDraft, CampaignTopic
from loyalty.campaigns.rules.texts import checked_words
from loyalty.conversations.channels import SMS
from loyalty.conversations.prices import FINER, HUNDREDTHS
from loyalty.conversations.stopping import stop_links
from loyalty.errors import Invalid
from loyalty.wording import money as money_text

_LIKE = 2**20
"""Links of a number like this are as long as those of a shop of usual size."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What it would cost. total: in words; empty where nothing is known. by_channel: of each whose price is known.

    unpriced: channels whose price is not, by commas.
    """

    total: str
    by_channel: Mapping[str, str]
    unpriced: str


async def costs_of(request: web.Request, draft: CampaignDraft | None, found: Reach | None, form: Form) -> Costs | None:
    """What it would cost to send this to everybody whom it reaches; None while that, or what it says, is not known."""
    if draft is None or found is None or not found.reached:
        return None
    template = draft.words.template
    prices = await message_prices(draft.topic.value, template)
    try:
        parts = await _parts(request, draft, form) if SMS in found.channels else [1]
    except Invalid:
        return None
    return _told(estimated(found.channels, prices, sms_parts=parts, has_template=bool(template)))


def price_text(price: int) -> str:
    """What one message costs: to as many digits as it has."""
    reader = READER.get()
    if price % HUNDREDTHS == 0:
        return money(price // HUNDREDTHS)
    return money_text(price, reader.currency, reader.exponent + FINER, reader.language)


def names_of(channels: tuple[str, ...]) -> str:
    """Channels by their names."""
    return ", ".join(channel_name(one) for one in channels)


def _told(found: Estimate) -> Costs:
    known = {name: cost for name, cost in found.by_channel.items() if cost is not None}
    each = {name: _about(cost, is_most=name in found.at_most) for name, cost in known.items()}
    total = "" if found.known is None else _about(found.known, is_most=bool(found.at_most & known.keys()))
    return Costs(total, each, names_of(found.unpriced))


def _about(cost: int, *, is_most: bool) -> str:
    if not cost:
        return money(0)
    said = _("up to %(sum)s") if is_most else _("about %(sum)s")
    return said % {"sum": money(cost)}


async def _parts(request: web.Request, draft: CampaignDraft, form: Form) -> list[int]:
    """How many SMS each wording is, in the shop's language and for whoever the preview shows. Raises Invalid."""
    shown, language = form.value("customer"), request[SHOP].language
    words = checked_words(draft.words, language)
    person = int(shown) if is_id(shown) else None
    values = await values_for(person, words, draft.terms.bonus, language=language, now=READER.get().now)
    url = request.app[SETTINGS].public_url
    is_marketing = draft.topic is CampaignTopic.MARKETING
    return sms_parts(
        words.wordings,
        language,
        values,
        link=click_url(_LIKE, _LIKE, 0, key=b"", public_url=url) if url.startswith("https://") else "",
        stop_url=stop_links(b"", url)(_LIKE) if is_marketing else "",
    )
