from datetime import UTC, datetime

import pytest

from loyalty import db
from loyalty.office.exporting import ExportState
from loyalty.office.queries.exports import downloads_of, exports, pieces_of
from loyalty.staff.letters import lease_letters
from regulars.seed import seed

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("customers", [1, 60])
async def test_one_file_is_over_and_one_can_be_taken_whose_letter_is_on_its_way(database, customers):
    await seed(customers, now=NOW, report=lambda _: None)
    [live, *over], _ = await exports(staff_id=None)
    assert live.can_be_taken(NOW)
    assert live.words.headers["name"] == "Клиент"
    assert live.rows == live.total == await db.fetch_value("SELECT count(*) FROM customer_facts WHERE NOT is_hidden")
    assert sum([len(piece) async for piece in pieces_of(live.id)]) == live.size
    assert [one.staff_name for one in (await downloads_of([live.id]))[live.id]] == ["Марина Лис"]
    assert [one.subject for one in await lease_letters(limit=9, now=NOW)] == ["Файл с клиентами готов"]
    assert [view.state for view in over] == [ExportState.EXPIRED] * (customers == 60)
