"""A fiscal receipt that the customer had sent is not credited, and why."""

from collections.abc import Mapping

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "claim_refused",
    frozenset({"total", "day", "why"}),
    {
        "en": "Your receipt of {day} for {total} is not credited.\n{why}\nIf this is a mistake, write to us here.",
        "ru": "Ваш чек от {day} на {total} не зачтён.\n{why}\nЕсли это ошибка, напишите нам сюда.",
        "uk": "Ваш чек від {day} на {total} не зараховано.\n{why}\nЯкщо це помилка, напишіть нам сюди.",
    },
)
WHY: Mapping[str, Mapping[str, str]] = {
    "credited_to_another": {
        "en": "This purchase was credited to another card at the till.",
        "ru": "Эту покупку на кассе зачли на другую карту.",
        "uk": "Цю покупку на касі зарахували на іншу картку.",
    },
    "not_confirmed": {
        "en": "Our cash registers know of no such sale.",
        "ru": "На наших кассах такой продажи нет.",
        "uk": "На наших касах такого продажу немає.",
    },
    "credited_before": {
        "en": "This purchase was credited at the till already.",
        "ru": "Эту покупку уже зачли на кассе.",
        "uk": "Цю покупку вже зарахували на касі.",
    },
    "returned": {
        "en": "What was bought has been returned.",
        "ru": "По этому чеку был возврат.",
        "uk": "За цим чеком було повернення.",
    },
    "not_ours": {
        "en": "It was not given out by us.",
        "ru": "Этот чек выдали не мы.",
        "uk": "Цей чек видали не ми.",
    },
}
"""The reasons in words, by language."""
