"""The same message with no more than a channel can do."""

from loyalty.conversations.content import CARD, Button, Capabilities, Content, fit

ALL = Capabilities(text_length=40, caption_length=10, has_buttons=True, has_menu=True, can_ask_contact=True)
PLAIN = Capabilities(text_length=80, caption_length=10, has_buttons=False, has_menu=False, can_ask_contact=False)
RICH = Content(
    text="Which one?",
    strong="one",
    buttons=((Button("Tea", "t"), Button("Coffee", "c")), (Button("Both", "b"),)),
    menu=(("Card",), ("Balance", "History")),
    ask_contact="Share",
)


def test_a_channel_that_can_do_everything_gets_the_message_as_it_is():
    assert fit(RICH, ALL) == RICH


def test_without_buttons_choices_become_numbered_lines_and_the_menu_its_lines():
    plain = fit(RICH, PLAIN)
    assert plain.text == "Which one?\n\n1. Tea\n2. Coffee\n3. Both\n\n• Card\n• Balance\n• History"
    assert (plain.buttons, plain.menu, plain.ask_contact) == ((), None, "")


def test_a_text_that_is_too_long_ends_in_an_ellipsis_sooner_under_a_picture():
    assert fit(Content(text="x" * 41), ALL).text == "x" * 39 + "…"
    shortened = fit(Content(text="123456789 the code", strong="the code", picture=CARD), ALL)
    assert (shortened.text, shortened.strong) == ("123456789…", "")


def test_a_message_is_kept_and_read_again_whole_and_a_newer_versions_key_is_left_out():
    assert Content.from_body(RICH.to_body()) == RICH
    assert Content.from_body(Content(menu=()).to_body() | {"sticker": 1}) == Content(menu=())
