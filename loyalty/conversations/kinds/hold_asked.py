"""The cashier asks to pay with bonuses, and the customer says yes or no."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "hold_asked",
    frozenset({"amount", "total", "location", "hold"}),
    {
        "en": "{location}: pay {amount} of a purchase of {total}?\nThe question waits for two minutes.",
        "ru": "{location}: списать {amount} за покупку на {total}?\nВопрос ждёт две минуты.",
        "uk": "{location}: списати {amount} за покупку на {total}?\nЗапитання чекає дві хвилини.",
    },
    {
        "en": (("Confirm", "hold:yes.{hold}:0"), ("No", "hold:no.{hold}:0")),
        "ru": (("Подтвердить", "hold:yes.{hold}:0"), ("Нет", "hold:no.{hold}:0")),
        "uk": (("Підтвердити", "hold:yes.{hold}:0"), ("Ні", "hold:no.{hold}:0")),
    },
)
