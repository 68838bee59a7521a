"""How people came to the base: when, through whom, by which door."""

from loyalty.segments.filters.base import Area, ChoiceFilter, FlagFilter, PeriodFilter
from loyalty.segments.filters.person import PROFILE
from loyalty.wording import mark


class Created(PeriodFilter):
    """When the card was made. Index: customer_facts_created."""

    key, label, area, column = "created", mark("Joined"), Area.ORIGIN, "created"
    moment, may_be_never, operators = "f.created_at", False, ("in", "not_in")


class CreatedVia(ChoiceFilter):
    """By which door. Index: customer_created_via."""

    key, label, area, column = "created_via", mark("Joined via"), Area.ORIGIN, "created_via"
    choices = (
        ("telegram", "Telegram"),
        ("whatsapp", "WhatsApp"),
        ("cashier", mark("Cashier")),
        ("panel", mark("Panel")),
        ("import", mark("Import")),
        ("api", "API"),
        ("booking", mark("Booking")),
    )
    with_any = PROFILE.format(holds="c.created_via = ANY({wanted})")


class CreatedBy(ChoiceFilter):
    """By which colleague. Index: customer_created_by."""

    key, label, area, column = "created_by", mark("Added by"), Area.ORIGIN, "created_by"
    source = "staff"
    with_any = PROFILE.format(holds="c.created_by_id = ANY({wanted})")


class EntryLinkFilter(ChoiceFilter):
    """By which entry link. Index: customer_entry_link."""

    key, label, area = "entry_link", mark("Came by entry link"), Area.ORIGIN
    source = "entry_link"
    with_any = PROFILE.format(holds="c.entry_link_id = ANY({wanted})")


class WasInvited(FlagFilter):
    """By another customer."""

    key, label, area = "was_invited", mark("Was invited by a customer"), Area.ORIGIN
    holds = "EXISTS (SELECT FROM referral r WHERE r.invitee_id = f.customer_id)"


class HasInvited(FlagFilter):
    """Somebody came by their invitation. Index: referral_referrer."""

    key, label, area = "has_invited", mark("Has invited somebody"), Area.ORIGIN
    holds = "EXISTS (SELECT FROM referral r WHERE r.referrer_id = f.customer_id)"


FILTERS = (Created, CreatedVia, CreatedBy, EntryLinkFilter, WasInvited, HasInvited)
