"""What each kind of webhook means, and what is kept of those that mean nothing."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.channels.base import Event, EventKind, Progress, TemplateNews, Unreachable
from bot.channels.whatsapp.pieces import arrivals
from loyalty.conversations.rules import Status
from tests.bot.channels.whatsapp.payloads import (
    ANNA,
    ANNA_ID,
    METADATA,
    NOW,
    a_system,
    call,
    change,
    contact,
    every_kind,
    message,
    news,
    said,
    status,
    template,
    text,
)

KINDS = every_kind()
BEFORE = {"address": ANNA, "alias": None, "name": "Анна", "phone": f"+{ANNA}"}
# kind of webhook -> (kind of event, what it carries beside its sender)
EVENTS: dict[str, tuple[EventKind, dict[str, Any]]] = {
    "text": (EventKind.TEXT, {"text": "Баланс"}),
    "start": (EventKind.START, {"text": "/start j_0a1b"}),
    "forwarded": (EventKind.TEXT, {"text": "Смотрите"}),
    "from an advertisement": (EventKind.TEXT, {"text": "Привет"}),
    "quick reply": (EventKind.BUTTON, {"text": "Да", "data": "confirm:7:2", "message_id": "wamid.ours"}),
    "button": (EventKind.BUTTON, {"text": "Русский", "data": "lang:ru:1", "message_id": "wamid.ours"}),
    "row": (EventKind.TEXT, {"text": "Баланс", "data": ""}),
    "form": (EventKind.OTHER, {}),
    "picture": (EventKind.PHOTO, {"text": "Чек", "file_id": "8001", "mime": "image/jpeg", "file_name": ""}),
    "document": (EventKind.FILE, {"text": "", "file_id": "8002", "mime": "application/pdf", "file_name": "чек.pdf"}),
    "audio": (EventKind.FILE, {"file_id": "8003", "mime": "audio/ogg"}),
    "video": (EventKind.FILE, {"file_id": "8004", "mime": "video/mp4"}),
    "sticker": (EventKind.FILE, {"file_id": "8005", "mime": "image/webp"}),
    "location": (EventKind.LOCATION, {"text": "Ладно\nМосква, Тверская, 1\n55.75, 37.62"}),
    "own contact": (EventKind.CONTACT, {"phone": f"+{ANNA}", "is_own_phone": True}),
    "another's contact": (EventKind.CONTACT, {"phone": "+79165550199", "is_own_phone": False}),
    "written contact": (EventKind.CONTACT, {"phone": f"+{ANNA}", "is_own_phone": False}),
    "reaction": (EventKind.REACTION, {"text": "👍"}),
    "reaction taken back": (EventKind.REACTION, {"text": ""}),
    "order": (EventKind.OTHER, {}),
    "unsupported": (EventKind.OTHER, {}),
    "unknown": (EventKind.OTHER, {}),
    "stop": (EventKind.STOPPED, {}),
    "resume": (EventKind.RESUMED, {}),
}
IGNORED = [
    "identity changed",
    "in a group",
    "deleted",
    "flagged",
    "echo",
    "account alert",
    "quality",
    "error of the account",
    "empty value",
    "another number",
]


@pytest.fixture
def parsed(channel):
    """What the only update of a call means."""

    def parse(body: dict) -> Event | Progress | TemplateNews | None:
        (only,) = arrivals(json.loads(json.dumps(body)))
        return channel.parse(only.body)

    return parse


@pytest.mark.parametrize("name", EVENTS)
def test_each_kind_of_message_is_the_event_it_means(parsed, name):
    kind, carried = EVENTS[name]
    event = parsed(KINDS[name])
    assert event.kind is kind
    assert {field: getattr(event, field) for field in carried} == carried
    assert {field: getattr(event.sender, field) for field in BEFORE} == BEFORE
    if kind in {EventKind.TEXT, EventKind.PHOTO, EventKind.OTHER}:
        assert event.message_id == KINDS[name]["entry"][0]["changes"][0]["value"]["messages"][0]["id"]


@pytest.mark.parametrize("name", IGNORED)
def test_what_is_no_concern_of_ours_means_nothing(parsed, name):
    assert parsed(KINDS[name]) is None


def test_every_kind_is_looked_at_here():
    others = {"without a number", "with both names", "without a profile", "without contacts"}
    others |= {"number changed", "id changed", "id update", "approved", "rejected", "template paused"}
    others |= {"sent", "delivered", "read", "played", "failed"}
    assert {*EVENTS, *IGNORED} | others == set(KINDS)


def test_who_hides_their_number_goes_by_their_id(parsed):
    sender = parsed(KINDS["without a number"]).sender
    assert (sender.address, sender.alias, sender.phone, sender.name) == (ANNA_ID, None, None, "Анна")


def test_who_shows_both_goes_by_the_id_and_is_known_by_the_number_too(parsed):
    sender = parsed(KINDS["with both names"]).sender
    assert (sender.address, sender.alias, sender.phone) == (ANNA_ID, ANNA, f"+{ANNA}")


def test_the_longest_id_there_may_be_is_a_name(parsed):
    longest = "RU.ENT." + "a1" * 64
    event = parsed(said(message("text", None, longest, text={"body": "Я"}), contacts=[contact(None, longest)]))
    assert event.sender.address == longest
    assert parsed(news(status(recipient_id=None, recipient_user_id=longest))).address == longest
    with pytest.raises(ValueError, match="nobody"):
        parsed(said(message("text", None, "RU." + "a" * 200, text={"body": "Я"}), contacts=[]))


@pytest.mark.parametrize("name", ["without a profile", "without contacts"])
def test_without_a_profile_there_is_a_number_at_least(parsed, name):
    sender = parsed(KINDS[name]).sender
    assert (sender.address, sender.name, sender.username) == (ANNA, "", None)


def test_a_number_that_is_none_is_no_phone(parsed):
    sender = parsed(said(text(wa_id="10000000000"), contacts=[])).sender
    assert (sender.address, sender.phone) == ("10000000000", None)


def test_names_are_cleaned_and_user_names_kept(parsed):
    profile = {"name": "\u202eА\x00нна " + "я" * 200, "username": "@anna.k"}
    sender = parsed(said(text(), contacts=[{"wa_id": ANNA, "profile": profile}])).sender
    assert sender.name.startswith("Анна яя")
    assert len(sender.name) == 100
    assert sender.username == "anna.k"


def test_who_moves_is_named_by_the_old_and_the_new_name(parsed):
    moved = parsed(KINDS["number changed"])
    assert (moved.kind, moved.sender.address, moved.data) == (EventKind.MOVED, ANNA, "79165550202")
    for name in ("id changed", "id update"):
        moved = parsed(KINDS[name])
        assert (moved.kind, moved.sender.address, moved.data) == (EventKind.MOVED, ANNA_ID, "RU.900")
        assert (moved.sender.alias, moved.sender.phone) == (None, None)


def test_a_new_id_without_the_old_one_waits_for_the_update_that_has_both(parsed):
    told = a_system(type="user_changed_user_id", user_id="RU.900")
    del told["from"]
    assert parsed(said(told, contacts=[])) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sent", Status.SENT),
        ("delivered", Status.DELIVERED),
        ("read", Status.READ),
        ("played", Status.READ),
        ("failed", Status.FAILED),
    ],
)
def test_a_status_names_our_message_and_its_number(parsed, name, expected):
    progress = parsed(KINDS[name])
    assert isinstance(progress, Progress)
    assert progress.status is expected
    assert (progress.address, progress.reference) == (ANNA, 4711)
    assert progress.at == datetime.fromtimestamp(NOW, UTC)
    assert progress.external_id.startswith("wamid.")
    assert isinstance(progress.error, Unreachable) is (name == "failed")


@pytest.mark.parametrize(
    ("told", "reference"), [("12", 12), (12, 12), ("", None), ("a", None), ("-1", None), (None, None), ("9" * 30, None)]
)
def test_a_reference_that_is_not_ours_is_left_out(parsed, told, reference):
    assert parsed(news(status(biz_opaque_callback_data=told))).reference == reference


def test_a_status_for_somebody_without_a_number_names_their_id(parsed):
    told = status(recipient_user_id=ANNA_ID)
    del told["recipient_id"]
    assert parsed(news(told)).address == ANNA_ID


@pytest.mark.parametrize("errors", [[], None, "no", [None], [{"code": "odd"}], [{"code": 999999}]])
def test_a_failure_without_a_known_code_is_a_failure_still(parsed, errors):
    assert parsed(news(status("failed", errors=errors))).error.reason == "rejected"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (template("APPROVED"), ("approved", "")),
        (template("REINSTATED"), ("approved", "")),
        (template("REJECTED", reason="PROMOTIONAL"), ("rejected", "PROMOTIONAL")),
        (template("PENDING"), ("pending", "")),
        (template("PAUSED", other_info={"title": "FIRST_PAUSE"}), ("paused", "FIRST_PAUSE")),
        (template("DISABLED", reason=None), ("disabled", "")),
        (template("PENDING_DELETION"), ("disabled", "")),
    ],
)
def test_news_of_a_template_are_its_status_and_why(parsed, body, expected):
    told = parsed(body)
    assert (told.name, told.language, told.external_id) == ("bonuses_expire", "ru", "70080090010020")
    assert (told.status, told.reason) == expected


@pytest.mark.parametrize(
    "odd",
    [
        call(change(messages=["just words"])),
        call(change(messages=[message("text", None)])),
        call(change(messages=[{}])),
        call(change(statuses=[status(recipient_id=None)])),
        call(change(statuses=[status(timestamp="soon")])),
        call({"field": "messages"}),
        call({"field": "messages", "value": "odd"}),
        {"entry": ["odd"]},
        {"entry": [{"id": "1", "changes": "odd"}]},
        {"entry": [{"id": "1", "changes": []}]},
        {"entry": [{"id": "1", "changes": ["odd"]}]},
    ],
)
def test_what_has_no_shape_is_kept_though_it_cannot_be_read(channel, odd):
    (only,) = arrivals(odd)
    with pytest.raises(ValueError, match=r"^(the|nobody) "):
        channel.parse(only.body)


def test_what_another_product_says_is_no_concern_of_ours(parsed):
    assert parsed(said(text()) | {"object": "page"}) is None


def test_a_text_of_any_shape_is_an_event_at_least(parsed):
    bodies: list[Any] = [None, 7, "", [], {"body": None}, {"body": 7}, {"body": ["a"]}]
    for body in bodies:
        assert parsed(said(message("text", text=body))).kind is EventKind.OTHER
    odd_ones: list[Any] = [None, 7, "id", [], {"id": None}, {"id": {"a": 1}}]
    for odd in odd_ones:
        assert parsed(said(message("image", image=odd))).kind is EventKind.OTHER
        assert parsed(said(message("location", location=odd))).kind is EventKind.OTHER
        assert parsed(said(message("interactive", interactive=odd))).kind is EventKind.OTHER
    assert parsed(said(message("contacts", contacts=[]))).phone == ""


def test_what_the_base_cannot_hold_does_not_come_through(parsed):
    event = parsed(said(text("a\x00b\ud83dc")))
    assert event.text == "ab?c"
    event.text.encode()


# ------------------------------------------------------------------------------------ taking calls apart


def test_every_entry_change_message_and_status_is_an_update_of_its_own(channel):
    texts = [text(f"Номер {number}") for number in range(6)]
    body = call(
        change(contacts=[contact()], messages=texts[:2], statuses=[status("sent"), status("delivered")]),
        change(contacts=[contact()], messages=texts[2:4]),
    )
    body["entry"].append(call(change(contacts=[contact()], messages=texts[4:]))["entry"][0])
    updates = arrivals(body)
    assert len({one.external_id for one in updates}) == 8
    events = [channel.parse(one.body) for one in updates]
    assert [one.text for one in events if isinstance(one, Event)] == [f"Номер {number}" for number in range(6)]
    assert [one.status for one in events if isinstance(one, Progress)] == [Status.SENT, Status.DELIVERED]
    assert [one.position for one in updates] == sorted(one.position for one in updates)
    assert {one.chat for one in updates} == {ANNA, f"status:{ANNA}"}


def test_each_message_is_kept_with_its_own_sender_alone(channel):
    people = [("79165550101", "Анна"), ("79165550102", "Борис"), ("79165550103", "Вера")]
    body = said(
        *(text(wa_id=number) for number, _ in reversed(people)),
        contacts=[contact(number, name=name) for number, name in people],
    )
    updates = arrivals(body)
    assert [channel.parse(one.body).sender.name for one in updates] == ["Вера", "Борис", "Анна"]
    for one in updates:
        assert sum(name in json.dumps(json.loads(one.body), ensure_ascii=False) for _, name in people) == 1


def test_the_only_contact_is_that_of_the_only_sender_though_their_numbers_differ(channel):
    (only,) = arrivals(said(text(wa_id="5511999990000"), contacts=[contact("551199990000")]))
    sender = channel.parse(only.body).sender
    assert (sender.address, sender.name) == ("551199990000", "Анна")
    several = arrivals(said(text(wa_id="5511999990000"), text(wa_id="5511888880000"), contacts=[contact("55119")]))
    assert [channel.parse(one.body).sender.address for one in several] == ["5511999990000", "5511888880000"]


def test_a_status_and_its_message_have_names_of_their_own_and_times_in_order():
    told = status("sent")
    later = {**told, "status": "read", "timestamp": str(NOW + 5)}
    first, second = arrivals(news(told, later))
    assert (first.external_id, second.external_id) == (f"{told['id']}:sent", f"{told['id']}:read")
    assert (first.position, second.position) == (NOW * 1000, (NOW + 5) * 1000 + 1)


def test_what_has_no_name_is_named_after_what_it_says():
    (one,), (again,), (other,) = (arrivals(template(event)) for event in ("PAUSED", "PAUSED", "APPROVED"))
    assert one.external_id == again.external_id != other.external_id
    # The same may happen once more, another day.
    later = template("PAUSED")
    later["entry"][0]["time"] += 1
    assert arrivals(later)[0].external_id != one.external_id


@pytest.mark.parametrize("odd", ["x" * 5000, "a\x00b", "\ud83d", "", 7, None, {"a": 1}, ["b"]])
def test_names_and_chats_fit_into_the_base_whatever_they_are(odd):
    odd_message = {**text(), "id": odd, "from": odd, "timestamp": odd}
    odd_status = {**status(), "id": odd, "recipient_id": odd, "status": odd}
    for one in arrivals(call(change(messages=[odd_message], statuses=[odd_status], contacts=odd))):
        assert 0 < len(one.external_id) <= 160
        assert one.chat is None or 0 < len(one.chat) <= 64
        assert one.external_id.isprintable()
        assert 0 <= one.position < 2**63


@pytest.mark.parametrize("told", [-1, 2**80, "9" * 40, "soon", None, 1.5, True, float("inf")])
def test_times_beyond_sense_put_an_update_at_the_beginning(told):
    body = said({**text(), "timestamp": told})
    del body["entry"][0]["time"]
    assert arrivals(body)[0].position == 0


def test_a_thousand_in_one_call_stay_in_their_second():
    updates = arrivals(said(*(text() for _ in range(1200))))
    assert len(updates) == 1200
    assert max(one.position for one in updates) == NOW * 1000 + 999


def test_what_a_value_says_beside_its_lists_is_kept_too():
    body = call(change(contacts=[contact()], messages=[text()], errors=[{"code": 1}], statuses="odd"))
    kept = [json.loads(one.body) for one in arrivals(body)]
    assert [sorted({"message", "value"} & set(one)) for one in kept] == [["message"], ["value"]]
    assert kept[1]["value"] == {"errors": [{"code": 1}], "statuses": "odd"}
    assert kept[0]["metadata"] == METADATA
