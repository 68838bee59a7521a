"""How a customer came: the steps, the consents, by whose invitation, and whom they invited: a tab of their card."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from admin_web.auth import staff_of
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP
from admin_web.reach import cards_open_to
from loyalty.bonuses.queries import invited, invited_by
from loyalty.customers.consenting import HOUSE, read_mark
from loyalty.customers.queries import ConsentView, CustomerView, StepView, consents, registration_steps
from loyalty.customers.queries.entry_links import entry_link_of
from loyalty.customers.queries.questions import all_questions
from loyalty.customers.questionnaire import OF_PROFILE, said_in
from loyalty.staff.queries import staff_list

VIAS = {
    "telegram": mark("Telegram"),
    "whatsapp": mark("WhatsApp"),
    "cashier": mark("Cashier page"),
    "panel": mark("By hand in the panel"),
    "import": mark("Import"),
    "api": mark("API"),
    "booking": mark("Booking"),
}
STEPS = {
    "started": mark("Opened the bot"),
    "language": mark("Chose a language"),
    "terms": mark("Agreed to the terms"),
    "offers": mark("Answered about offers"),
    "phone": mark("Shared the phone"),
    "phone_typed": mark("Typed a phone"),
    "name": mark("Gave a name"),
    "birthday": mark("Answered about the birthday"),
    "gender": mark("Answered about the gender"),
    "registered": mark("Registered"),
    "added": mark("Added to the base"),
}
INVITATIONS = {
    "waiting": (mark("no purchase yet"), ""),
    "due": (mark("gifts are due soon"), "acc"),
    "paid": (mark("gifts given"), "good"),
    "refused": (mark("no gifts"), ""),
    "undone": (mark("gifts taken back"), "warn"),
}
"""State of an invitation -> (its name, the tint of its badge)."""
INVITATION_REASONS = {
    "circle": mark("they invited each other"),
    "has_receipts": mark("had bought before"),
    "known_already": mark("was in the base before"),
    "was_here_before": mark("was a customer before"),
    "same_person": mark("was the same person"),
    "cap_of_month": mark("too many in the month"),
    "switched_off": mark("gifts were switched off"),
}
CONSENTS = {
    "terms": mark("Consent to the terms"),
    "marketing": mark("Consent to messages"),
    "surveys": mark("Consent to surveys"),
}


async def registration_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    """What the tab shows. Of friends whose cards the reader may not open, nothing but that there are some."""
    reader = staff_of(request)
    steps, given = await registration_steps(person.id), await consents(person.id)
    friends, friend = await invited(person.id), await invited_by(person.id)
    people = [one.customer_id for one in friends] + ([friend.customer_id] if friend else [])
    link = await entry_link_of(person.id)
    return {
        "came_by": link,
        "opens_link": link is not None and (reader.location_ids is None or link.location_id in reader.location_ids),
        "steps": steps,
        "step_names": _translated(STEPS) | await _asked(request, steps),
        "via_names": _translated(VIAS),
        "consent_names": _translated(CONSENTS),
        "consents": given,
        "consent_urls": {one.topic: _text_url(one) for one in given},
        "invited": friends,
        "invited_by": friend,
        "cards": await cards_open_to(reader, people),
        "invitation_states": {state: (_(name), tint) for state, (name, tint) in INVITATIONS.items()},
        "invitation_reasons": _translated(INVITATION_REASONS),
        "staff_names": {member.id: member.name for member in await staff_list()},
    }


async def _asked(request: web.Request, steps: Sequence[StepView]) -> dict[str, str]:
    """The steps in which a question of the shop's own was answered, deleted ones included."""
    if not any(step.step.startswith("question:") for step in steps):
        return {}
    own = request[SHOP].language
    return {
        one.key: _("Answered: %(question)s") % {"question": said_in(one.labels, own, own)}
        for one in await all_questions()
        if one.kind not in OF_PROFILE
    }


def _text_url(consent: ConsentView) -> str:
    """Where the text stands that was agreed to; empty where it came from elsewhere."""
    named = read_mark(consent.text_version)
    if named is None or consent.topic not in HOUSE:
        return ""
    version, language = named
    return f"/consents/{consent.topic}/{version}/{language}"


def _translated(names: Mapping[str, str]) -> dict[str, str]:
    return {key: _(name) for key, name in names.items()}
