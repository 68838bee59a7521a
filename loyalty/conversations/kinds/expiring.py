"""Bonuses that will expire soon."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "expiring",
    frozenset({"amount", "until", "total"}),
    {
        "en": "{amount} will expire: use them by {until}.\nWith those of the days after: {total}.",
        "ru": "Скоро сгорят бонусы: {amount}. Потратьте до {until}.\nС теми, что сгорают следом: {total}.",
        "uk": "Скоро згорять бонуси: {amount}. Витратьте до {until}.\nРазом з тими, що згорають слідом: {total}.",
    },
    is_patient=True,
)
