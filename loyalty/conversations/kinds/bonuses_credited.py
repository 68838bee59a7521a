"""Bonuses were given by hand."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "bonuses_credited",
    frozenset({"amount", "balance"}),
    {
        "en": "You were given {amount}.\nNow on your card: {balance}.",
        "ru": "Вам начислили {amount}.\nТеперь на карте {balance}.",
        "uk": "Вам нарахували {amount}.\nТепер на картці {balance}.",
    },
)
