"""Who may do what, and what makes an account sound. Pure."""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from loyalty.errors import Invalid

LANGUAGES = ("en", "ru", "uk")
"""What the panel and the bot speak."""

NAME_LENGTH = 100
EMAIL_LENGTH = 254
PASSWORD_LENGTH = 10
PASSWORD_LIMIT = 200
INVITATION_LIFETIME = timedelta(days=7)
RESET_LIFETIME = timedelta(hours=24)
_EMAIL = re.compile(r"[^@\s<>\"',;]+@[^@\s<>\"',;]+\.[^@\s<>\"',;.]{2,}")
_E164 = re.compile(r"\+[0-9]{7,15}")


class Role(StrEnum):
    """What a person of the panel is there for."""

    OWNER = "owner"
    MARKETER = "marketer"
    CASHIER = "cashier"
    ANALYST = "analyst"
    SUPPORT = "support"


class Permission(StrEnum):
    """One thing a role may do. Pages ask for it by name."""

    DASHBOARD_READ = "dashboard.read"
    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_EDIT = "customers.edit"
    CUSTOMERS_DELETE = "customers.delete"
    CUSTOMERS_BULK = "customers.bulk"
    CUSTOMERS_IMPORT = "customers.import"
    CUSTOMERS_MERGE = "customers.merge"
    CUSTOMERS_ERASE = "customers.erase"
    CUSTOMERS_EXPORT = "customers.export"
    EXPORTS_READ = "exports.read"
    PHONES_READ = "phones.read"
    BONUSES_ADJUST = "bonuses.adjust"
    TIER_SET = "tier.set"
    DISCOUNT_SET = "discount.set"
    CLAIMS_DECIDE = "claims.decide"
    NOTES_WRITE = "notes.write"
    TASKS_MANAGE = "tasks.manage"
    SEGMENTS_MANAGE = "segments.manage"
    CAMPAIGNS_SEND = "campaigns.send"
    SURVEYS_READ = "surveys.read"
    SURVEYS_MANAGE = "surveys.manage"
    ENTRY_LINKS_MANAGE = "entry_links.manage"
    MESSAGES_READ = "messages.read"
    MESSAGES_WRITE = "messages.write"
    CASHIER_USE = "cashier.use"
    BOOKINGS_MANAGE = "bookings.manage"
    SHOP_MANAGE = "shop.manage"
    STAFF_MANAGE = "staff.manage"
    KEYS_MANAGE = "keys.manage"
    JOURNAL_READ = "journal.read"
    ODD_READ = "odd.read"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.MARKETER: frozenset(
        {
            Permission.DASHBOARD_READ,
            Permission.CUSTOMERS_READ,
            Permission.CUSTOMERS_EDIT,
            Permission.CUSTOMERS_DELETE,
            Permission.CUSTOMERS_BULK,
            Permission.CUSTOMERS_IMPORT,
            Permission.CUSTOMERS_MERGE,
            Permission.CUSTOMERS_EXPORT,
            Permission.PHONES_READ,
            Permission.BONUSES_ADJUST,
            Permission.TIER_SET,
            Permission.DISCOUNT_SET,
            Permission.CLAIMS_DECIDE,
            Permission.NOTES_WRITE,
            Permission.TASKS_MANAGE,
            Permission.BOOKINGS_MANAGE,
            Permission.SEGMENTS_MANAGE,
            Permission.CAMPAIGNS_SEND,
            Permission.SURVEYS_READ,
            Permission.SURVEYS_MANAGE,
            Permission.ENTRY_LINKS_MANAGE,
            Permission.MESSAGES_READ,
            Permission.MESSAGES_WRITE,
        }
    ),
    Role.CASHIER: frozenset({Permission.CASHIER_USE}),
    Role.ANALYST: frozenset(
        {
            Permission.DASHBOARD_READ,
            Permission.CUSTOMERS_READ,
            Permission.CUSTOMERS_EXPORT,
            Permission.SURVEYS_READ,
            Permission.JOURNAL_READ,
        }
    ),
    Role.SUPPORT: frozenset(
        {
            Permission.CUSTOMERS_READ,
            Permission.CUSTOMERS_EDIT,
            Permission.PHONES_READ,
            Permission.CLAIMS_DECIDE,
            Permission.SURVEYS_READ,
            Permission.NOTES_WRITE,
            Permission.TASKS_MANAGE,
            Permission.BOOKINGS_MANAGE,
            Permission.MESSAGES_READ,
            Permission.MESSAGES_WRITE,
        }
    ),
}


