"""A gift for an invitation was taken back: the purchase it was for was returned."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "referral_undone",
    frozenset({"amount", "balance"}),
    {
        "en": "The purchase that your gift for an invitation was for was returned. Taken back: {amount}.\n"
        "Now on your card: {balance}.",
        "ru": "Покупку, за которую был подарок по приглашению, вернули. Сняли {amount}.\nТеперь на карте {balance}.",
        "uk": "Покупку, за яку був подарунок за запрошенням, повернули. Зняли {amount}.\nТепер на картці {balance}.",
    },
    is_patient=True,
)
