"""Finding somebody by a name, however it is written."""

import pytest

from loyalty import db
from loyalty.customers.rules import parse_search
from loyalty.segments.queries.base import Look, base_page
from tests.builders import NOW, a_customer

NAMES = (
    "Ёлкина Алёна", "Міщенко Їржі", "Юлия Щукина", "Natalya Schmidt", "José Núñez", "Дмитрий Петров-Водкин",
    "Мар'яна Ґудзь", "Олег Ли", "Wats_on 100%", "Zoë",
)  # fmt: skip


async def found(text: str) -> set[str]:
    page = await base_page(Look(parse_search(text, "RU"), order="name"), columns=(), now=NOW)
    return {row["name"] for row in page.rows}


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("елкина", "Ёлкина Алёна"),
        ("АЛЕНА ЁЛК", "Ёлкина Алёна"),
        ("мищенко", "Міщенко Їржі"),
        ("иржи", "Міщенко Їржі"),
        ("yulia schuk", "Юлия Щукина"),
        ("julija", "Юлия Щукина"),
        ("наталья", "Natalya Schmidt"),
        ("sc", "Natalya Schmidt"),
        ("шмид", "Natalya Schmidt"),
        ("nunez jose", "José Núñez"),
        ("ñez", "José Núñez"),
        ("dmitri", "Дмитрий Петров-Водкин"),
        ("водкин дм", "Дмитрий Петров-Водкин"),
        ("петров-вод", "Дмитрий Петров-Водкин"),
        ("марьяна", "Мар'яна Ґудзь"),
        ("мар’яна гудз", "Мар'яна Ґудзь"),
        ("oleh", "Олег Ли"),
        ("oleg", "Олег Ли"),
        ("ли", "Олег Ли"),
        ("watso", "Wats_on 100%"),
        ("wats", "Wats_on 100%"),
        ("zoe", "Zoë"),
    ],
)
async def test_a_name_is_found_in_any_spelling_and_order(database, typed, name):
    for one in NAMES:
        await a_customer(name=one)
    assert name in await found(typed)


@pytest.mark.parametrize("typed", ["%", "_", "\\", "' OR 1=1", "%%%", "ь", "-", "…"])
async def test_signs_of_patterns_are_no_patterns(database, typed):
    for one in ("Anna", "Олег"):
        await a_customer(name=one)
    assert await found(typed) == set()


async def test_the_number_of_a_merged_card_finds_the_card_it_became(database):
    kept, merged = await a_customer(), await a_customer()
    await db.execute("UPDATE customer SET merged_into_id = $1 WHERE id = $2", kept.id, merged.id)
    await db.execute("UPDATE customer_facts SET is_hidden = true WHERE customer_id = $1", merged.id)
    assert merged.phone is not None
    for text in (merged.phone, merged.card_number, merged.phone[-4:]):
        page = await base_page(Look(parse_search(text, "RU")), columns=(), now=NOW)
        assert [row["id"] for row in page.rows] == [kept.id]
