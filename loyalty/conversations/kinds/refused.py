"""Somebody tried something on this customer's account, and a limit or a missing proof said no."""

from loyalty.conversations.kinds.base import Kind

WHY = {
    "receipts_of_day": {
        "en": "A purchase was not credited: the programme credits no more of them today.",
        "ru": "Покупку не начислили: больше покупок за сегодня программа не начисляет.",
        "uk": "Покупку не нарахували: більше покупок за сьогодні програма не нараховує.",
    },
    "receipt_too_soon": {
        "en": "A purchase was not credited: it came too soon after the one before.",
        "ru": "Покупку не начислили: она слишком скоро после предыдущей.",
        "uk": "Покупку не нарахували: вона надто скоро після попередньої.",
    },
    "burns_of_day": {
        "en": "Bonuses were not used: today they were used as often as the programme allows.",
        "ru": "Бонусы не списали: сегодня их списывали столько раз, сколько позволяет программа.",
        "uk": "Бонуси не списали: сьогодні їх списували стільки разів, скільки дозволяє програма.",
    },
    "burn_needs_presence": {
        "en": "Somebody tried to use your bonuses without the code of your card. Nothing was used.",
        "ru": "Кто-то пробовал списать ваши бонусы без кода карты. Ничего не списано.",
        "uk": "Хтось пробував списати ваші бонуси без коду картки. Нічого не списано.",
    },
    "code_was_used": {
        "en": "Somebody tried to use your bonuses with a code that was used before. Nothing was used.",
        "ru": "Кто-то пробовал списать ваши бонусы по коду, который уже использован. Ничего не списано.",
        "uk": "Хтось пробував списати ваші бонуси за кодом, який уже використано. Нічого не списано.",
    },
    "code_is_old": {
        "en": "Somebody tried to use your bonuses with an old code of your card. Nothing was used.",
        "ru": "Кто-то пробовал списать ваши бонусы по старому коду карты. Ничего не списано.",
        "uk": "Хтось пробував списати ваші бонуси за старим кодом картки. Нічого не списано.",
    },
}
"""Reason -> what the customer is told, by language."""

KIND = Kind(
    "refused",
    frozenset({"location", "why"}),
    {"en": "{why}\n{location}", "ru": "{why}\n{location}", "uk": "{why}\n{location}"},
)
