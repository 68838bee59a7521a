"""What the office writes to colleagues, in their language. Nothing personal stands there: mail is read by many."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from loyalty.wording import day, decimal

SUBJECTS = {
    "en": "Your file of customers is ready",
    "ru": "Файл с клиентами готов",
    "uk": "Файл із клієнтами готовий",
}
TEXTS = {
    "en": (
        "The file of customers that you asked for is ready.\n\nWho is in it: {found_by}\nCustomers: {rows}\n{phones}"
        "\n\nTake it here: {link}\nThe link works until {until}, and opens the file to whoever has it: pass it on to "
        "nobody.\n\nIf you did not ask for this file, tell the owner."
    ),
    "ru": (
        "Файл с клиентами, который вы запросили, готов.\n\nКто в нём: {found_by}\nКлиентов: {rows}\n{phones}\n\n"
        "Скачать: {link}\nСсылка работает до {until} и открывает файл любому, у кого она есть: никому её не "
        "передавайте.\n\nЕсли вы не запрашивали этот файл, сообщите владельцу."
    ),
    "uk": (
        "Файл із клієнтами, який ви запросили, готовий.\n\nХто в ньому: {found_by}\nКлієнтів: {rows}\n{phones}\n\n"
        "Завантажити: {link}\nПосилання діє до {until} і відкриває файл кожному, хто його має: нікому його не "
        "передавайте.\n\nЯкщо ви не запитували цей файл, повідомте власника."
    ),
}
PHONES = {
    "en": {"shown": "Phones are in it in full.", "masked": "Phones are hidden but for their last two digits.", "": ""},
    "ru": {"shown": "Телефоны в нём целиком.", "masked": "Телефоны скрыты, кроме двух последних цифр.", "": ""},
    "uk": {"shown": "Телефони в ньому повністю.", "masked": "Телефони приховано, крім двох останніх цифр.", "": ""},
}
FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class FileIsReady:
    """A file that was made. phones: "shown", "masked", or "" where it has none; link: or what stands for it."""

    language: str
    found_by: str
    rows: int
    phones: str
    link: str
    until: datetime
    time_zone: str

    @property
    def subject(self) -> str:
        """Of the letter."""
        return SUBJECTS.get(self.language, SUBJECTS[FALLBACK])

    @property
    def text(self) -> str:
        """The letter."""
        language = self.language if self.language in TEXTS else FALLBACK
        local = self.until.astimezone(ZoneInfo(self.time_zone))
        text = TEXTS[language].format(
            found_by=self.found_by,
            rows=decimal(self.rows, 0, language),
            phones=PHONES[language][self.phones],
            link=self.link,
            until=f"{day(local.date(), language)}, {local:%H:%M} ({self.time_zone})",
        )
        return text.replace("\n\n\n", "\n\n")
