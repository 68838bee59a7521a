"""What may begin an automation: one small class each. Pure; who is found is asked for in `actions/automating`."""

from loyalty.campaigns.triggers import bonuses, people, visits
from loyalty.campaigns.triggers.base import Asking, Param, Trigger
from loyalty.errors import Invalid

_BY_KEY: dict[str, Trigger] = {one.key: one() for family in (people, visits, bonuses) for one in family.TRIGGERS}
_ORDER = ("registered", "receipt", "no_visit", "expiring", "birthday", "tier", "low_nps", "segment", "booking")
TRIGGERS: dict[str, Trigger] = {key: _BY_KEY[key] for key in _ORDER}
"""Every trigger by its key, in the order of their list."""

__all__ = ["TRIGGERS", "Asking", "Param", "Trigger", "trigger_of"]


def trigger_of(key: str) -> Trigger:
    """The trigger of this name. Raises Invalid("trigger", "unknown_choice")."""
    if key not in TRIGGERS:
        raise Invalid("trigger", "unknown_choice")
    return TRIGGERS[key]
