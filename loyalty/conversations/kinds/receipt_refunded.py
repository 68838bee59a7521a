"""A purchase was taken back, wholly or in part."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "receipt_refunded",
    frozenset({"total", "location", "restored", "reversed", "balance"}),
    {
        "en": "A purchase was taken back: {total}, {location}.\nReturned to your card: {restored}.\n"
        "Taken back: {reversed}.\nNow on your card: {balance}.",
        "ru": "Покупку отменили: {total}, {location}.\nВернули на карту {restored}.\n"
        "Сняли начисленное: {reversed}.\nТеперь на карте {balance}.",
        "uk": "Покупку скасували: {total}, {location}.\nПовернули на картку {restored}.\n"
        "Зняли нараховане: {reversed}.\nТепер на картці {balance}.",
    },
)
