"""How was it? A number from 0 to 10 answers."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "survey_asked",
    frozenset({"first_name", "location", "invitation"}),
    {
        "en": "{first_name}, how likely are you to recommend us to friends?\nYou were here lately: {location}.\n"
        "Choose a number from 0 (never) to 10 (certainly).",
        "ru": "{first_name}, посоветуете ли вы нас друзьям?\nНедавно вы были здесь: {location}.\n"
        "Выберите число от 0 (ни за что) до 10 (обязательно).",
        "uk": "{first_name}, чи порадите ви нас друзям?\nНещодавно ви були тут: {location}.\n"
        "Оберіть число від 0 (нізащо) до 10 (обов’язково).",
    },
    scale="nps:{invitation}",
    is_patient=True,
)
