"""Somebody named this number in another chat, and its owner is asked whether that was them."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "link_asked",
    frozenset({"channel", "name", "request"}),
    {
        "en": "Somebody who writes to us in {channel} as {name} named your number. Is it you?\n"
        "After a yes that chat sees your card and can pay with its bonuses.",
        "ru": "Кто-то пишет нам в {channel} под именем {name} и назвал ваш номер. Это вы?\n"
        "После «да» в том чате будет ваша карта, и её бонусами можно будет платить.",
        "uk": "Хтось пише нам у {channel} під ім'ям {name} і назвав ваш номер. Це ви?\n"
        "Після «так» у тому чаті буде ваша картка, і її бонусами можна буде платити.",
    },
    {
        "en": (("Yes, it is me", "link:yes.{request}:0"), ("No", "link:no.{request}:0")),
        "ru": (("Да, это я", "link:yes.{request}:0"), ("Нет", "link:no.{request}:0")),
        "uk": (("Так, це я", "link:yes.{request}:0"), ("Ні", "link:no.{request}:0")),
    },
)
