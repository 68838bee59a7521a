"""What a campaign costs: its messages before they are sent, and what became of them and of its bonuses. Pure.

Prices are in hundredths of a minor unit, costs in minor units. What a channel charges and nobody has told is None, and
never taken for nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from loyalty.campaigns.rules.texts import Words, content_for
from loyalty.conversations.channels import CAPABILITIES, SMS, sms_size
from loyalty.conversations.content import Link
from loyalty.conversations.prices import cost_of
from loyalty.conversations.stopping import with_stop


@dataclass(frozen=True, slots=True)
class Estimate:
    """What messages would cost in each channel that is used. at_most: in these some of them may come for nothing."""

    by_channel: Mapping[str, int | None] = field(default_factory=dict)
    at_most: frozenset[str] = frozenset()

    @property
    def known(self) -> int | None:
        """In all, as far as prices are known; None where none of them is."""
        return sum_known(list(self.by_channel.values()))

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The channels whose price nobody has told."""
        return tuple(name for name, cost in self.by_channel.items() if cost is None)


@dataclass(frozen=True, slots=True)
class ChannelCount:
    """Of one channel: how many messages it took, and what became of them. delivered, read: None where it never tells.

    sent counts what was delivered, delivered what was read. units: for how many messages the channel charges, of those
    that went out or may have: each part of an SMS is one. price: of one, in hundredths of a minor unit, as it was when
    the campaign began; None where nobody had told it.
    """

    sent: int = 0
    delivered: int | None = None
    read: int | None = None
    failed: int = 0
    unknown: int = 0
    units: int | None = None
    price: int | None = None

    @property
    def cost(self) -> int | None:
        """What its messages cost, in minor units; None where that is not known."""
        if not self.sent + self.unknown:
            return 0
        return None if self.units is None or self.price is None else cost_of(self.units, self.price)


@dataclass(frozen=True, slots=True)
class Cost:
    """What it cost. messages: how many went out, or may have.

    people: to how many bonuses were given; in hundredths: given, and of these spent on purchases since, expired, gone
    to old debts at once, and left. value: what those that were given would pay, in minor units. What was spent has
    come off the money of those purchases already, and is not taken off the difference again.
    """

    people: int = 0
    given: int = 0
    spent: int = 0
    expired: int = 0
    repaid: int = 0
    left: int = 0
    value: int = 0
    messages: int = 0

    @property
    def lasting(self) -> int:
        """What those pay that did not expire, in minor units, rounded up."""
        return self.value - self.value * self.expired // self.given if self.given else 0


def sum_known(costs: Sequence[int | None]) -> int | None:
    """The sum of what is known; nothing of nothing, None where nothing is known."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known or not costs else None


def estimated(
    reached: Mapping[str, int],
    prices: Mapping[str, int],
    *,
    sms_parts: Sequence[int] = (1,),
    has_template: bool = False,
) -> Estimate:
    """What it costs to write to so many people in each channel, at these prices.

    sms_parts: of each wording, which equally many people read. has_template: one goes where a text may not be sent any
    more; until then a text does, for nothing.
    """
    costs: dict[str, int | None] = {}
    at_most = set()
    for channel, people in reached.items():
        each = Fraction(1)
        if channel == SMS:
            each = Fraction(sum(sms_parts), len(sms_parts))
        elif CAPABILITIES[channel].window_hours:
            each = Fraction(int(has_template))
            if has_template and people:
                at_most.add(channel)
        price = prices.get(channel)
        costs[channel] = cost_of(round(people * each), price) if price is not None else None
    return Estimate(costs, frozenset(at_most))


def sms_parts(
    wordings: Sequence[Words],
    language: str,
    values: Mapping[str, str],
    *,
    link: str = "",
    stop_url: str = "",
) -> list[int]:
    """How many SMS each wording is in this language, for somebody of these values.

    link: what a counted address looks like that stands there instead of the author's; "" where addresses stay.
    stop_url: such an address by which one ends advertising; "" for what is none.
    """
    able, found = CAPABILITIES[SMS], []
    for words in wordings:
        content = content_for(words, language, language, values)
        if link:
            content = replace(content, links=tuple(Link(one.text, link) for one in content.links))
        found.append(sms_size(with_stop(content, able, language, stop_url, before="\n").text).parts)
    return found
