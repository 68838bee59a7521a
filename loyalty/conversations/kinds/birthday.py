"""A gift for a birthday."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "birthday",
    frozenset({"amount", "until", "balance"}),
    {
        "en": "For your birthday we give you {amount}.\nSpend them by {until}.\nNow on your card: {balance}.",
        "ru": "К вашему дню рождения дарим {amount}.\nПотратьте до {until}.\nТеперь на карте {balance}.",
        "uk": "До вашого дня народження даруємо {amount}.\nВитратьте до {until}.\nТепер на картці {balance}.",
    },
    is_patient=True,
)
