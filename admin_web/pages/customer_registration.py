"""How a customer came: the steps, the consents, by whose invitation, and whom they invited: a tab of their card."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from loyalty.bonuses.queries import invited, invited_by
from loyalty.customers.queries import CustomerView, consents, registration_steps
from loyalty.customers.queries.entry_links import entry_link_of
from loyalty.staff.queries import staff_list

VIAS = {
    "telegram": mark("Telegram"),
    "whatsapp": mark("WhatsApp"),
    "cashier": mark("Cashier page"),
    "panel": mark("By hand in the panel"),
    "import": mark("Import"),
    "api": mark("API"),
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
    "cap_of_month": mark("too many in the month"),
    "switched_off": mark("gifts were switched off"),
}
CONSENTS = {
    "terms": mark("Consent to the terms"),
    "marketing": mark("Consent to messages"),
    "surveys": mark("Consent to surveys"),
}


async def registration_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    """What the tab shows."""
    del request
    return {
        "came_by": await entry_link_of(person.id),
        "steps": await registration_steps(person.id),
        "step_names": _translated(STEPS),
        "via_names": _translated(VIAS),
        "consent_names": _translated(CONSENTS),
        "consents": await consents(person.id),
        "invited": await invited(person.id),
        "invited_by": await invited_by(person.id),
        "invitation_states": {state: (_(name), tint) for state, (name, tint) in INVITATIONS.items()},
        "invitation_reasons": _translated(INVITATION_REASONS),
        "staff_names": {member.id: member.name for member in await staff_list()},
    }


def _translated(names: Mapping[str, str]) -> dict[str, str]:
    return {key: _(name) for key, name in names.items()}
