"""Bonuses were taken by hand."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "bonuses_debited",
    frozenset({"amount", "balance"}),
    {
        "en": "Taken from your card: {amount}.\nNow on your card: {balance}.",
        "ru": "С вашей карты списали {amount}.\nТеперь на карте {balance}.",
        "uk": "З вашої картки списали {amount}.\nТепер на картці {balance}.",
    },
)
