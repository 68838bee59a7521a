"""A chat was found to belong to a card that its person had before."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "link_accepted",
    frozenset({"balance"}),
    {
        "en": "It is checked: this chat belongs to your card now. On your card: {balance}.",
        "ru": "Проверили: теперь в этом чате ваша прежняя карта. На карте {balance}.",
        "uk": "Перевірили: тепер у цьому чаті ваша колишня картка. На картці {balance}.",
    },
)
