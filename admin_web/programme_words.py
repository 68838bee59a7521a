"""The programme's settings for people: what each is called, in which unit it is written, and what changed.

`SECTIONS` lists every setting of `loyalty.shop.rules.Programme` but the levels and the earning rules, which have rows
of their own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from admin_web.earning_words import Places, rule_sentence
from admin_web.formats import MISSING, bonuses, money, num, percent
from admin_web.i18n import gettext, mark, ngettext
from loyalty.shop.rules import (
    DebtPolicy,
    Programme,
    Rounding,
    RuleSettings,
    Stacking,
    Tier,
    TierBasis,
    changed_fields,
)


class Unit(StrEnum):
    """In what a setting is written."""

    MONEY = "money"
    BONUSES = "bonuses"
    SHARE = "share"
    DAYS = "days"
    MONTHS = "months"
    MINUTES = "minutes"
    TIMES = "times"
    CHOICE = "choice"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the programme. Texts are marked. empty: what nothing written means; without it, it is asked for.

    options: of a choice, by its value.
    """

    name: str
    label: str
    unit: Unit
    hint: str = ""
    empty: str = ""
    options: Mapping[Any, str] | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Settings that are thought about together."""

    key: str
    title: str
    text: str
    settings: tuple[Setting, ...]


SIGNS = {
    Unit.MONEY: "",
    Unit.BONUSES: mark("bonuses"),
    Unit.SHARE: "%",
    Unit.DAYS: mark("days"),
    Unit.MONTHS: mark("months"),
    Unit.MINUTES: mark("minutes"),
    Unit.TIMES: mark("times"),
}
"""What stands behind a field; of money, the sign of the shop's currency."""

NO_LIMIT = mark("no limit")
NEVER = mark("never")
NOTHING = mark("none")

TIER_BASES = {
    TierBasis.PAID: mark("Money paid"),
    TierBasis.VISITS: mark("Visits"),
}
ROUNDINGS = {
    Rounding.DOWN: mark("Down"),
    Rounding.NEAREST: mark("To the nearest"),
    Rounding.UP: mark("Up"),
}
STACKINGS = {
    Stacking.BEST: mark("Only the best one"),
    Stacking.SUM: mark("All together"),
}
DEBT_POLICIES = {
    DebtPolicy.DEBT: mark("Become a debt that later earnings repay"),
    DebtPolicy.CLAMP: mark("Are forgiven"),
    DebtPolicy.CASH: mark("Are kept back in money by the till"),
}

