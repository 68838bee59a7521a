"""Changing the programme: what it says is checked by both rooms that read it."""

from dataclasses import replace
from datetime import datetime

from loyalty import db
from loyalty.bonuses.earning import check_rules
from loyalty.errors import Refused
from loyalty.shop.actions import lock_programme, set_programme
from loyalty.shop.queries import UsedIds, used_ids
from loyalty.shop.rules import Programme
from loyalty.staff.rules import Actor


@db.use_case
async def change_programme(
    programme: Programme, *, effective_from: datetime, seen_version: int, actor: Actor, now: datetime
) -> int:
    """Add a version of the programme, in force from `effective_from`, which is not behind `now`; returns its id.

    Tiers and rules with an id below zero are new and get one here that no version has used: receipts and histories
    name them. `seen_version` is the newest version that whoever decided had seen; when another was made since, or
    it was taken back, nothing is changed: Refused("programme_was_changed"). Bonuses and receipts that exist are not
    touched. Raises Invalid for a field of the programme, or of a rule with `rule` in the details.
    """
    await lock_programme()
    # Read after the lock: two owners may save at once.
    used = await used_ids()
    if used.version != seen_version:
        raise Refused("programme_was_changed")
    numbered = _numbered(programme, used)
    check_rules(numbered)
    return await set_programme(numbered, effective_from=effective_from, actor=actor, now=now)


def _numbered(programme: Programme, used: UsedIds) -> Programme:
    """The programme with ids of their own for what is new in it."""
    tiers, rules, tier_id, rule_id = [], [], used.tier, used.rule
    for tier in programme.tiers:
        tier_id += tier.id < 0
        tiers.append(replace(tier, id=tier_id) if tier.id < 0 else tier)
    for rule in programme.rules:
        rule_id += rule.id < 0
        rules.append(replace(rule, id=rule_id) if rule.id < 0 else rule)
    return replace(programme, tiers=tuple(tiers), rules=tuple(rules))
