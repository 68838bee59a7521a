"""What the coffee chain sells, and what lies on a tray."""

from random import Random

from loyalty.receipts.rules.sales import Line

COFFEE, BAKERY, LUNCH, BEANS, GIFT_CARDS = "кофе", "выпечка", "обеды", "зёрна", "подарочные карты"
"""Categories of goods, as the shop calls them."""

_MENU = (
    (COFFEE, "KF", (("Эспрессо", 190), ("Фильтр-кофе", 220), ("Капучино", 260), ("Латте", 290), ("Раф", 350))),
    (BAKERY, "VP", (("Круассан", 220), ("Синнабон", 290), ("Чизкейк", 350), ("Сырники", 380))),
    (LUNCH, "OB", (("Суп дня", 380), ("Сэндвич с индейкой", 420), ("Боул с лососем", 540))),
    (BEANS, "ZR", (("Эфиопия Сидамо, 250 г", 980), ("Колумбия Уила, 500 г", 1840))),
    (GIFT_CARDS, "PK", (("Подарочная карта", 1000),)),
)
MENU = {
    category: [Line(price * 100, name, f"{mark}-{number}", category) for number, (name, price) in enumerate(goods, 1)]
    for category, mark, goods in _MENU
}

_MANY = ([1, 2, 3, 4], [50, 85, 96, 100])
_WHAT = ([COFFEE, BAKERY, LUNCH, BEANS, GIFT_CARDS], [48, 78, 94, 98, 100])
"""How many things are bought at once, and of what: each with how often, summed up."""


def tray(random: Random) -> tuple[Line, ...]:
    """What somebody buys at once: one to four lines, mostly a cup and something to it."""
    [many] = random.choices(_MANY[0], cum_weights=_MANY[1])
    return tuple(random.choice(MENU[what]) for what in random.choices(_WHAT[0], cum_weights=_WHAT[1], k=many))


def plain_sum(random: Random) -> int:
    """A sum that was typed in without lines: whole roubles, now and then with kopecks."""
    roubles = random.choice((190, 220, 240, 260, 290, 310, 350, 380, 420, 480, 540, 620, 760, 980, 1450, 1840))
    return roubles * 100 + (50 if random.random() < 0.1 else 0)
