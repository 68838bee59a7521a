"""Whose a thing is, by its own number: what rights that end with locations may open."""

from collections.abc import Collection
from enum import StrEnum

from loyalty import db
from loyalty.customers.queries.reach import reached_among


class Thing(StrEnum):
    """What has a number in an address; also the noun that is not found."""

    CUSTOMER = "customer"
    ACCOUNT = "account"
    MESSAGE = "message"
    LINK_REQUEST = "link_request"
    CREDIT_REQUEST = "credit_request"
    MERGE = "merge"
    CLAIM = "claim"
    PHOTO = "media"
    RECEIPT = "receipt"
    WAITING_SALE = "waiting_sale"
    ENTRY_LINK = "entry_link"
    MASS_ACTION = "mass_action"
    CAMPAIGN = "campaign"
    TASK = "task"


WHOSE = {
    Thing.CUSTOMER: "SELECT coalesce(merged_into_id, id) AS customer_id FROM customer WHERE id = $1",
    Thing.ACCOUNT: "SELECT customer_id FROM messenger_account WHERE id = $1",
    Thing.MESSAGE: """
        SELECT a.customer_id FROM message m JOIN messenger_account a ON a.id = m.account_id WHERE m.id = $1
    """,
    Thing.LINK_REQUEST: "SELECT customer_id FROM link_request WHERE id = $1",
    Thing.CREDIT_REQUEST: "SELECT customer_id FROM credit_request WHERE id = $1",
    Thing.MERGE: "SELECT survivor_id AS customer_id FROM merge WHERE id = $1",
    # Where a receipt was bought decides; while nobody knows where, who sent it.
    Thing.CLAIM: """
        SELECT location_id, CASE WHEN location_id IS NULL THEN customer_id END AS customer_id FROM fiscal_claim
        WHERE id = $1
    """,
    # The photo of a receipt is for those who decide on it, too. Index: fiscal_claim_customer.
    Thing.PHOTO: """
        SELECT a.customer_id, (SELECT c.location_id FROM fiscal_claim c
            WHERE c.customer_id = a.customer_id AND c.media_id = p.id) AS location_id
        FROM media p JOIN message m ON m.id = p.message_id JOIN messenger_account a ON a.id = m.account_id
        WHERE p.id = $1
    """,
    Thing.RECEIPT: "SELECT location_id FROM receipt WHERE id = $1",
    Thing.WAITING_SALE: "SELECT location_id FROM waiting_sale WHERE id = $1",
    Thing.ENTRY_LINK: "SELECT location_id FROM entry_link WHERE id = $1",
    Thing.MASS_ACTION: "SELECT staff_id FROM mass_action WHERE id = $1",
    Thing.CAMPAIGN: "SELECT staff_id FROM campaign WHERE id = $1",
    Thing.TASK: "SELECT customer_id, assignee_id AS staff_id, created_by_id AS maker_id FROM task WHERE id = $1",
}
"""The location, the customer or the person of the panel by whom a thing is reached. All by primary keys."""


async def is_reached(thing: Thing, number: int, *, staff_id: int, location_ids: Collection[int]) -> bool:
    """Whether a thing is reached by these locations, or is this person's own; False for one that is not there, too."""
    row = await db.fetch_row(WHOSE[thing], number)
    if row is None:
        return False
    if row.get("location_id") in location_ids or staff_id in {row.get("staff_id"), row.get("maker_id")}:
        return True
    customer_id = row.get("customer_id")
    return customer_id is not None and bool(await reached_among([customer_id], location_ids))
