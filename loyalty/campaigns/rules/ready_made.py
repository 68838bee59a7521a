"""Automations that most shops begin with, in words of the house: drafts to be read through first. Pure."""

from collections.abc import Mapping

from loyalty.campaigns.rules.automations import AutomationDraft, Step, StepKind
from loyalty.campaigns.rules.drafts import CampaignTopic
from loyalty.campaigns.rules.texts import Words
from loyalty.errors import NotFound

HOUR = 60
DAY = 24 * HOUR
GIFT = 200_00
GIFT_DAYS = 30

NAMES: Mapping[str, Mapping[str, str]] = {
    "welcome": {"en": "Welcome", "ru": "Знакомство", "uk": "Знайомство"},
    "win_back": {"en": "Win back", "ru": "Вернуть ушедших", "uk": "Повернути тих, хто пішов"},
    "birthday": {"en": "Birthday", "ru": "День рождения", "uk": "День народження"},
    "expiring": {"en": "Bonuses about to expire", "ru": "Бонусы скоро сгорят", "uk": "Бонуси скоро згорять"},
    "review": {"en": "Ask for a review", "ru": "Попросить отзыв", "uk": "Попросити відгук"},
    "second_visit": {"en": "Second visit", "ru": "Второй визит", "uk": "Другий візит"},
}
"""What each is called, in the language of whoever takes it."""

TEXTS: Mapping[str, Mapping[str, str]] = {
    "welcome": {
        "en": "{first_name}, welcome. Your card is in this chat: show it at the till, and bonuses come back from each "
        "purchase. You have {balance} now.",
        "ru": "{first_name}, рады знакомству. Ваша карта в этом чате: покажите её на кассе, и с каждой покупки будут "
        "возвращаться бонусы. Сейчас у вас {balance}.",
        "uk": "{first_name}, раді знайомству. Ваша картка в цьому чаті: покажіть її на касі, і з кожної покупки "
        "повертатимуться бонуси. Зараз у вас {balance}.",
    },
    "win_back": {
        "en": "{first_name}, we have not seen you for a while. {bonus} are on your card for a month: come and see us.",
        "ru": "{first_name}, давно вас не видели. На вашей карте {bonus} на месяц: заходите.",
        "uk": "{first_name}, давно вас не бачили. На вашій картці {bonus} на місяць: заходьте.",
    },
    "birthday": {
        "en": "{first_name}, your birthday is near. A gift for you: {bonus}, good for a month.",
        "ru": "{first_name}, скоро ваш день рождения. Наш подарок: {bonus}, действуют месяц.",
        "uk": "{first_name}, скоро ваш день народження. Наш подарунок: {bonus}, діють місяць.",
    },
    "expiring": {
        "en": "{first_name}, some of your bonuses expire within a week. You have {balance}: they are worth a visit.",
        "ru": "{first_name}, часть ваших бонусов сгорит через неделю. У вас {balance}: есть повод зайти.",
        "uk": "{first_name}, частина ваших бонусів згорить за тиждень. У вас {balance}: є привід зайти.",
    },
    "review": {
        "en": "{first_name}, thank you for coming. How was it? Answer here in a few words: we read each answer.",
        "ru": "{first_name}, спасибо, что зашли. Как всё прошло? Ответьте здесь парой слов: мы читаем каждый ответ.",
        "uk": "{first_name}, дякуємо, що завітали. Як усе було? Відповідайте тут кількома словами: ми читаємо кожну "
        "відповідь.",
    },
    "second_visit": {
        "en": "{first_name}, good to see you again. {bonus} for your third visit are on your card for a month.",
        "ru": "{first_name}, приятно видеть вас снова. На третий визит у вас на карте {bonus}, действуют месяц.",
        "uk": "{first_name}, приємно бачити вас знову. На третій візит у вас на картці {bonus}, діють місяць.",
    },
}


def _says(name: str, topic: CampaignTopic = CampaignTopic.MARKETING) -> Step:
    return Step(StepKind.MESSAGE, words=Words(TEXTS[name]), topic=topic)


def _waits(minutes: int) -> Step:
    return Step(StepKind.WAIT, minutes=minutes)


GIVES = Step(StepKind.BONUS, amount=GIFT, days=GIFT_DAYS)
READY_MADE: Mapping[str, AutomationDraft] = {
    "welcome": AutomationDraft("", "registered", {}, "", (_waits(5), _says("welcome", CampaignTopic.SERVICE))),
    "win_back": AutomationDraft("", "no_visit", {"days": 45}, "visits:between:2..", (GIVES, _says("win_back"))),
    "birthday": AutomationDraft("", "birthday", {"days": 3}, "", (_waits(10 * HOUR), GIVES, _says("birthday"))),
    "expiring": AutomationDraft("", "expiring", {"days": 7}, "", (_says("expiring"),)),
    "review": AutomationDraft(
        "", "receipt", {"minimum": 0, "visit": 3}, "", (_waits(3 * HOUR), _says("review", CampaignTopic.SERVICE))
    ),
    "second_visit": AutomationDraft(
        "", "receipt", {"minimum": 0, "visit": 2}, "", (_waits(2 * HOUR), GIVES, _says("second_visit"))
    ),
}
"""By name, in the order of their list. They have no name of their own: it is told in the taker's language."""


def ready_made(name: str, language: str) -> AutomationDraft:
    """One of them, called in this language. Raises NotFound("automation")."""
    if name not in READY_MADE:
        raise NotFound("automation")
    found = READY_MADE[name]
    called = NAMES[name].get(language, NAMES[name]["en"])
    return AutomationDraft(called, found.trigger, dict(found.params), found.conditions, found.steps)
