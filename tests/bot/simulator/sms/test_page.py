from bot.simulator.words import LANGUAGES
from tests.bot.simulator.sms.conftest import NUMBER, Line
from tests.bot.simulator.test_page import SAME, steps, until

OTHER = "+79165550102"


async def test_the_page_of_an_empty_inbox_learns_of_the_first_message(line: Line):
    live = steps(line.http, f"{line.url}/simulator/people/sms")
    assert (await until(live, lambda step: True))["status"]["conversations"] == []
    await line.send(text="First")
    [listed] = (await until(live, lambda step: step["status"]["conversations"]))["status"]["conversations"]
    assert (listed["address"], listed["preview"], listed["count"]) == (NUMBER, "First", 1)
    await live.aclose()


async def test_conversations_are_listed_the_newest_first(line: Line):
    for number in (NUMBER, OTHER, NUMBER):
        await line.send(to=number)
    listed = line.sms.status(line.sms.entrance)["conversations"]
    assert [one["address"] for one in listed] == [NUMBER, OTHER]


async def test_a_conversation_has_a_link_of_its_own_without_the_number(line: Line):
    await line.send(text="For one")
    conversation = line.sms.phone(NUMBER)
    async with line.http.get(f"{line.url}/simulator?with={conversation.id}") as answer:
        assert f'data-person="{conversation.id}"' in await answer.text()
    assert NUMBER not in conversation.id


async def test_the_inbox_speaks_three_languages(line: Line):
    words = set()
    for language in LANGUAGES:
        headers = {"Accept-Language": language}
        async with line.http.get(f"{line.url}/simulator?in=sms", headers=headers) as answer:
            words.add((await answer.text()).partition("<h1>")[2].partition("<")[0])
    assert words == {"SMS inbox", "Входящие SMS", "Вхідні SMS"}


async def test_a_phone_is_switched_off_and_on_by_its_page_alone(line: Line):
    phone = line.sms.phone(NUMBER)
    home = f"{line.url}/simulator/people/{phone.id}/reach"
    async with line.http.post(home, json={"unreachable": True}) as answer:
        assert answer.status == 403
    for wanted in (True, False):
        async with line.http.post(home, json={"unreachable": wanted}, headers=SAME) as answer:
            assert answer.status == 200
        assert phone.is_unreachable is wanted


async def test_faults_are_those_of_the_inbox_alone(line: Line):
    wanted = {"messenger": "sms", "blocked": 3, "undeliverable": 1}
    async with line.http.post(f"{line.url}/simulator/faults", json=wanted, headers=SAME) as answer:
        assert answer.status == 200
    assert (line.sms.faults.blocked, line.sms.faults.undeliverable) == (3, 1)
    assert not line.simulator.telegram.faults.any


async def test_people_of_messengers_are_chosen_when_a_cookie_names_nobody(line: Line):
    await line.send()
    headers = {"Cookie": "simulator_person=nobody"}
    async with line.http.get(f"{line.url}/simulator", headers=headers) as answer:
        assert 'data-messenger="telegram"' in await answer.text()
