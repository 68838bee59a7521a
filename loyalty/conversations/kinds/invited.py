"""A gift for having come by an invitation."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "invited",
    frozenset({"amount", "until", "balance"}),
    {
        "en": "For coming by a friend's invitation we give you {amount}.\n"
        "Spend them by {until}.\nNow on your card: {balance}.",
        "ru": "Вы пришли по приглашению друга: дарим {amount}.\nПотратьте до {until}.\nТеперь на карте {balance}.",
        "uk": "Ви прийшли за запрошенням друга: даруємо {amount}.\nВитратьте до {until}.\nТепер на картці {balance}.",
    },
    is_patient=True,
)
