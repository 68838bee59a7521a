"""Files of the demo: one with notes of the old card index, brought in weeks ago, and one that could not be read."""

from datetime import datetime, timedelta

from loyalty import db
from loyalty.office.actions.imports import check, finish, keep_file, start
from loyalty.office.importing import Kind, Options
from loyalty.staff.queries import staff_member

BROUGHT_IN_AGO = timedelta(days=12)
REFUSED_AGO = timedelta(days=13)
LINES = 14
MAPPING = ("name", "phone", "note")
NOTES = ("Любит столик у окна", "", "Пьёт без сахара", "", "", "Приходит с собакой", "")
# Somebody who had come before the file did, with a number that colleagues know.
PEOPLE = """
SELECT c.name, c.phone FROM customer c JOIN customer_facts f ON f.customer_id = c.id
WHERE c.phone IS NOT NULL AND NOT f.is_hidden AND c.created_at < $1 ORDER BY c.id LIMIT $2
"""


async def write_imports(marketer_id: int, now: datetime) -> None:
    """Send both, and let the one that can be read be done as in any shop."""
    marketer = await staff_member(marketer_id)
    at = now - REFUSED_AGO
    # A workbook that was cut off on its way.
    broken = b"PK\x03\x04" + bytes(range(200))
    refused_id = await keep_file(
        Kind.CUSTOMERS, "Старая картотека.xlsx", broken, key="seed-broken", actor=marketer.actor, now=at
    )
    await finish(refused_id, now=at)
    at = now - BROUGHT_IN_AGO
    people = await db.fetch(PEOPLE, at, LINES)
    lines = [f"{one['name']};{one['phone']};{NOTES[place % len(NOTES)]}" for place, one in enumerate(people)]
    body = "\n".join(["Имя;Телефон;Комментарий", *lines, "Без номера;12-34;"]).encode("cp1251", "replace")
    import_id = await keep_file(
        Kind.CUSTOMERS, "Старая картотека.csv", body, key="seed-notes", actor=marketer.actor, now=at
    )
    await finish(import_id, now=at)
    await check(import_id, MAPPING, Options(), actor=marketer.actor, now=at)
    await finish(import_id, now=at)
    if await db.fetch_value("SELECT changed FROM file_import WHERE id = $1", import_id):
        await start(import_id, actor=marketer.actor, now=at)
        await finish(import_id, now=at)
