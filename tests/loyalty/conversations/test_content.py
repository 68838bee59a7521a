"""The same message with no more than a channel can do."""

from dataclasses import replace

from loyalty.conversations.content import CARD, Button, Capabilities, Content, Link, fit, numbered

ALL = Capabilities(
    text_length=40,
    caption_length=10,
    asking_length=40,
    buttons=100,
    button_length=64,
    options=0,
    links=2,
    mixes=True,
    has_menu=True,
    can_ask_contact=True,
    can_edit=True,
    has_files=True,
)
LISTS = replace(ALL, asking_length=20, buttons=2, button_length=6, options=4, has_menu=False, can_ask_contact=False)
PLAIN = replace(LISTS, text_length=80, asking_length=80, buttons=0, options=0)
RICH = Content(
    text="Which one?",
    strong="one",
    buttons=((Button("Tea", "t"), Button("Coffee", "c")), (Button("Both", "b"),)),
    menu=(("Card",), ("Balance", "History")),
    ask_contact="Share",
)


def test_a_channel_that_can_do_everything_gets_the_message_as_it_is():
    assert fit(RICH, ALL) == RICH


def test_without_buttons_choices_become_numbered_lines_and_the_menu_is_left_out():
    plain = fit(RICH, PLAIN)
    assert plain.text == "Which one?\n\n1. Tea\n2. Coffee\n3. Both"
    assert (plain.buttons, plain.options, plain.menu, plain.ask_contact) == ((), (), None, "")
    assert [button.data for button in numbered(RICH, PLAIN)] == ["t", "c", "b"]


def test_few_short_choices_stay_buttons_and_others_lie_behind_one_button():
    few = replace(RICH, buttons=((Button("Tea", "t"), Button("Coffee", "c")),))
    assert fit(few, LISTS).buttons == few.buttons
    many = fit(RICH, LISTS, "ru")
    assert (many.buttons, many.options_label, many.menu) == ((), "Выбрать", None)
    assert [button.data for button in many.options] == ["t", "c", "b"]
    assert fit(replace(RICH, buttons=((Button("Both of them", "b"),),)), LISTS).options[0].text == "Both of them"
    assert numbered(RICH, LISTS) == ()
    crowd = replace(RICH, buttons=tuple((Button(str(number), str(number)),) for number in range(5)))
    assert len(numbered(crowd, LISTS)) == 5


def test_a_menu_lies_behind_a_button_of_a_message_that_asks_nothing():
    shown = fit(replace(RICH, buttons=()), LISTS, "uk")
    assert shown.options_label == "Меню"
    assert [(option.text, option.data) for option in shown.options] == [
        ("Card", "say:Card"),
        ("Balance", "say:Balance"),
        ("History", "say:History"),
    ]


def test_a_text_with_choices_may_be_shorter_than_one_without():
    asked = Content(text="x" * 30, buttons=((Button("Tea", "t"),),))
    assert len(fit(asked, LISTS).text) == 20
    assert len(fit(replace(asked, buttons=()), LISTS).text) == 30


def test_a_text_that_is_too_long_ends_in_an_ellipsis_sooner_under_a_picture():
    assert fit(Content(text="x" * 41), ALL).text == "x" * 39 + "…"
    shortened = fit(Content(text="123456789 the code", strong="the code", picture=CARD), ALL)
    assert (shortened.text, shortened.strong) == ("123456789…", "")


def test_a_message_is_kept_and_read_again_whole_and_a_newer_versions_key_is_left_out():
    assert Content.from_body(RICH.to_body()) == RICH
    assert Content.from_body(Content(menu=()).to_body() | {"sticker": 1}) == Content(menu=())


SHOP = Link("Shop", "https://shop.example/a")
ONE_LINK = replace(PLAIN, links=1, mixes=False, buttons=2, button_length=6)


def test_an_address_is_a_button_where_there_is_room_for_it_and_ends_the_text_elsewhere():
    asked = replace(RICH, menu=None, ask_contact="", links=(SHOP,))
    assert fit(asked, ALL) == asked
    alone = Content("Look", links=(SHOP,))
    assert fit(alone, ONE_LINK) == alone
    told = fit(alone, replace(ONE_LINK, links=0))
    assert (told.text, told.links) == ("Look\n\nShop: https://shop.example/a", ())
    assert fit(Content("Look", links=(SHOP, SHOP)), ONE_LINK).links == ()
    assert fit(Content("Look", links=(Link("A very long one", SHOP.url),)), ONE_LINK).links == ()
    beside = fit(Content("Look", buttons=((Button("Tea", "t"),),), links=(SHOP,)), ONE_LINK)
    assert (beside.text, len(beside.buttons), beside.links) == ("Look\n\nShop: https://shop.example/a", 1, ())


def test_a_text_that_is_too_long_is_cut_before_its_addresses():
    long = fit(Content("a" * 100, links=(SHOP,)), replace(ONE_LINK, links=0))
    assert len(long.text) == 80
    assert long.text.endswith("…\n\nShop: https://shop.example/a")


def test_a_menu_makes_room_for_an_address():
    shown = fit(Content("Look", menu=(("Card",),), links=(SHOP,)), replace(ONE_LINK, options=4))
    assert (shown.options, shown.links) == ((), (SHOP,))


def test_addresses_and_what_stands_in_are_kept_with_a_message():
    said = Content("Look", links=(SHOP,), stand_in=7)
    assert Content.from_body(said.to_body()) == said


def test_a_scale_is_two_rows_of_buttons_or_a_list_from_the_top_and_is_never_numbered():
    asked = Content("How was it?", scale="nps:7")
    shown = fit(asked, ALL)
    assert [[button.text for button in row] for row in shown.buttons] == [
        ["0", "1", "2", "3", "4", "5"],
        ["6", "7", "8", "9", "10"],
    ]
    assert (shown.buttons[1][4].data, shown.scale) == ("nps:7:10", "")
    ten = fit(asked, replace(LISTS, options=10), "ru")
    assert [option.text for option in ten.options] == ["10", "9", "8", "7", "6", "5", "4", "3", "2", "1 или 0"]
    assert (ten.options[-1].data, ten.options_label) == ("nps:7:low", "Выбрать")
    eleven = fit(asked, replace(LISTS, options=11))
    assert [option.data for option in eleven.options][-2:] == ["nps:7:1", "nps:7:0"]
    # Where nothing can be shown, the number is typed; where nobody can answer, nothing is offered.
    for able in (LISTS, PLAIN, replace(ALL, hears=False)):
        plain = fit(asked, able)
        assert (plain.text, plain.buttons, plain.options) == ("How was it?", (), ())
    assert Content.from_body(asked.to_body()) == asked
