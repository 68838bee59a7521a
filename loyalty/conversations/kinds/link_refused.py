"""A chat was not found to belong to the card whose number was named in it."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "link_refused",
    frozenset({"balance"}),
    {
        "en": "We could not confirm that the number is yours, so this chat keeps a card of its own. On it: {balance}.\n"
        "If this is a mistake, write to us here.",
        "ru": "Подтвердить, что номер ваш, не удалось, поэтому в этом чате своя карта. На ней {balance}.\n"
        "Если это ошибка, напишите нам сюда.",
        "uk": "Підтвердити, що номер ваш, не вдалося, тому в цьому чаті своя картка. На ній {balance}.\n"
        "Якщо це помилка, напишіть нам сюди.",
    },
)
