"""A purchase that waited for its customer to register could not be credited."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "waiting_sale_refused",
    frozenset({"total", "location"}),
    {
        "en": "We could not credit your purchase of {total}, {location}. If this is a mistake, write to us here.",
        "ru": "Не смогли начислить бонусы за покупку на {total}, {location}. Если это ошибка, напишите нам сюда.",
        "uk": "Не змогли нарахувати бонуси за покупку на {total}, {location}. Якщо це помилка, напишіть нам сюди.",
    },
)
