import re

import pytest

from loyalty.staff.queries import api_key_by, api_keys
from loyalty.staff.rules import Role, Scope
from tests.builders import a_location

PATH = "/settings/keys"


async def test_a_key_is_made_shown_once_and_revoked(panel, sign_in_as):
    await sign_in_as()
    place = await a_location()
    assert "No keys yet" in await (await panel.get(PATH)).text()
    form = {"name": "Bakery till", "scope-receipts.write": "1", f"location-{place}": "1"}
    text = await (await panel.post(f"{PATH}/new", data=form)).text()
    shown = re.search(r'value="(rk_[\w-]{43})"', text)
    assert shown is not None
    key = shown[1]
    found = await api_key_by(key)
    assert found is not None
    assert (found.name, found.scopes) == ("Bakery till", frozenset({Scope.RECEIPTS_WRITE}))
    assert found.location_ids == frozenset({place})
    for path in (PATH, f"{PATH}/{found.id}"):
        text = await (await panel.get(path)).text()
        assert f"{found.prefix}…" in text
        assert key not in text
    await panel.post(f"{PATH}/{found.id}/revoke")
    assert (await api_keys())[0].revoked_at is not None
    assert "Revoked" in await (await panel.get(PATH)).text()


async def test_a_key_that_may_do_nothing_is_refused_beside_its_field(panel, sign_in_as):
    await sign_in_as()
    answer = await panel.post(f"{PATH}/new", data={"name": "Till"}, headers={"HX-Request": "true"})
    assert answer.status == 422
    assert 'id="scopes-error"' in await answer.text()


async def test_no_place_ticked_is_every_place(panel, sign_in_as):
    await sign_in_as()
    await a_location()
    await panel.post(f"{PATH}/new", data={"name": "Shop", "scope-customers.read": "1"})
    assert (await api_keys())[0].location_ids is None


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
async def test_keys_are_the_owners_business(panel, sign_in_as, role):
    await sign_in_as(role)
    assert (await panel.get(PATH)).status == 403
    assert (await panel.post(f"{PATH}/new", data={"name": "Till", "scope-customers.read": "1"})).status == 403
