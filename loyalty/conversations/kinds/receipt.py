"""A purchase was credited."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "receipt",
    frozenset({"total", "location", "burnt", "earned", "spendable_from", "balance", "tier"}),
    {
        "en": "Thank you for your purchase: {total}, {location}.\nUsed: {burnt}.\nEarned: {earned}.\n"
        "They can be used from {spendable_from}.\nYour new level: {tier}.\nNow on your card: {balance}.",
        "ru": "Спасибо за покупку: {total}, {location}.\nСписали {burnt}.\nНачислили {earned}.\n"
        "Потратить их можно с {spendable_from}.\nВаш новый уровень: {tier}.\nТеперь на карте {balance}.",
        "uk": "Дякуємо за покупку: {total}, {location}.\nСписали {burnt}.\nНарахували {earned}.\n"
        "Витратити їх можна з {spendable_from}.\nВаш новий рівень: {tier}.\nТепер на картці {balance}.",
    },
)
