import pytest

from loyalty.errors import Invalid
from loyalty.staff.rules import PERMISSIONS, Permission, Role, check_phone, clean_name, may


def test_an_owner_may_do_everything():
    assert PERMISSIONS[Role.OWNER] == set(Permission)


def test_a_cashier_has_only_the_cashier_page():
    assert [permission for permission in Permission if may(Role.CASHIER, permission)] == [Permission.CASHIER_USE]


def test_only_an_owner_manages_people_and_the_shop():
    for permission in (Permission.STAFF_MANAGE, Permission.SHOP_MANAGE):
        assert [role for role in Role if may(role, permission)] == [Role.OWNER]


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "bad\u202ename"])
def test_a_name_is_one_readable_line(name):
    with pytest.raises(Invalid):
        clean_name(name)


@pytest.mark.parametrize("phone", ["89990001122", "+7 999 000", "+", "+123456"])
def test_a_phone_is_international(phone):
    with pytest.raises(Invalid):
        check_phone(phone)
