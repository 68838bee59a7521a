"""What messages to many said in the chats, and what a few people answered."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from bot.texts import say
from loyalty import db
from loyalty.conversations.content import Content, Link
from loyalty.conversations.rules import Priority
from regulars.seed.letters import REPLIED, Mail
from regulars.seed.life import Seeded
from regulars.seed.records import Account
from regulars.seed.told import Chain, Line, heard, menu_of

ANSWERS = {
    "ru": (("А можно без льда?", "Конечно, скажите бариста."), ("Спасибо, зайду!", "Ждём вас."),
        ("А в Химках тоже?", "Да, во всех наших кофейнях.")),
    "uk": (("А можна без льоду?", "Звісно, скажіть баристі."), ("Дякую, зайду!", "Чекаємо на вас.")),
    "en": (("At all your places?", "Yes, at each of them."), ("Thanks, see you", "See you soon.")),
}  # fmt: skip
"""What people write back, and what they are answered, by language."""


def letters_told(one: Seeded, account: Account, chain: Chain) -> Iterator[Line]:
    """The messages to many that came here, and what was said of them."""
    language = one.person.language
    for mail in one.life.mail:
        if not mail.is_read or mail.account is not account:
            continue
        yield _letter(mail, language)
        luck = Random(f"answer {mail.sent.id}:{one.id}")
        at = mail.sent.at + timedelta(minutes=luck.randrange(5, 300))
        if luck.random() < REPLIED and account.is_open(at + timedelta(hours=1)):
            question, answer = luck.choice(ANSWERS[language])
            yield heard(at, "text", question)
            passed = Content(text=say(language, "support.passed"), menu=menu_of(language))
            yield Line(at, "out", "reply", db.to_json(passed.to_body()))
            content = db.to_json(Content(text=answer).to_body())
            answered = at + timedelta(seconds=luck.randrange(120, 3000))
            yield Line(answered, "out", "staff", content, staff_id=luck.choice(chain.staff))


def _letter(mail: Mail, language: str) -> Line:
    letter = mail.sent.letter
    content = Content(text=letter.wordings[mail.variant][language], links=(Link(letter.label[language], letter.url),))
    at = mail.sent.at + timedelta(seconds=mail.customer_id % 200)
    key = f"campaign:{mail.sent.id}:{mail.customer_id}"
    return Line(at, "out", "bulk", db.to_json(content.to_body()), Priority.BULK, key, mail=mail)