SECTIONS = (
    Section(
        "levels",
        mark("Levels"),
        mark("A customer rises at once, with the next receipt, and falls only after a time of grace."),
        (
            Setting("tier_basis", mark("What raises a level"), Unit.CHOICE, options=TIER_BASES),
            Setting("tier_window_days", mark("Counted over the last"), Unit.DAYS),
            Setting("tier_hold_days", mark("Kept after it is no longer reached"), Unit.DAYS),
            Setting("tier_warning_days", mark("Warned before falling"), Unit.DAYS),
        ),
    ),
    Section(
        "earning",
        mark("Earning"),
        mark("What a purchase brings, and how it is rounded. Earning rules add to the level's percent."),
        (
            Setting("bonus_value", mark("One bonus pays"), Unit.MONEY),
            Setting(
                "bonus_step", mark("Smallest step"), Unit.BONUSES, mark("Bonuses are earned and used in its steps.")
            ),
            Setting("rounding", mark("Rounding of a receipt"), Unit.CHOICE, options=ROUNDINGS),
            Setting("stacking", mark("When several rules apply"), Unit.CHOICE, options=STACKINGS),
            Setting(
                "activation_delay_days",
                mark("Can be used after"),
                Unit.DAYS,
                mark("The time in which goods may come back. 0: at once."),
            ),
            Setting("earn_cap_receipt", mark("At most for a receipt"), Unit.BONUSES, empty=NO_LIMIT),
            Setting("earn_cap_day", mark("At most a day"), Unit.BONUSES, empty=NO_LIMIT),
            Setting("earn_cap_month", mark("At most a month"), Unit.BONUSES, empty=NO_LIMIT),
            Setting(
                "excluded_categories",
                mark("Goods left out"),
                Unit.WORDS,
                mark("Categories that neither earn nor can be paid with bonuses, by commas: gift cards, tobacco."),
                empty=NOTHING,
            ),
        ),
    ),
    Section(
        "burning",
        mark("Using bonuses"),
        mark("How much of a purchase bonuses may pay."),
        (
            Setting("burn_share_bp", mark("Part of a receipt"), Unit.SHARE),
            Setting("min_cash", mark("Smallest sum paid in money"), Unit.MONEY),
            Setting("burn_cap_receipt", mark("At most for a receipt"), Unit.BONUSES, empty=NO_LIMIT),
            Setting("burn_cap_day", mark("At most a day"), Unit.BONUSES, empty=NO_LIMIT),
            Setting(
                "hold_minutes",
                mark("Set aside for"),
                Unit.MINUTES,
                mark("How long a till or an online shop may keep bonuses before the sale is paid."),
            ),
        ),
    ),
    Section(
        "expiry",
        mark("Expiry"),
        mark("Bonuses end with the last moment of a day. What is on accounts already keeps its dates."),
        (
            Setting("lifetime_months", mark("Earned bonuses live"), Unit.MONTHS, empty=NEVER),
            Setting("manual_lifetime_months", mark("Bonuses added by hand live"), Unit.MONTHS, empty=NEVER),
            Setting("expiry_warning_days", mark("Warned before they expire"), Unit.DAYS),
        ),
    ),
    Section(
        "gifts",
        mark("Gifts"),
        mark("Each is given once: welcome once for ever, a birthday once a year, a friend once."),
        (
            Setting("welcome_bonus", mark("Welcome bonus"), Unit.BONUSES, empty=NOTHING),
            Setting("welcome_lifetime_days", mark("Welcome bonus lives"), Unit.DAYS, empty=NEVER),
            Setting("birthday_bonus", mark("Birthday bonus"), Unit.BONUSES, empty=NOTHING),
            Setting("birthday_days_before", mark("Given before the birthday"), Unit.DAYS),
            Setting("birthday_lifetime_days", mark("Birthday bonus lives"), Unit.DAYS, empty=NEVER),
            Setting("referral_bonus", mark("For bringing a friend"), Unit.BONUSES, empty=NOTHING),
            Setting("referral_invitee_bonus", mark("For the friend who came"), Unit.BONUSES, empty=NOTHING),
            Setting("referral_lifetime_days", mark("Bonuses for friends live"), Unit.DAYS, empty=NEVER),
            Setting("referral_cap_month", mark("Friends rewarded a month"), Unit.TIMES, empty=NO_LIMIT),
        ),
    ),
    Section(
        "refunds",
        mark("Refunds"),
        mark("A refund gives used bonuses back and takes earned ones back."),
        (
            Setting("debt_policy", mark("Earned bonuses that were used already"), Unit.CHOICE, options=DEBT_POLICIES),
            Setting(
                "refund_grace_days",
                mark("Expired bonuses come back for"),
                Unit.DAYS,
                mark("When a refund returns bonuses whose time was over."),
            ),
        ),
    ),
    Section(
        "limits",
        mark("Limits against misuse"),
        mark("For one customer. What is above them is refused at the till."),
        (
            Setting("receipts_day", mark("Receipts a day"), Unit.TIMES, empty=NO_LIMIT),
            Setting("burns_day", mark("Receipts paid with bonuses a day"), Unit.TIMES, empty=NO_LIMIT),
            Setting("receipt_gap_minutes", mark("Time between receipts"), Unit.MINUTES, empty=NO_LIMIT),
            Setting("manual_credit_day", mark("By hand, one colleague a day"), Unit.BONUSES, empty=NO_LIMIT),
            Setting(
                "manual_credit_alone",
                mark("By hand, without a second person"),
                Unit.BONUSES,
                mark("A larger credit waits until another colleague approves it."),
                empty=NO_LIMIT,
            ),
        ),
    ),
    Section(
        "chat",
        mark("Receipts from the chat"),
        mark("Customers send the QR code of a fiscal receipt that was not credited at the till."),
        (
            Setting("claim_days", mark("Receipts are taken for"), Unit.DAYS, empty=mark("not taken")),
            Setting("claims_day", mark("Receipts a customer may send a day"), Unit.TIMES, empty=NO_LIMIT),
            Setting(
                "claim_auto_total",
                mark("Credited without a person up to"),
                Unit.MONEY,
                mark("Only of cash registers that a location names, and only when no such sale was credited yet."),
                empty=NOTHING,
            ),
            Setting(
                "waiting_sale_days",
                mark("A sale waits for its customer to register for"),
                Unit.DAYS,
            ),
        ),
    ),
)
SETTINGS = {setting.name: setting for section in SECTIONS for setting in section.settings}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference of two versions: what, as it was, as it is."""

    what: str
    before: str
    after: str


def changes(before: Programme, after: Programme, places: Places) -> list[Change]:
    """What differs between two versions, setting by setting, level by level, rule by rule."""
    found: list[Change] = []
    for name in changed_fields(before, after):
        if name == "tiers":
            found += _rows(
                {tier.id: (tier.name, _tier_words(tier, before)) for tier in before.tiers},
                {tier.id: (tier.name, _tier_words(tier, after)) for tier in after.tiers},
                gettext("Level"),
            )
        elif name == "rules":
            found += _rule_changes(before, after, places)
        elif name in SETTINGS:
            setting = SETTINGS[name]
            values = (setting_words(setting, getattr(version, name)) for version in (before, after))
            found.append(Change(_full_label(setting), *values))
    return found


def setting_words(setting: Setting, value: Any) -> str:
    """A value of a setting with its unit: 5 %, 200 bonuses, 30 days, no limit."""
    if setting.empty and not value:
        return gettext(setting.empty)
    if setting.unit is Unit.WORDS:
        return ", ".join(value)
    if setting.options is not None:
        return gettext(setting.options[value])
    return _AS_WORDS[setting.unit](value)


def bonuses_words(hundredths: int) -> str:
    """An amount of bonuses with its unit."""
    return ngettext("%(n)s bonus", "%(n)s bonuses", hundredths // 100) % {"n": bonuses(hundredths)}


def threshold_words(threshold: int, basis: TierBasis) -> str:
    """From where a level begins."""
    if basis is TierBasis.PAID:
        return money(threshold)
    return ngettext("%(n)s visit", "%(n)s visits", threshold) % {"n": num(threshold)}


_AS_WORDS: dict[Unit, Callable[[int], str]] = {
    Unit.MONEY: money,
    Unit.BONUSES: bonuses_words,
    Unit.SHARE: percent,
    Unit.DAYS: lambda value: ngettext("%(n)s day", "%(n)s days", value) % {"n": num(value)},
    Unit.MONTHS: lambda value: ngettext("%(n)s month", "%(n)s months", value) % {"n": num(value)},
    Unit.MINUTES: lambda value: ngettext("%(n)s minute", "%(n)s minutes", value) % {"n": num(value)},
    Unit.TIMES: num,
}


def _full_label(setting: Setting) -> str:
    """The label with its section: labels such as "At most a day" repeat."""
    section = next(one for one in SECTIONS if setting in one.settings)
    return f"{gettext(section.title)} · {gettext(setting.label)}"


def _tier_words(tier: Tier, programme: Programme) -> str:
    return gettext("%(name)s: from %(threshold)s, %(share)s") % {
        "name": tier.name,
        "threshold": threshold_words(tier.threshold, programme.tier_basis),
        "share": percent(tier.rate_bp),
    }


def _rule_changes(before: Programme, after: Programme, places: Places) -> Iterator[Change]:
    yield from _rows(
        {rule.id: (rule.name, _rule_words(rule, places)) for rule in before.rules},
        {rule.id: (rule.name, _rule_words(rule, places)) for rule in after.rules},
        gettext("Rule"),
    )
    known = {rule.id for rule in before.rules} & {rule.id for rule in after.rules}
    orders = [[rule.name for rule in version.rules if rule.id in known] for version in (before, after)]
    if [rule.id for rule in before.rules if rule.id in known] != [rule.id for rule in after.rules if rule.id in known]:
        yield Change(gettext("Order of the rules"), ", ".join(orders[0]), ", ".join(orders[1]))


def _rule_words(rule: RuleSettings, places: Places) -> str:
    sentence = rule_sentence(rule, places)
    return sentence if rule.is_on else f"{sentence} ({gettext('off')})"


def _rows(before: dict[int, tuple[str, str]], after: dict[int, tuple[str, str]], noun: str) -> list[Change]:
    """Rows that came, went or changed, by id; each is (name, all of it in words)."""
    nothing = ("", MISSING)
    return [
        Change(
            f"{noun} · {(after.get(key) or before[key])[0]}", before.get(key, nothing)[1], after.get(key, nothing)[1]
        )
        for key in [*before, *(key for key in after if key not in before)]
        if before.get(key) != after.get(key)
    ]
