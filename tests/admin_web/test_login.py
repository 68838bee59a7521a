from tests.admin_web.conftest import send_login


async def test_the_right_password_opens_a_session_that_scripts_cannot_read(panel, hire):
    person = await hire()
    answer = await send_login(panel, person.email)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    cookie = answer.cookies["regulars"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and not cookie["secure"]


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(panel, hire):
    person = await hire()
    wrong = await send_login(panel, person.email, "not the phrase")
    unknown = await send_login(panel, "nobody@example.com", "not the phrase")
    assert wrong.status == unknown.status == 422
    assert "The e-mail or the password is wrong." in await wrong.text()
    assert (await wrong.text()).replace(person.email, "") == (await unknown.text()).replace("nobody@example.com", "")
