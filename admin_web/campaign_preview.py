"""A message to many as somebody would get it, in one of its wordings, while it is written and looked through."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from admin_web.campaign_form import bonus_in, wordings_in, words_in
from admin_web.campaign_words import VARIABLE_NAMES
from admin_web.forms import Form
from admin_web.i18n import gettext as _
from admin_web.keys import SETTINGS, SHOP
from admin_web.message_preview import Preview, bulk_preview_of
from admin_web.message_words import set_up
from loyalty.campaigns.queries.campaigns import CampaignView
from loyalty.campaigns.rules.texts import LETTERS, Words, checked_words, text_field
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.message_types import BULK, LANGUAGES
from loyalty.conversations.queries.types import message_type
from loyalty.errors import Invalid
from loyalty.segments.queries.audience import Audience


async def previewed(request: web.Request, form: Form, audience: Audience, view: CampaignView | None) -> dict[str, Any]:
    """The preview of the wording that was chosen, else of the first; or what is wrong with it. view: a kept draft."""
    found: Preview | None = None
    bad, language, wording = "", request[SHOP].language, _wording_in(form)
    try:
        wordings = _readable(words_in(form), wording, language)
        if view is not None and not form.checked("drop_file"):
            file = view.draft.words.attachment
            wordings = {place: replace(words, attachment=file) for place, words in wordings.items()}
        channels = await _channels_in(request, form)
        if audience.ids and not form.value("customer"):
            form.values["customer"] = str(audience.ids[0])
        bonus = bonus_in(form)
        found = await bulk_preview_of(
            channels, form, wordings, audience.look, request[SHOP], wording=wording, bonus=bonus
        )
    except Invalid as error:
        bad = _wrong(error, form, wording)
    return {
        "form": form,
        "preview": found,
        "wrong": bad,
        "language_codes": languages_first(request),
        "letters": LETTERS[: wordings_in(form)],
        "wording": LETTERS[wording],
    }


def taken_away(form: Form) -> list[tuple[str, str]]:
    """(field, text) of the wording that was taken away just now; nothing of one that was empty."""
    told = [(f"taken_{language}", form.value(f"taken_{language}")) for language in LANGUAGES]
    return told if any(text for _field, text in told) else []


def wording_fields(request: web.Request, form: Form) -> list[tuple[str, list[tuple[str, str]]]]:
    """Of each wording its letter, and (language, field) of its texts."""
    codes = languages_first(request)
    return [(LETTERS[place], [(code, text_field(place, code)) for code in codes]) for place in range(wordings_in(form))]


def spare_fields(form: Form) -> list[str]:
    """The texts of wordings that have no place now."""
    return [text_field(place, code) for place in range(wordings_in(form), len(LETTERS)) for code in LANGUAGES]


def languages_first(request: web.Request) -> list[str]:
    """The languages of people, the shop's first."""
    shop_language = request[SHOP].language
    return sorted(LANGUAGES, key=lambda one: (one != shop_language, LANGUAGES.index(one)))


async def _channels_in(request: web.Request, form: Form) -> list[str]:
    """Through which channels it would go that work here, in the order of preference."""
    ordered = [form.value(f"channel-{place}") for place in range(1, len(CAPABILITIES) + 1)]
    wanted = [one for one in ordered if one in CAPABILITIES] or list((await message_type(BULK)).channels)
    works = set_up(request.app[SETTINGS])
    return [one for one in dict.fromkeys(wanted) if one in works]


def _wording_in(form: Form) -> int:
    """Which wording is to be shown; the first for one that is not there."""
    letter = form.value("wording")
    place = LETTERS.index(letter) if letter in set(LETTERS) else 0
    return place if place < wordings_in(form) else 0


def _readable(words: Words, wording: int, language: str) -> Mapping[int, Words]:
    """The wordings that can be read, each by itself; `wording` is one of them. Raises Invalid."""
    found = {}
    for place, one in enumerate(words.wordings):
        try:
            found[place] = checked_words(one, language)
        except Invalid:
            # Another one is still being written.
            if place == wording:
                raise
    return found


def _wrong(error: Invalid, form: Form, wording: int) -> str:
    """What is wrong with a wording, in words; a blank before anything is written, when nothing is wrong yet."""
    if not any(form.value(text_field(wording, one)) for one in LANGUAGES):
        return " "
    if error.field and error.field.startswith("fallback-") and error.reason == "required":
        name = error.field.split("-")[1]
        return _("Say what stands there where “%(name)s” is not known.") % {"name": _(VARIABLE_NAMES[name])}
    trial = Form()
    trial.refuse(error)
    return trial.error(error.field)
