"""A message shown to its author as a real customer would get it, in each channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from admin_web.forms import Form, is_id
from admin_web.i18n import READER
from admin_web.i18n import gettext as _
from admin_web.message_words import SYMBOLS, channel_name, samples
from loyalty.campaigns.queries.values import values_for
from loyalty.campaigns.rules.texts import Words, content_for, text_field
from loyalty.conversations.answering import filled_in
from loyalty.conversations.channels import CAPABILITIES, EMAIL, SMS, SmsSize, sms_size
from loyalty.conversations.content import Content, fit
from loyalty.conversations.kinds.said import service_content
from loyalty.conversations.message_types import BULK, LANGUAGES, MessageTypeView, Texts
from loyalty.conversations.queries.recipients import first_name
from loyalty.conversations.queries.templates import all_templates, standing_in
from loyalty.conversations.queries.types import example_of, somebody
from loyalty.customers.queries import CustomerView, customer, places_of
from loyalty.customers.rules import parse_search
from loyalty.errors import NotFound
from loyalty.segments.queries.base import Look, base_page
from loyalty.shop.rules import ShopView

CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """A message in one channel. is_reached: the customer can be written to there. size: as SMS; None elsewhere.

    subject: of an e-mail. template, template_text: what goes instead once the hours after their last word are over.
    """

    channel: str
    name: str
    symbol: str
    is_reached: bool
    content: Content
    is_cut: bool
    subject: str
    size: SmsSize | None
    hours: int
    template: str
    template_text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What somebody would be told. source: where the values come from, in words. found: whom a search may mean.

    sizes: as SMS, with these values: by language, or by the field of a message to many. wording: which one is shown.
    """

    person: CustomerView | None
    found: list[dict[str, Any]]
    language: str
    source: str
    shown: list[Shown]
    sizes: dict[str, SmsSize]
    wording: int = 0


async def preview_of(view: MessageTypeView, form: Form, texts: Texts, shop: ShopView) -> Preview:
    """The message of `view` in these words, through its channels in their order, to whom `form` names."""
    assert view.kind is not None
    found = await _found(form.value("q"), shop.region)
    person = await _person(form.value("customer"), found)
    language = form.value("language")
    if language not in LANGUAGES:
        language = person.language if person and person.language in LANGUAGES else shop.language
    values, source = await _values(view, person, language, shop)
    content = service_content(view.name, language, values, texts)
    reached = {place.channel for place in await places_of(person.id) if place.is_active} if person else set()
    shown = [
        await _shown(view.name, channel, content, language, is_reached=channel in reached) for channel in view.channels
    ]
    sizes = {one: sms_size(service_content(view.name, one, values, texts).text) for one in LANGUAGES}
    return Preview(person, found, language, source, shown, sizes)


async def bulk_preview_of(
    channels: Sequence[str],
    form: Form,
    wordings: Mapping[int, Words],
    whom: Look,
    shop: ShopView,
    *,
    wording: int = 0,
    bonus: int = 0,
) -> Preview:
    """A message to many in one of its wordings, to whom `form` names, else to one of those whom it is for.

    wordings: those that can be read, by their places; the others' sizes nobody knows.
    """
    found = await _found(form.value("q"), shop.region)
    wanted = form.value("customer")
    if not wanted and not found:
        rows = (await base_page(whom, columns=(), now=READER.get().now, rows=1)).rows
        wanted = str(rows[0]["id"]) if rows else ""
    person = await _person(wanted, found)
    language = form.value("language")
    if language not in LANGUAGES:
        language = person.language if person and person.language in LANGUAGES else shop.language
    person_id, now = person.id if person else None, READER.get().now
    contents = {}
    for one in LANGUAGES:
        values = await values_for(person_id, wordings[wording], bonus, language=one, now=now)
        for place, words in wordings.items():
            contents[place, one] = content_for(words, one, shop.language, values)
    reached = {place.channel for place in await places_of(person.id) if place.is_active} if person else set()
    told = contents[wording, language]
    shown = [await _shown(BULK, channel, told, language, is_reached=channel in reached) for channel in channels]
    sizes = {text_field(place, one): sms_size(content.text) for (place, one), content in contents.items()}
    return Preview(person, found, language, "", shown, sizes, wording)


async def _found(words: str, region: str) -> list[dict[str, Any]]:
    search = parse_search(words, region)
    if search is None:
        return []
    return (await base_page(Look(search), columns=(), now=READER.get().now, rows=CANDIDATES)).rows


async def _person(wanted: str, found: list[dict[str, Any]]) -> CustomerView | None:
    """Who was chosen, else the first one found, else whoever was written to last."""
    if found and wanted not in {str(one["id"]) for one in found}:
        return await customer(found[0]["id"])
    number = int(wanted) if is_id(wanted) else await somebody()
    try:
        return await customer(number) if number is not None else None
    except NotFound:
        return None


async def _values(
    view: MessageTypeView, person: CustomerView | None, language: str, shop: ShopView
) -> tuple[Mapping[str, str], str]:
    """What the variables are, and where that comes from."""
    known = {"first_name": first_name(person.name) if person else ""}
    example = await example_of(view.name, person.id if person else None, language)
    if example is None:
        named = {name: f"[{name}]" for name in view.variables}
        return {**named, **samples(view.name, language, shop), **known}, _("The values are made up: nobody was told.")
    if example.is_theirs:
        return {**example.values, **known}, _("The values are those of the last such message to this customer.")
    return {**example.values, **known}, _("The values are those of the last such message to somebody else.")


async def _shown(kind: str, channel: str, content: Content, language: str, *, is_reached: bool) -> Shown:
    able = CAPABILITIES[channel]
    fitted = fit(content, able, language)
    template = await standing_in(kind, language) if able.window_hours else None
    filled = [content.values.get(one.name) or one.fallback for one in template.variables] if template else []
    if content.stand_in and able.window_hours:
        template = next((one for one in await all_templates() if one.id == content.stand_in), None)
        filled = [content.values.get(one.name) or one.fallback for one in template.variables] if template else []
    return Shown(
        channel=channel,
        name=channel_name(channel),
        symbol=SYMBOLS.get(channel, "message-circle"),
        is_reached=is_reached,
        content=fitted,
        is_cut=fitted.text.endswith("…") and not content.text.endswith("…"),
        subject=(content.subject or content.text.partition("\n")[0]) if channel == EMAIL else "",
        size=sms_size(fitted.text) if channel == SMS else None,
        hours=able.window_hours,
        template=template.name if template else "",
        template_text=filled_in(template.body, filled) if template else "",
    )
