"""What people are asked to agree to: the house's words, and how a text is named in what they agreed to. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from loyalty.customers.rules import Topic, check_note
from loyalty.errors import Invalid
from loyalty.staff.rules import LANGUAGES

HOUSE_VERSION = 1
"""Of the texts below: kept with each consent, so change them in no place where people have agreed to them."""
LENGTHS = {Topic.TERMS: 3500, Topic.MARKETING: 900}
"""The terms may be a message of their own; the question about offers stands above its buttons."""
VARIABLES = {Topic.TERMS: frozenset({"shop"}), Topic.MARKETING: frozenset({"shop"})}
_VARIABLE = re.compile(r"\{([a-z_]+)\}")
_MARK = re.compile(r"(\d{1,4}) ([a-z]{2})")

HOUSE: Mapping[Topic, Mapping[str, str]] = {
    Topic.TERMS: {
        "en": "A few words before we begin.\n\n"
        "{shop} keeps your name, phone, birthday and purchases to credit bonuses and to answer you. Bonuses are "
        "not money and have a term. You can leave at any time in the settings.\n\nDo you agree?",
        "ru": "Несколько слов перед началом.\n\n"
        "{shop} хранит ваши имя, телефон, день рождения и покупки, чтобы начислять бонусы и отвечать вам. Бонусы — "
        "не деньги, и у них есть срок. Выйти можно в любой момент в настройках.\n\nВы согласны?",
        "uk": "Кілька слів перед початком.\n\n"
        "{shop} зберігає ваші ім'я, телефон, день народження і покупки, щоб нараховувати бонуси та відповідати вам. "
        "Бонуси — не гроші, і вони мають термін. Вийти можна будь-коли в налаштуваннях.\n\nВи згодні?",
    },
    Topic.MARKETING: {
        "en": "May we write to you about offers and news? You can change your mind at any time in the settings.",
        "ru": "Можно писать вам об акциях и новостях? Передумать можно в любой момент в настройках.",
        "uk": "Чи можна писати вам про акції та новини? Передумати можна будь-коли в налаштуваннях.",
    },
}


@dataclass(frozen=True, slots=True)
class ConsentWords:
    """One text that people agree to, in the language it is in."""

    topic: Topic
    version: int
    language: str
    text: str

    @property
    def mark(self) -> str:
        """What is kept with a consent."""
        return f"{self.version} {self.language}"

    def shown(self, shop: str) -> str:
        """The text with the shop's name in it, in one pass."""
        return _VARIABLE.sub(lambda found: shop if found[1] == "shop" else found[0], self.text)


def read_mark(mark: str) -> tuple[int, str] | None:
    """Version and language of a text out of what is kept with a consent; None for what came from elsewhere."""
    found = _MARK.fullmatch(mark)
    return (int(found[1]), found[2]) if found else None


def house_words(topic: Topic, language: str) -> ConsentWords:
    """What the house says while the shop has published nothing."""
    texts = HOUSE[topic]
    known = language if language in texts else "en"
    return ConsentWords(topic, HOUSE_VERSION, known, texts[known])


def chosen_words(
    topic: Topic, version: int, texts: Mapping[str, str], language: str, shop_language: str
) -> ConsentWords:
    """Of a version's texts the one for a language: else the one in the shop's, else any."""
    known = next((one for one in (language, shop_language) if one in texts), next(iter(texts)))
    return ConsentWords(topic, version, known, texts[known])


def checked_texts(topic: Topic, texts: Mapping[str, str]) -> dict[str, str]:
    """The texts of a version to be published, by language and without blanks.

    Raises Invalid("text_<language>"): one at least must be there, and none may be too long or name what is not there.
    """
    written = {language: text for language, text in texts.items() if text.strip() and language in LANGUAGES}
    if not written:
        raise Invalid(f"text_{next(iter(texts), LANGUAGES[0])}", "required")
    clean = {}
    for language, text in written.items():
        field = f"text_{language}"
        try:
            clean[language] = check_note(text, LENGTHS[topic])
        except Invalid as error:
            raise Invalid(field, error.reason, **error.details) from None
        for name in _VARIABLE.findall(text):
            if name not in VARIABLES[topic]:
                raise Invalid(field, "unknown_variable", name=f"{{{name}}}")
    return clean
