"""Which wording of a campaign did better: each one's people, and what they did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from loyalty.campaigns.effect import Arm, Pair, Verdict, compare

# By the primary keys of recipient, message and campaign_click. Whom a wording was drawn for counts for it, delivered or
# not; whoever was left out before that drew none.
COUNTED = """
SELECT r.variant, count(*)::int AS people,
    (count(*) FILTER (WHERE m.status IN ('sent', 'delivered', 'read')))::int AS sent,
    count(k.customer_id)::int AS clicked
FROM recipient r LEFT JOIN message m ON m.id = r.message_id AND m.id BETWEEN $3 AND $4
    LEFT JOIN (SELECT DISTINCT customer_id FROM campaign_click WHERE campaign_id = $1) k
    ON k.customer_id = r.customer_id
WHERE r.campaign_id = $1 AND r.state <> 'control' AND (r.state <> 'skipped' OR r.reason = ANY($2::text[]))
GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class WordingCount:
    """What came of one wording. people: for whom it was drawn; the others are some of them.

    sent counts what was delivered and read. bought, revenue: None without a window; in minor units.
    """

    people: int = 0
    sent: int = 0
    replied: int = 0
    clicked: int = 0
    bought: int | None = None
    revenue: int | None = None

    @property
    def revenue_each(self) -> int | None:
        """What a person of it paid on average, rounded to the nearest minor unit."""
        if self.revenue is None or not self.people:
            return None
        return (2 * self.revenue + self.people) // (2 * self.people)


@dataclass(frozen=True, slots=True)
class Wordings:
    """The wordings of a campaign in their order; none where there is one alone.

    verdict: of the best beside the next, as `effect.Pair` has it, or EARLY, NO_WINDOW. pairs: each two of them, that
    one first; none before the window is over.
    """

    counts: tuple[WordingCount, ...] = ()
    verdict: Verdict = Verdict.NO_WINDOW
    pairs: tuple[Pair, ...] = ()

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> "Wordings":
        """Read what was kept of them."""
        return cls(
            tuple(WordingCount(**one) for one in body["counts"]),
            Verdict(body["verdict"]),
            tuple(Pair(**one | {"verdict": Verdict(one["verdict"])}) for one in body["pairs"]),
        )


def arm_of(rows: Sequence[Mapping[str, Any]]) -> Arm:
    """The people of some rows of what was bought as one group."""
    found = Arm(0, 0, 0, 0, 0)
    for row in rows:
        sums = (int(row[name]) for name in ("people", "buyers", "total", "squares", "cubes"))
        found = found.with_(Arm(*sums))
    return found


def wordings_of(
    number: int,
    counted: Sequence[Mapping[str, Any]],
    replied: Mapping[int, int],
    bought: Sequence[Mapping[str, Any]] | None,
    *,
    is_over: bool,
) -> Wordings:
    """So many wordings by the rows of what was counted, also one that nobody drew.

    bought: what people paid, by wording, the control group's apart; None without a window. Before that is over nothing
    is compared: looked at often enough, chance alone would make one of them the better.
    """
    rows = {row["variant"]: row for row in counted}
    sales = {row["variant"]: row for row in bought or () if not row["is_control"]}
    found = []
    for variant in range(number):
        count = WordingCount(replied=replied.get(variant, 0))
        if row := rows.get(variant):
            count = replace(count, people=row["people"], sent=row["sent"], clicked=row["clicked"])
        if bought is not None:
            sale = sales.get(variant, {"bought": 0, "total": 0})
            count = replace(count, bought=sale["bought"], revenue=int(sale["total"]))
        found.append(count)
    if bought is None or not is_over:
        return Wordings(tuple(found), Verdict.NO_WINDOW if bought is None else Verdict.EARLY)
    arms = [arm_of([sales[variant]] if variant in sales else []) for variant in range(number)]
    pairs = compare(arms)
    return Wordings(tuple(found), pairs[0].verdict, tuple(pairs))
