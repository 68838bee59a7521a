"""What happens to people's bonuses and levels: some are about to expire, a level changes."""

from datetime import timedelta

from loyalty.campaigns.triggers.base import Asking, Param, Trigger


class Expiring(Trigger):
    """Bonuses of somebody's expire in so many days. Index: bonus_lot_expiring."""

    key = "expiring"
    params = (Param("days", 1, 90, 7),)
    every_seconds = 60

    def found(self, asking: Asking) -> str:
        """Once for each day on which some expire, whatever lots these are of."""
        days = timedelta(days=asking.params["days"])
        earliest, latest = asking.earliest + days, asking.now + days
        zone = asking.add(asking.context.zone, "text")
        day = f"(lot.expires_at - INTERVAL '1 second') AT TIME ZONE {zone}"
        return f"""SELECT lot.customer_id, 'expiring:' || to_char({day}, 'YYYY-MM-DD') AS key FROM bonus_lot lot
            WHERE lot.remaining > 0 AND lot.expires_at > {asking.add(earliest, "timestamptz")}
                AND lot.expires_at <= {asking.add(latest, "timestamptz")}
                AND lot.expires_at > {asking.add(asking.now, "timestamptz")}"""

    def past(self, asking: Asking, since: str, until: str) -> str:
        """Whose were, of what was left of them so many days before."""
        days = f"make_interval(days => {asking.add(asking.params['days'], 'int')})"
        zone = asking.add(asking.context.zone, "text")
        return f"""SELECT lot.customer_id, min(lot.expires_at) - {days} AS at FROM bonus_lot lot
            WHERE lot.expires_at > {since} + {days} AND lot.expires_at <= {until} + {days}
                AND lot.activates_at <= lot.expires_at - {days}
                AND lot.amount > coalesce((SELECT sum(a.amount) FROM bonus_allocation a
                    JOIN bonus_entry e ON e.id = a.entry_id
                    WHERE a.lot_id = lot.id AND e.at <= lot.expires_at - {days}), 0)
            GROUP BY lot.customer_id, ((lot.expires_at - INTERVAL '1 second') AT TIME ZONE {zone})::date"""


class Level(Trigger):
    """Somebody's level changes, or, with `up`, rises. Goes by the changes' ids.

    Levels are numbered by their thresholds in the programme of the moment.
    """

    key = "tier"
    params = (Param("up", 0, 1, 1, is_flag=True),)
    table = "tier_change"
    rises = """(SELECT array_position({ranks}, r.tier_id::int) > array_position({ranks}, r.previous_tier_id::int))"""

    def found(self, asking: Asking) -> str:
        """Once for each change."""
        return f"""SELECT r.customer_id, 'tier:' || r.id AS key FROM tier_change r
            WHERE {asking.rows} AND {self._wanted(asking)}"""

    def past(self, asking: Asking, since: str, until: str) -> str:
        """Whose did."""
        return f"""SELECT r.customer_id, r.at FROM tier_change r
            WHERE r.at > {since} AND r.at <= {until} AND {self._wanted(asking)}"""

    def _wanted(self, asking: Asking) -> str:
        """Cards that were merged or taken apart changed nobody's level by what they did."""
        told = "r.reason NOT IN ('merge', 'unmerge')"
        if not asking.params["up"]:
            return told
        ranks = asking.add(list(asking.ranks), "int[]")
        return f"{told} AND {self.rises.format(ranks=ranks)}"


TRIGGERS = (Expiring, Level)
