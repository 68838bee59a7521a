"""What the house says after a score, and how it asks for a comment; the shop's own words go before. Pure."""

from collections.abc import Mapping

from loyalty.surveys.rules import ProgrammeDraft

HOUSE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "thanks_promoter": "Thank you, we are glad.",
        "prompt_promoter": "What did you like most? Write it here.",
        "thanks_passive": "Thank you for your score.",
        "prompt_passive": "What should we do better? Write it here.",
        "thanks_detractor": "We are sorry that it was not good. We will look into it.",
        "prompt_detractor": "Please tell us what went wrong: people will read it.",
    },
    "ru": {
        "thanks_promoter": "Спасибо, нам очень приятно.",
        "prompt_promoter": "Что понравилось больше всего? Напишите сюда.",
        "thanks_passive": "Спасибо за оценку.",
        "prompt_passive": "Что нам сделать лучше? Напишите сюда.",
        "thanks_detractor": "Нам жаль, что вам не понравилось. Мы разберёмся.",
        "prompt_detractor": "Расскажите, пожалуйста, что пошло не так: это прочитают люди.",
    },
    "uk": {
        "thanks_promoter": "Дякуємо, нам дуже приємно.",
        "prompt_promoter": "Що сподобалося найбільше? Напишіть сюди.",
        "thanks_passive": "Дякуємо за оцінку.",
        "prompt_passive": "Що нам зробити краще? Напишіть сюди.",
        "thanks_detractor": "Нам прикро, що вам не сподобалося. Ми розберемося.",
        "prompt_detractor": "Розкажіть, будь ласка, що пішло не так: це прочитають люди.",
    },
}
"""{language: {part: text}}, parts as in `rules.PARTS`."""


def words(programme: ProgrammeDraft, language: str, part: str) -> str:
    """What is said of a part in a language: the shop's own words, else the house's; English for others."""
    return programme.text(language, part) or HOUSE.get(language, HOUSE["en"])[part]
