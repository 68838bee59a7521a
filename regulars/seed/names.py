"""Names of people who do not exist: Russian, Ukrainian and Latin, with their phones' beginnings."""

import unicodedata
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A person to be seeded."""

    name: str
    gender: str
    phone: str
    language: str


RUSSIAN = {
    "f": (
        "Мария Анна Ольга Елена Наталья Екатерина Дарья Анастасия Ирина Светлана Татьяна Юлия Полина Виктория"
        " Ксения Вера Алина Софья Алёна Евгения Людмила Галина Варвара Надежда"
    ).split(),
    "m": (
        "Александр Дмитрий Сергей Андрей Алексей Иван Михаил Артём Никита Илья Максим Кирилл Роман Павел Егор"
        " Денис Тимур Руслан Антон Владимир Олег Фёдор Григорий Глеб"
    ).split(),
}
RUSSIAN_FAMILIES = (
    "Иванов Смирнов Кузнецов Попов Васильев Петров Соколов Михайлов Новиков Фёдоров Морозов Волков Алексеев"
    " Лебедев Семёнов Егоров Павлов Козлов Степанов Николаев Орлов Андреев Макаров Никитин Захаров Зайцев"
    " Соловьёв Борисов Яковлев Григорьев Романов Воробьёв Сергеев Кузьмин Фролов Белов Комаров Виноградов"
).split()
UKRAINIAN = {
    "f": "Оксана Олена Наталія Ірина Катерина Софія Юлія Мар'яна Соломія Леся Тетяна Дарина Христина Зоряна".split(),
    "m": "Олександр Андрій Тарас Богдан Юрій Остап Назар Дмитро Сергій Ярослав Микола Василь Ігор Роман".split(),
}
UKRAINIAN_FAMILIES = (
    "Шевченко Коваленко Бондаренко Ткаченко Кравченко Олійник Мельник Гончар Поліщук Савченко Руденко Марченко"
    " Лисенко Петренко Кравчук Їжакевич Євтушенко Ґудзь"
).split()
LATIN = {
    "f": "Anna Emma Maria Lena Sophie Clara Elif Zeynep Nino Ana Giulia Marta Lucía Chloé".split(),
    "m": "Max Leon Luca Thomas Jan Emre Giorgi Levan Marek Pavel Diego Hugo André Jürgen".split(),
}
LATIN_FAMILIES = (
    "Müller Schmidt Novák Kowalski Rossi García Yılmaz Beridze Silva Dubois Andersson O'Neil Horvat Petrov"
).split()

_RUSSIAN_CODES = (903, 905, 906, 909, 910, 915, 916, 917, 919, 925, 926, 929, 963, 965, 967, 977, 985)
_UKRAINIAN_CODES = (50, 63, 66, 67, 68, 93, 95, 96, 97, 98)


def people(random: Random, count: int, first: int = 0) -> list[MadeUp]:
    """`count` people with phones that nobody else of the seed has; `first` numbers the one to begin with."""
    return [_person(random, first + index) for index in range(count)]


def namesake(random: Random, model: MadeUp, number: int) -> MadeUp:
    """Somebody else of the same gender and language, with the phone of that number."""
    return _named(random, model.gender, model.language, number)


def _person(random: Random, number: int) -> MadeUp:
    gender = random.choice("ffm")
    kind = random.random()
    return _named(random, gender, "ru" if kind < 0.72 else "uk" if kind < 0.88 else "en", number)


def _named(random: Random, gender: str, language: str, number: int) -> MadeUp:
    scattered = number * 7_368_787 % 10_000_000  # a permutation: no phone comes twice in ten million
    code = f"+7{_RUSSIAN_CODES[number % len(_RUSSIAN_CODES)]}"
    if language == "ru":
        family = random.choice(RUSSIAN_FAMILIES) + ("а" if gender == "f" else "")
        first = random.choice(RUSSIAN[gender])
    elif language == "uk":
        family, code = random.choice(UKRAINIAN_FAMILIES), f"+380{_UKRAINIAN_CODES[number % len(_UKRAINIAN_CODES)]}"
        first = random.choice(UKRAINIAN[gender])
    else:
        first, family = random.choice(LATIN[gender]), random.choice(LATIN_FAMILIES)
    return MadeUp(f"{first} {family}", gender, f"{code}{scattered:07d}", language)


# Roughly, as people write themselves in a username.
_LATIN_LETTERS = str.maketrans(
    dict(
        zip(
            "абвгґдеёєжзиіїйклмнопрстуфхцчшщъыьэюя",
            "a b v g g d e e ye zh z i i i y k l m n o p r s t u f kh ts ch sh sch  y  e yu ya".split(" "),
            strict=True,
        )
    )
)


def username_of(person: MadeUp, number: int) -> str:
    """A username that nobody else of the seed has, made of the name and `number`."""
    latin = person.name.lower().translate(_LATIN_LETTERS)
    letters = "".join(char for char in unicodedata.normalize("NFD", latin) if char in " abcdefghijklmnopqrstuvwxyz")
    first, _, last = letters.partition(" ")
    return f"{first}_{last[:6]}{number}"
