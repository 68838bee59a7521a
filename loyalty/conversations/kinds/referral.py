"""Somebody whom the customer invited has bought something."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "referral",
    frozenset({"amount", "until", "balance"}),
    {
        "en": "A friend has come by your invitation: we give you {amount}.\n"
        "Spend them by {until}.\nNow on your card: {balance}.",
        "ru": "По вашему приглашению пришёл друг: дарим {amount}.\nПотратьте до {until}.\nТеперь на карте {balance}.",
        "uk": "За вашим запрошенням прийшов друг: даруємо {amount}.\nВитратьте до {until}.\nТепер на картці {balance}.",
    },
    is_patient=True,
)
