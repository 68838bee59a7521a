"""Types of messages in words: how they are grouped, what their variables mean and look like, where templates stand."""

from collections.abc import Sequence

from admin_web.chats import CHANNELS, TOLD
from admin_web.i18n import READER, gettext, mark
from loyalty import wording
from loyalty.conversations.channels import EMAIL, SMS, TELEGRAM, WHATSAPP
from loyalty.conversations.message_types import BULK, STAFF
from loyalty.conversations.templating import Category, TemplateStatus
from loyalty.settings import Settings
from loyalty.shop.rules import ShopView

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (mark("Purchases"), ("receipt", "receipt_refunded", "claim_refused", "waiting_sale_refused", "refused")),
    (mark("Bonuses"), ("hold_asked", "bonuses_credited", "bonuses_debited", "expiring", "birthday")),
    (mark("Levels"), ("tier_falling",)),
    (mark("Invitations"), ("referral", "invited", "referral_undone")),
    (mark("Surveys"), ("survey_asked",)),
    (mark("Cards and accounts"), ("link_asked", "link_accepted", "link_refused")),
    (mark("Written by people"), (STAFF, BULK)),
)
OTHERS = mark("Others")
"""Where a type stands that no group names."""
NAMES = {**TOLD, STAFF: mark("Answer of the staff")}

SYMBOLS = {TELEGRAM: "send", WHATSAPP: "message-circle", SMS: "message-square-text", EMAIL: "mail"}

VARIABLES = {
    "amount": mark("How many bonuses"),
    "balance": mark("Bonuses on the card"),
    "burnt": mark("Bonuses used"),
    "channel": mark("Messenger"),
    "day": mark("Day of the receipt"),
    "earned": mark("Bonuses earned"),
    "first_name": mark("First name"),
    "location": mark("Location"),
    "name": mark("Name in the messenger"),
    "restored": mark("Bonuses returned"),
    "reversed": mark("Bonuses taken back"),
    "spendable_from": mark("From when they can be used"),
    "sum": mark("For how much more to buy"),
    "tier": mark("Level"),
    "to": mark("The level it becomes"),
    "total": mark("Sum"),
    "until": mark("Until when"),
    "visits": mark("How many visits more"),
    "why": mark("Why"),
}
"""What the variables of messages mean; one that is not named here is shown by its own name."""
TOTALS = {"expiring": mark("Together with those of the days after")}
"""Where {total} is no sum of money."""

STATUSES = {
    TemplateStatus.DRAFT: (mark("Draft"), ""),
    TemplateStatus.PENDING: (mark("WhatsApp looks at it"), "warn"),
    TemplateStatus.APPROVED: (mark("Approved"), "good"),
    TemplateStatus.REJECTED: (mark("Rejected"), "bad"),
    TemplateStatus.PAUSED: (mark("Paused"), "warn"),
    TemplateStatus.DISABLED: (mark("Disabled by WhatsApp"), "bad"),
}
"""Status of a template -> (its name, the tint of its badge)."""
BY_HAND = {
    TemplateStatus.PENDING: mark("I have sent it to WhatsApp"),
    TemplateStatus.APPROVED: mark("WhatsApp has approved it"),
    TemplateStatus.REJECTED: mark("WhatsApp has rejected it"),
    TemplateStatus.PAUSED: mark("Send it no more"),
}
"""What a person notes, by the status that it leads to."""
CATEGORIES = {
    Category.UTILITY: mark("Utility: about a purchase or an account"),
    Category.MARKETING: mark("Marketing: offers and gifts"),
    Category.AUTHENTICATION: mark("Authentication: one-time codes"),
}
REASONS = {
    "ABUSIVE_CONTENT": mark("its words break the rules of WhatsApp"),
    "INCORRECT_CATEGORY": mark("the category does not fit its words"),
    "INVALID_FORMAT": mark("something is wrong with its variables or form"),
    "PROMOTIONAL": mark("it advertises, and its category is another"),
    "SCAM": mark("WhatsApp takes it for a fraud"),
    "TAG_CONTENT_MISMATCH": mark("its language or category does not fit its words"),
    "FIRST_PAUSE": mark("paused for three hours: people complained"),
    "SECOND_PAUSE": mark("paused for six hours: people complained again"),
}
"""Why WhatsApp rejects or pauses, in its codes."""


def type_name(name: str) -> str:
    """A type of message in the reader's language."""
    return gettext(NAMES.get(name, name))


def channel_name(channel: str) -> str:
    """A channel in the reader's language."""
    return gettext(CHANNELS.get(channel, channel))


def grouped(names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Types under their headings; those that no group names come last, before what people write."""
    named = {name for _, group in GROUPS for name in group}
    groups = [(gettext(heading), [name for name in group if name in names]) for heading, group in GROUPS]
    others = [name for name in names if name not in named]
    return [*groups[:-1], (gettext(OTHERS), others), groups[-1]] if others else groups


def meaning(variable: str, kind: str) -> str:
    """What a variable of a type means."""
    if variable == "total" and kind in TOTALS:
        return gettext(TOTALS[kind])
    return gettext(VARIABLES.get(variable, variable))


def samples(kind: str, language: str, shop: ShopView) -> dict[str, str]:
    """Made-up values, for a type that nobody was told of yet; what is not here is shown by its name."""

    def bonuses(count: int) -> str:
        return wording.bonuses_in_words(count * 100, language)

    some_day = wording.day(READER.get().now.date(), language)
    sum_of_money = wording.money(450 * 10**shop.exponent, shop.currency, shop.exponent, language)
    return {
        "amount": bonuses(150),
        "balance": bonuses(320),
        "burnt": bonuses(40),
        "channel": channel_name(WHATSAPP),
        "day": some_day,
        "earned": bonuses(22),
        "location": shop.name,
        "name": gettext("Maria"),
        "restored": bonuses(40),
        "reversed": bonuses(22),
        "spendable_from": some_day,
        "sum": sum_of_money,
        "tier": gettext("Silver"),
        "to": gettext("Bronze"),
        "total": bonuses(170) if kind in TOTALS else sum_of_money,
        "until": some_day,
        "visits": wording.visits_in_words(3, language),
        "why": "…",
    }


def set_up(settings: Settings) -> set[str]:
    """The channels that can send here."""
    ready = {
        TELEGRAM: settings.telegram_bot_token,
        WHATSAPP: settings.whatsapp_access_token,
        SMS: settings.sms_url,
        EMAIL: settings.smtp_host,
    }
    return {channel for channel, value in ready.items() if value}
