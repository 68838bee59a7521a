"""Counting who followed a link of a campaign, and where it leads."""

from datetime import datetime

from loyalty import db
from loyalty.campaigns.links import Click
from loyalty.errors import NotFound

# By the primary keys of campaign, recipient and campaign_click. Only who was written to is counted; whoever was erased
# since is nobody's reader. A card that became another one's is counted as what it was: the audience is frozen.
FOLLOW = """
WITH found AS (
    SELECT c.buttons->$3::int->>'url' AS url FROM campaign c WHERE c.id = $1
), counted AS (
    INSERT INTO campaign_click (campaign_id, customer_id, button, first_at)
    SELECT $1, $2, $3::int, $4 FROM found, recipient r JOIN customer p ON p.id = r.customer_id
    WHERE $5 AND found.url IS NOT NULL AND r.campaign_id = $1 AND r.customer_id = $2 AND r.message_id IS NOT NULL
        AND p.erased_at IS NULL
    ON CONFLICT (campaign_id, customer_id, button) DO UPDATE SET clicks = campaign_click.clicks + 1
)
SELECT url FROM found
"""


@db.use_case
async def follow(click: Click, *, counts: bool, now: datetime) -> str:
    """Where a link of a campaign leads, counted when a person opened it. Raises NotFound("link").

    The address comes from the campaign's own row, so a link of ours leads nowhere else.
    """
    url = await db.fetch_value(FOLLOW, click.campaign_id, click.customer_id, click.button, now, counts)
    if url is None or not url.startswith("https://"):
        raise NotFound("link")
    return str(url)