def may(role: Role, permission: Permission) -> bool:
    """Whether a role has a permission."""
    return permission in PERMISSIONS[role]


class Scope(StrEnum):
    """One thing a key of another program may do. Operations of the API ask for it by name."""

    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_WRITE = "customers.write"
    BONUSES_READ = "bonuses.read"
    RECEIPTS_READ = "receipts.read"
    RECEIPTS_WRITE = "receipts.write"
    BOOKINGS_READ = "bookings.read"
    BOOKINGS_WRITE = "bookings.write"


KEY_START = "rk_"
"""How every key begins, so that a key lying about is known for what it is."""
KEY_LENGTH = 46
KEY_PREFIX = 10
"""So many first characters are kept to tell keys apart by; the 36 others are the secret."""
KEY_USE_SECONDS = 60
"""The last use of a key is kept to this precision: a key in use costs one write a minute."""


class ActorKind(StrEnum):
    """From which door an act came."""

    STAFF = "staff"
    CUSTOMER = "customer"
    JOB = "job"
    COMMAND = "command"
    API = "api"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `staff_id` when a person of the panel does, their `phone` so that nobody serves themselves.

    `api_key_id` when another program does.
    """

    kind: ActorKind
    staff_id: int | None = None
    phone: str | None = None
    api_key_id: int | None = None


JOB = Actor(ActorKind.JOB)
COMMAND = Actor(ActorKind.COMMAND)


def clean_email(email: str) -> str:
    """The address in lower case, as accounts are found by it. Raises Invalid("email")."""
    cleaned = email.strip().lower()
    if not cleaned:
        raise Invalid("email", "required")
    if len(cleaned) > EMAIL_LENGTH or not _EMAIL.fullmatch(cleaned):
        raise Invalid("email", "not_an_email")
    return cleaned


def clean_name(name: str) -> str:
    """The name on one line. Raises Invalid("name")."""
    cleaned = " ".join(name.split())
    if not cleaned:
        raise Invalid("name", "required")
    if len(cleaned) > NAME_LENGTH:
        raise Invalid("name", "too_long", limit=NAME_LENGTH)
    if not cleaned.isprintable():
        raise Invalid("name", "odd_characters")
    return cleaned


def check_phone(phone: str | None) -> None:
    """Raise Invalid("phone") unless it is missing or an international number (E.164)."""
    if phone is not None and not _E164.fullmatch(phone):
        raise Invalid("phone", "not_a_phone")


def check_reach(role: Role, location_ids: Collection[int] | None, location_id: int | None) -> None:
    """Raise Invalid unless rights may end with these locations: None is the whole chain.

    An owner runs all of it. Whoever stands at a till stands at one of theirs.
    """
    if location_ids is None:
        return
    if not location_ids:
        raise Invalid("location_ids", "required")
    if role is Role.OWNER:
        raise Invalid("location_ids", "owner_runs_the_chain")
    if location_id is not None and location_id not in location_ids:
        raise Invalid("location_id", "not_among_theirs")


def check_language(language: str | None) -> None:
    """Raise Invalid("language") unless it is missing or one we speak."""
    if language is not None and language not in LANGUAGES:
        raise Invalid("language", "unknown_choice")


def check_password(password: str, email: str) -> None:
    """Raise Invalid("password") for one that is too short, absurdly long, or the email itself."""
    if len(password) < PASSWORD_LENGTH:
        raise Invalid("password", "too_short", limit=PASSWORD_LENGTH)
    if len(password) > PASSWORD_LIMIT:
        raise Invalid("password", "too_long", limit=PASSWORD_LIMIT)
    if password.strip().lower() in {email, email.partition("@")[0]} or len(set(password)) < 4:
        raise Invalid("password", "too_easy")


def token_hash(token: str) -> str:
    """What is kept of an invitation's token: SHA-256 in hex. 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
