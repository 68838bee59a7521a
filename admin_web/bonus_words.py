"""Movements of bonuses and levels in words."""

from admin_web.i18n import mark
from loyalty.bonuses.rules import Kind, Source

KINDS = {
    Kind.EARN: (mark("Accrual"), "good"),
    Kind.BURN: (mark("Burn"), "warn"),
    Kind.EXPIRE: (mark("Expiry"), "bad"),
    Kind.REVERSE_EARN: (mark("Accrual taken back"), "warn"),
    Kind.RESTORE_BURN: (mark("Burn given back"), "good"),
    Kind.ADJUST: (mark("By hand"), "acc"),
    Kind.GRANT: (mark("Gift"), "vio"),
    Kind.MERGE: (mark("Merge"), ""),
}
"""Kind of entry -> (its name, the tint of its badge)."""

EVENTS = {
    "receipt": mark("Receipt"),
    "refund": mark("Refund"),
    "manual": mark("By hand"),
    "welcome": mark("Welcome bonus"),
    "birthday": mark("Birthday bonus"),
    "survey": mark("Thanks for an answer"),
    "referral": mark("Friend invited"),
    "invited": mark("Came by an invitation"),
    "referral_undone": mark("Gift for an invitation taken back"),
    "campaign": mark("Came with a message to many"),
    "automation": mark("Given by an automation"),
    "expiry": mark("Their time was over"),
    "merged_in": mark("Came from the card that was merged"),
    "merged_away": mark("Went to the card that it was merged into"),
    "merge_undone": mark("Cards taken apart again"),
    "debt_merged": mark("Debt went with the merged card"),
    "gift_twice": mark("Gift had twice, taken back"),
    "gift_again": mark("Gift given again: cards taken apart"),
    "opening_balance": mark("Opening balance from a file"),
    "opening_undone": mark("Opening balance taken back"),
}
SOURCES = {
    Source.RECEIPT: mark("purchase"),
    Source.MANUAL: mark("by hand"),
    Source.WELCOME: mark("welcome bonus"),
    Source.BIRTHDAY: mark("birthday bonus"),
    Source.REFERRAL: mark("invitation"),
    Source.GRACE: mark("given back by a refund"),
    Source.MERGE: mark("merged card"),
    Source.OPENING: mark("opening balance"),
    Source.CAMPAIGN: mark("message to many"),
    Source.AUTOMATION: mark("automation"),
    Source.SURVEY: mark("thanks for an answer"),
}
TIER_REASONS = {
    "refund": mark("after a refund"),
    "window": mark("too few purchases"),
    "by_hand": mark("by hand"),
    "hand_ended": mark("the level by hand has ended"),
    "merge": mark("cards were merged"),
    "unmerge": mark("cards were taken apart"),
}
