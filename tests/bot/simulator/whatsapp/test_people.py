import pytest

from bot.simulator.photos import BadPhoto
from tests.bot.simulator.conftest import picture
from tests.bot.simulator.whatsapp.conftest import City, asking, listing


async def heard(city: City):
    """The next message the app hears."""
    return (await city.app.until(lambda: city.app.messages[1:]))[0]


async def test_a_button_is_pressed_by_its_place_its_id_or_its_title(city: City):
    await city.send(asking("Yes", "No"))
    question = await city.person.wait_for(lambda message: "buttons" in message)
    for which in (1, "id-No", "No"):
        city.person.tap(question, which)
    await city.app.until(lambda: len(city.app.messages) == 4)
    for answer in city.app.messages[1:]:
        assert answer["type"] == "interactive"
        assert answer["interactive"] == {"type": "button_reply", "button_reply": {"id": "id-No", "title": "No"}}
        assert answer["context"] == {"from": "447400000000", "id": question["id"]}
    with pytest.raises(LookupError):
        city.person.tap(question, "Perhaps")


async def test_a_row_of_a_list_is_chosen_with_its_description(city: City):
    await city.send(listing({"id": "r1", "title": "One"}, {"id": "r2", "title": "Two", "description": "The second"}))
    question = await city.person.wait_for(lambda message: "list" in message)
    city.person.choose(question, 1)
    answer = await heard(city)
    row = {"id": "r2", "title": "Two", "description": "The second"}
    assert answer["interactive"] == {"type": "list_reply", "list_reply": row}


async def test_pictures_and_files_come_by_their_id(city: City):
    city.person.send_photo(picture(), "Look")
    image = (await heard(city))["image"]
    assert (image["caption"], image["mime_type"]) == ("Look", "image/png")
    assert set(image) == {"caption", "mime_type", "sha256", "id"}
    status, facts = await city.call(image["id"], method="GET")
    assert (status, facts["sha256"]) == (200, image["sha256"])
    city.person.send_document(b"%PDF", "bill.pdf")
    await city.app.until(lambda: len(city.app.messages) == 3)
    document = city.app.messages[-1]["document"]
    assert (document["filename"], document["mime_type"]) == ("bill.pdf", "application/pdf")
    with pytest.raises(BadPhoto):
        city.person.send_photo(b"no picture")


async def test_contacts_places_and_reactions(city: City):
    city.person.share_contact()
    assert (await heard(city))["contacts"][0]["phones"] == [
        {"phone": "+79165550101", "wa_id": "79165550101", "type": "CELL"}
    ]
    city.person.send_location(55.75, 37.62, "Here")
    await city.send(asking("Yes"))
    question = await city.person.wait_for(lambda message: "buttons" in message)
    city.person.react(question, "👍")
    city.person.react(question, "")
    await city.app.until(lambda: len(city.app.messages) == 5)
    assert city.app.messages[2]["location"] == {"latitude": 55.75, "longitude": 37.62, "name": "Here"}
    assert [one["reaction"] for one in city.app.messages[3:]] == [
        {"message_id": question["id"], "emoji": "👍"},
        {"message_id": question["id"]},
    ]


async def test_whoever_hides_the_number_may_share_it(city: City):
    hidden = city.whatsapp.add_person(name="Ira", phone=None, hidden_phone="+79165550177")
    hidden.share_contact()
    card = (await heard(city))["contacts"][0]
    assert card["phones"][0]["wa_id"] == "79165550177"
    with pytest.raises(ValueError, match="user id"):
        city.whatsapp.add_person(name="Nobody at all", phone=None, user_id=None)


async def test_a_number_is_one_persons_alone(city: City):
    with pytest.raises(ValueError, match="somebody has"):
        city.whatsapp.add_person(name="Another", phone="+7 916 555-01-01")


async def test_a_new_number_is_told_by_the_old_one_and_the_chat_goes_along(city: City):
    city.person.change_number("+79165550199")
    told = await heard(city)
    assert "contacts" not in city.app.changes[-1]["value"]
    assert (told["from"], told["type"]) == ("79165550101", "system")
    assert (told["system"]["type"], told["system"]["wa_id"]) == ("user_changed_number", "79165550199")
    assert (await city.send({"type": "text", "text": {"body": "hi"}}, to="79165550199"))[0] == 200
    assert city.person.messages[-1]["text"] == "hi"


async def test_wishes_about_offers_are_told(city: City):
    city.person.stop_offers()
    city.person.resume_offers()
    await city.app.until(lambda: len(city.app.changes) == 3)
    wishes = [change["value"]["user_preferences"][0] for change in city.app.changes[1:]]
    assert [wish["value"] for wish in wishes] == ["stop", "resume"]
    assert {wish["category"] for wish in wishes} == {"marketing_messages"}
    assert {wish["wa_id"] for wish in wishes} == {"79165550101"}


async def test_an_odd_kind_goes_as_it_is(city: City):
    city.person.send_raw({"type": "unsupported", "errors": [{"code": 131051}]})
    assert (await heard(city))["errors"] == [{"code": 131051}]


async def test_a_wait_that_fails_says_what_is_there(city: City):
    await city.send(asking("Yes", body="The question"))
    with pytest.raises(TimeoutError, match="The question"):
        await city.person.wait_for(lambda message: False, timeout=0.05)
