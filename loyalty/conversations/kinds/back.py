"""The bot answers again: said by it in a chat in which a person of the shop had answered."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "en": "The bot answers here again. To reach a person, just write.",
    "ru": "Здесь снова отвечает бот. Чтобы позвать человека, просто напишите.",
    "uk": "Тут знову відповідає бот. Щоб покликати людину, просто напишіть.",
}
