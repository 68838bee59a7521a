"""Reading what ties accounts to people: the owner of a number, and accounts that may be somebody's."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.customers.queries import IS_MESSENGER, reach
from loyalty.customers.rules import TYPED_PHONE, LinkState
from loyalty.errors import NotFound

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class PhoneOwner:
    """Whose card a number stands on. `is_claimed`: they named it in a chat, and nobody has proven it yet."""

    customer_id: int
    is_claimed: bool


@dataclass(frozen=True, slots=True)
class LinkRequestView:
    """An account that may be a customer's. `owner_id`: whose it is now, the newcomer's own card; None for nobody's."""

    id: int
    account_id: int
    channel: str
    account_name: str
    owner_id: int | None
    owner_name: str | None
    customer_id: int
    customer_name: str
    customer_phone: str | None
    state: LinkState
    created_at: datetime
    decided_at: datetime | None
    staff_name: str | None


PHONE_OWNER = f"""
SELECT coalesce(c.merged_into_id, c.id) AS customer_id, c.phone_verified_at IS NULL AND c.merged_into_id IS NULL
    AND EXISTS (SELECT FROM registration_step s WHERE s.customer_id = c.id AND s.step = $2)
    AND EXISTS (SELECT FROM messenger_account a WHERE a.customer_id = c.id AND {IS_MESSENGER}) AS is_claimed
FROM customer c WHERE c.phone = $1
"""  # indexes: registration_step_customer, messenger_account_customer


async def phone_owner(phone: str) -> PhoneOwner | None:
    """On whose card this E.164 phone stands."""
    row = await db.fetch_row(PHONE_OWNER, phone, TYPED_PHONE)
    return PhoneOwner(**row) if row else None


LINKS = """
SELECT r.id, r.account_id, a.channel, a.name AS account_name, a.customer_id AS owner_id, o.name AS owner_name,
    r.customer_id, c.name AS customer_name, c.phone AS customer_phone, r.state, r.created_at, r.decided_at,
    s.name AS staff_name
FROM link_request r JOIN messenger_account a ON a.id = r.account_id JOIN customer c ON c.id = r.customer_id
    LEFT JOIN customer o ON o.id = a.customer_id LEFT JOIN staff_member s ON s.id = r.staff_id
"""
# Index: link_request_open; what was decided is read along the primary key.
WITHIN = reach.within("r.customer_id", "$2")
OPEN = f"{LINKS} WHERE r.state = 'open' AND {WITHIN} ORDER BY r.created_at, r.id LIMIT $1"
DECIDED = f"{LINKS} WHERE r.state <> 'open' AND r.id < $3 AND {WITHIN} ORDER BY r.id DESC LIMIT $1"
# Indexes: link_request_customer, link_request_account, messenger_account_customer.
ABOUT = f"""{LINKS} WHERE r.state = 'open' AND (r.customer_id = $1
    OR r.account_id IN (SELECT id FROM messenger_account WHERE customer_id = $1)) ORDER BY r.id"""


async def link_requests(
    *, is_open: bool, within: Collection[int] | None = None, before: int | None = None
) -> list[LinkRequestView]:
    """Those that wait, the longest waiting first; or those decided, newest first. PAGE_ROWS and one at most.

    within: for cards that these locations reach, None for all.
    """
    asked = (PAGE_ROWS + 1, None if within is None else list(within))
    rows = await db.fetch(OPEN, *asked) if is_open else await db.fetch(DECIDED, *asked, before or 2**62)
    return [_view(row) for row in rows]


async def links_about(customer_id: int) -> list[LinkRequestView]:
    """Open requests about this customer: for their card, or about an account of theirs."""
    return [_view(row) for row in await db.fetch(ABOUT, customer_id)]


async def link_request(request_id: int) -> LinkRequestView:
    """One request. Raises NotFound("link_request")."""
    row = await db.fetch_row(f"{LINKS} WHERE r.id = $1", request_id)
    if row is None:
        raise NotFound("link_request")
    return _view(row)


def _view(row: db.Row) -> LinkRequestView:
    return LinkRequestView(**{**row, "state": LinkState(row["state"])})
