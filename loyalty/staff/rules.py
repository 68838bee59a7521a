"""Who may do what. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person of the panel is there for."""

    OWNER = "owner"
    MARKETER = "marketer"
    CASHIER = "cashier"
    ANALYST = "analyst"
    SUPPORT = "support"


class Permission(StrEnum):
    """One thing a role may do. Pages ask for it by name."""

    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_EDIT = "customers.edit"
    PHONES_READ = "phones.read"
    BONUSES_ADJUST = "bonuses.adjust"
    NOTES_WRITE = "notes.write"
    CASHIER_USE = "cashier.use"
    SHOP_MANAGE = "shop.manage"
    STAFF_MANAGE = "staff.manage"
    JOURNAL_READ = "journal.read"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.MARKETER: frozenset(
        {
            Permission.CUSTOMERS_READ,
            Permission.CUSTOMERS_EDIT,
            Permission.PHONES_READ,
            Permission.BONUSES_ADJUST,
            Permission.NOTES_WRITE,
        }
    ),
    Role.CASHIER: frozenset({Permission.CASHIER_USE}),
    Role.ANALYST: frozenset({Permission.CUSTOMERS_READ, Permission.JOURNAL_READ}),
    Role.SUPPORT: frozenset(
        {
            Permission.CUSTOMERS_READ,
            Permission.CUSTOMERS_EDIT,
            Permission.PHONES_READ,
            Permission.NOTES_WRITE,
        }
    ),
}


def may(role: Role, permission: Permission) -> bool:
    """Whether a role has a permission."""
    return permission in PERMISSIONS[role]


class ActorKind(StrEnum):
    """From which door an act came."""

    STAFF = "staff"
    CUSTOMER = "customer"
    JOB = "job"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `staff_id` when a person of the panel does; `phone` so that nobody serves their own account."""

    kind: ActorKind
    staff_id: int | None = None
    phone: str | None = None


JOB = Actor(ActorKind.JOB)
COMMAND = Actor(ActorKind.COMMAND)
