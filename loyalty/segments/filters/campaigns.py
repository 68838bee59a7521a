"""What people got of messages to many, and whether they followed their links."""

from loyalty.segments.filters.base import Area, ManyChoicesFilter
from loyalty.wording import mark

# What was sent to a card that became another one's was sent to its owner. Indexes: the primary keys of recipient and of
# campaign_click, customer_merged_into.
THEIRS = (
    "(SELECT o.customer_id, {columns} FROM {table} o"
    " UNION ALL SELECT c.merged_into_id, {columns} FROM customer c JOIN {table} o ON o.customer_id = c.id"
    " WHERE c.merged_into_id IS NOT NULL)"
)


class ReceivedCampaign(ManyChoicesFilter):
    """It went out to them, or may have: whoever was left out, drawn not to be written to, or not reached, did not."""

    key, label, area = "campaign", mark("Got the message to many"), Area.MESSENGERS
    source = "campaign"
    with_any = (
        f"EXISTS (SELECT FROM {THEIRS.format(table='recipient', columns='o.campaign_id, o.message_id')} r"
        " JOIN message m ON m.id = r.message_id WHERE r.customer_id = f.customer_id AND r.campaign_id = ANY({wanted})"
        " AND m.status IN ('sent', 'delivered', 'read', 'unknown'))"
    )


class FollowedCampaign(ManyChoicesFilter):
    """They opened a link under it."""

    key, label, area = "campaign_link", mark("Followed a link of the message to many"), Area.MESSENGERS
    source = "campaign"
    with_any = (
        f"EXISTS (SELECT FROM {THEIRS.format(table='campaign_click', columns='o.campaign_id')} r"
        " WHERE r.customer_id = f.customer_id AND r.campaign_id = ANY({wanted}))"
    )


FILTERS = (ReceivedCampaign, FollowedCampaign)
