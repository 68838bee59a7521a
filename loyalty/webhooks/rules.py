"""What is told to whom, how it is signed, where it may go and when it is tried again. Pure."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from loyalty.errors import Invalid

URL_LENGTH = 500
SECRET_START = "whsec_"  # noqa: S105  it is how secrets begin, not one
"""How every secret begins, so that one lying about is known for what it is."""
LEASE = timedelta(seconds=60)
"""Longer than a call may take, so that only a deliverer that died loses its lease."""
PAUSES = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=24),
)
"""How long after each failed try the next one comes; after the try that follows the last of them we give up."""
ENOUGH = 20
"""So many events given up one after the other switch an endpoint off."""
AT_ONCE_EACH = 4
AT_ONCE = 32
"""Calls under way at once, to one endpoint and in all, over all processes."""
KEPT_FOR = timedelta(days=30)
# Their last 32 bits are an IPv4 address. Sources: RFC 6052, RFC 4291.
_CARRIERS = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
# Inside too, though Python takes them for global. Sources: RFC 8215, RFC 3879.
_INSIDE = (IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10"))


class Topic(StrEnum):
    """What an endpoint may ask to be told of."""

    CUSTOMER = "customer"
    RECEIPT = "receipt"
    REFUND = "refund"
    BALANCE = "balance"
    SURVEY = "survey"


class EventType(StrEnum):
    """What happened."""

    CUSTOMER_CREATED = "customer.created"
    CUSTOMER_UPDATED = "customer.updated"
    RECEIPT_RECORDED = "receipt.recorded"
    RECEIPT_REFUNDED = "receipt.refunded"
    BALANCE_CHANGED = "balance.changed"
    SURVEY_ANSWERED = "survey.answered"
    TEST = "webhook.test"


TOPICS = {
    EventType.CUSTOMER_CREATED: Topic.CUSTOMER,
    EventType.CUSTOMER_UPDATED: Topic.CUSTOMER,
    EventType.RECEIPT_RECORDED: Topic.RECEIPT,
    EventType.RECEIPT_REFUNDED: Topic.REFUND,
    EventType.BALANCE_CHANGED: Topic.BALANCE,
    EventType.SURVEY_ANSWERED: Topic.SURVEY,
}
"""What an endpoint must have asked for to be told. A test is told to one endpoint by name."""


class State(StrEnum):
    """How far a delivery is. `failed` will be tried again at its time, `given_up` will not."""

    DUE = "due"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"
    GIVEN_UP = "given_up"


class Trouble(StrEnum):
    """Why a try did not arrive, when it was not the receiver's status alone."""

    STATUS = "status"
    REDIRECT = "redirect"
    ADDRESS_INSIDE = "address_inside"
    NO_CONNECTION = "no_connection"
    NOT_TRUSTED = "not_trusted"
    TIMEOUT = "timeout"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: ids and whole numbers, no names or phones."""

    key: str
    type: str
    at: datetime
    data: Mapping[str, Any]

    def body(self) -> bytes:
        """What is posted: the same bytes each time."""
        moment = self.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        told = {"id": f"evt_{self.key}", "type": self.type, "created_at": moment, "data": dict(self.data)}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery taken by a deliverer until `leased_until`, which also tells its lease from a later one.

    attempts: this try counted in.
    """

    id: int
    endpoint_id: int
    url: str
    salt: str
    attempts: int
    leased_until: datetime
    event: Event


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a try: the receiver's status if it answered, and what was wrong if something was."""

    status: int | None = None
    trouble: Trouble | None = None


def outcome_of(status: int) -> Outcome:
    """What an answer's status means: 2xx is done, a redirect is not followed."""
    if 200 <= status < 300:
        return Outcome(status)
    return Outcome(status, Trouble.REDIRECT if 300 <= status < 400 else Trouble.STATUS)


def retry_at(delivery_id: int, attempts: int, now: datetime) -> datetime | None:
    """When to try again after so many tries in vain; None: give up.

    Up to a tenth sooner or later by the delivery's id, so that what failed together does not come back together.
    """
    if attempts > len(PAUSES):
        return None
    share = (delivery_id * 7919) % 201 - 100
    return now + PAUSES[attempts - 1] * (1000 + share) / 1000


def signing_key(secret: str) -> bytes:
    """The key that endpoints' secrets are drawn from, itself drawn from the installation's secret."""
    return hmac.digest(secret.encode(), b"webhooks", hashlib.sha256)


def endpoint_secret(key: bytes, endpoint_id: int, salt: str) -> str:
    """The secret of an endpoint. Nothing in the base gives it away without the installation's own secret."""
    return SECRET_START + hmac.digest(key, f"{endpoint_id}:{salt}".encode(), hashlib.sha256).hex()


def signature(secret: str, at: datetime, body: bytes) -> str:
    """The header that proves a body is ours and when it was sent: `t=<unix>,v1=<hmac-sha256 of "<t>.<body>">`."""
    moment = int(at.timestamp())
    return f"t={moment},v1={hmac.digest(secret.encode(), b'%d.%b' % (moment, body), hashlib.sha256).hex()}"


def clean_url(url: str, *, allow_local: bool) -> str:
    """The address as it is called. Raises Invalid("url").

    https everywhere; http only to this machine itself, where nobody is on the way. What a name stands for is seen
    when it is called; an address written as a number is judged here.
    """
    cleaned = url.strip()
    if not cleaned:
        raise Invalid("url", "required")
    if len(cleaned) > URL_LENGTH:
        raise Invalid("url", "too_long", limit=URL_LENGTH)
    try:
        parts = urlsplit(cleaned)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Invalid("url", "not_a_url") from None
    is_plain = cleaned.isascii() and cleaned.isprintable() and " " not in cleaned
    if not (is_plain and host and parts.scheme in {"http", "https"}) or "@" in parts.netloc or parts.fragment:
        raise Invalid("url", "not_a_url")
    is_local = _is_local(host)
    if parts.scheme == "http" and not is_local:
        raise Invalid("url", "must_be_https")
    if (is_local and not allow_local) or not _may_be_called(host, allow_local=allow_local):
        raise Invalid("url", "address_is_inside")
    return cleaned


def may_call(address: str, *, allow_local: bool) -> bool:
    """Whether a call may go to this address: only out into the internet, or also inside when that is allowed.

    Never to link-local ones, where clouds keep the keys of a machine.
    """
    found = _unwrapped(ip_address(address.partition("%")[0]))
    if found.is_link_local or found.is_multicast or found.is_unspecified or any(found in part for part in _INSIDE):
        return False
    return found.is_global or (allow_local and (found.is_private or found.is_loopback))


def _may_be_called(host: str, *, allow_local: bool) -> bool:
    try:
        return may_call(host, allow_local=allow_local)
    except ValueError:
        return True


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one only carries."""
    if isinstance(address, IPv4Address) or address.is_loopback or address.is_unspecified:
        return address
    if any(address in carrier for carrier in _CARRIERS):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
