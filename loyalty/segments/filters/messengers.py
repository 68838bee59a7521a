"""Where people can be written to, and whether they want it."""

from loyalty.segments.filters.base import Area, Context, FlagFilter, HappenedFilter, ManyChoicesFilter
from loyalty.wording import mark

CHANNELS = (("telegram", "Telegram"), ("whatsapp", "WhatsApp"), ("sms", "SMS"), ("email", mark("E-mail")))


class Reachable(ManyChoicesFilter):
    """Something arrives there: the facts know."""

    key, label, area, column = "reachable", mark("Can be written to in"), Area.MESSENGERS, "messengers"
    choices = CHANNELS

    def test(self, wanted: list[str], context: Context) -> str:  # noqa: ARG002  every filter is asked alike
        """Each channel has a flag of its own, because the planner counts those right."""
        return f"({' OR '.join(f'f.{channel}' for channel in wanted)})"


class Unreachable(ManyChoicesFilter):
    """There is an account at which nothing arrives: blocked, or gone. Index: messenger_account_inactive."""

    key, label, area, column = "unreachable", mark("Blocked or gone in"), Area.MESSENGERS, "messengers"
    choices = CHANNELS
    with_any = (
        "EXISTS (SELECT FROM messenger_account a WHERE a.customer_id = f.customer_id AND NOT a.is_active"
        " AND a.channel = ANY({wanted}))"
    )


class AgreedToOffers(FlagFilter):
    """The newest word about advertising is a yes. Index: consent_customer."""

    key, label, area = "agreed", mark("Agreed to advertising"), Area.MESSENGERS
    holds = (
        "EXISTS (SELECT FROM consent s WHERE s.customer_id = f.customer_id AND s.topic = 'marketing' AND s.granted"
        " AND NOT EXISTS (SELECT FROM consent n WHERE n.customer_id = s.customer_id AND n.topic = 'marketing'"
        " AND n.id > s.id))"
    )


class TookOffersOff(ManyChoicesFilter):
    """An account that takes no advertising."""

    key, label, area = "stopped", mark("Turned advertising off in"), Area.MESSENGERS
    choices = CHANNELS
    with_any = (
        "EXISTS (SELECT FROM messenger_account a WHERE a.customer_id = f.customer_id AND NOT a.takes_marketing"
        " AND a.channel = ANY({wanted}))"
    )


class Wrote(HappenedFilter):
    """Last wrote to us in a period. Index: messenger_account_customer."""

    key, label, area = "wrote", mark("Last wrote to us"), Area.MESSENGERS
    happened = (
        "SELECT FROM messenger_account a JOIN conversation t ON t.account_id = a.id WHERE a.customer_id = f.customer_id"
    )
    at = "t.heard_at"


FILTERS = (Reachable, Unreachable, AgreedToOffers, TookOffersOff, Wrote)
