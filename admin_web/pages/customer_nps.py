"""The card's NPS tab: what one person was asked, how they answered, and what they wrote."""

from typing import Any

from aiohttp import web

from admin_web.chats import CHANNELS
from admin_web.forms import is_id
from admin_web.i18n import gettext as _
from admin_web.survey_words import group_words, skip_text, state_words
from loyalty.customers.queries import CustomerView
from loyalty.surveys.queries.answers import invitations_of


async def nps_panel(request: web.Request, person: CustomerView) -> dict[str, Any]:
    """Every question to this person, the newest first, also those that were not answered or not asked, and why."""
    before = request.query.get("before", "")
    found, following = await invitations_of(person.id, before_id=int(before) if is_id(before) else None)
    newest = next((one for one in found if one.score is not None), None) if not before else None
    return {
        "invitations": [(one, skip_text(one.reason)) for one in found],
        "newest_score": newest,
        "survey_groups": group_words(),
        "survey_states": state_words(),
        "survey_channels": {key: _(name) for key, name in CHANNELS.items()},
        "following_invitation": following,
    }
