"""What webhooks tell, how far a delivery is and what went wrong, in the reader's language."""

from admin_web.i18n import gettext, mark
from loyalty.webhooks.queries import DeliveryView
from loyalty.webhooks.rules import TOPICS, EventType, State, Topic, Trouble

TOPIC_NAMES = {
    Topic.CUSTOMER: mark("Customers added, and their profiles changed"),
    Topic.RECEIPT: mark("Receipts recorded"),
    Topic.REFUND: mark("Receipts refunded"),
    Topic.BALANCE: mark("Balances changed without a receipt: by hand, gifts, expiry"),
    Topic.SURVEY: mark("Scores that customers give"),
}

EVENT_NAMES = {
    EventType.CUSTOMER_CREATED: mark("Customer added"),
    EventType.CUSTOMER_UPDATED: mark("Customer's profile changed"),
    EventType.RECEIPT_RECORDED: mark("Receipt recorded"),
    EventType.RECEIPT_REFUNDED: mark("Receipt refunded"),
    EventType.BALANCE_CHANGED: mark("Balance changed"),
    EventType.SURVEY_ANSWERED: mark("Score given"),
    EventType.TEST: mark("Test"),
}

STATE_NAMES = {
    State.DUE: (mark("Waiting"), ""),
    State.LEASED: (mark("On its way"), "acc"),
    State.DONE: (mark("Arrived"), "good"),
    State.FAILED: (mark("Failed, will be tried again"), "warn"),
    State.GIVEN_UP: (mark("Given up"), "bad"),
}
"""Name and tint of a state."""

TROUBLES = {
    Trouble.STATUS: mark("Answered %(status)s"),
    Trouble.REDIRECT: mark("Answered %(status)s: redirects are not followed"),
    Trouble.ADDRESS_INSIDE: mark("The name leads to an address inside, which is not called"),
    Trouble.NO_CONNECTION: mark("No connection"),
    Trouble.NOT_TRUSTED: mark("The certificate is not trusted"),
    Trouble.TIMEOUT: mark("No answer within ten seconds"),
    Trouble.NO_ANSWER: mark("The connection broke before an answer"),
}


def event_name(delivery: DeliveryView) -> str:
    """What happened."""
    return gettext(EVENT_NAMES[EventType(delivery.event.type)])


def last_try(delivery: DeliveryView) -> str:
    """What became of the last try; empty before the first."""
    if delivery.trouble is not None:
        sentence = gettext(TROUBLES[delivery.trouble])
        return sentence % {"status": delivery.status} if "%(" in sentence else sentence
    return gettext(TROUBLES[Trouble.STATUS]) % {"status": delivery.status} if delivery.status else ""


def types_of(topic: Topic) -> str:
    """The types of event that a topic covers, as programs see them."""
    return ", ".join(event for event, covered in TOPICS.items() if covered is topic)
