import asyncio
from typing import Any

import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramNotFound, TelegramUnauthorizedError
from aiogram.methods import SendDice
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from tests.bot.simulator.conftest import TOKEN, Town, hang_up, picture, speak


def inline(data="d", text="Press"):
    return InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text=text, callback_data=data)]])


async def test_the_bot_learns_who_it_is(town: Town):
    me = await town.bot.get_me()
    assert (me.id, me.username, me.is_bot) == (int(TOKEN.partition(":")[0]), "regulars_demo_bot", True)


async def test_formatted_text_becomes_plain_text_and_entities(town: Town):
    source = '🙂 <b>Hi <i>you</i></b> &lt;3 <a href="https://example.com/x">here</a> and https://example.org.'
    sent = await town.bot.send_message(town.person.id, source, parse_mode="HTML")
    assert sent.text == "🙂 Hi you <3 here and https://example.org."
    found = [(entity.type, entity.extract_from(sent.text), entity.url) for entity in sent.entities]
    assert found == [
        ("bold", "Hi you", None),
        ("italic", "you", None),
        ("text_link", "here", "https://example.com/x"),
        ("url", "https://example.org", None),
    ]
    assert town.person.messages[-1]["text"] == sent.text


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<b>open", """Can't find end tag corresponding to start tag "b\""""),
        ("closed</b>", "Unexpected end tag at byte offset 6"),
        ("<b>x<i>y</b></i>", 'Unmatched end tag at byte offset 8, expected "</i>", found "</b>"'),
        ("я <h1>x</h1>", 'Unsupported start tag "h1" at byte offset 3'),
        ("1 < 2", "Unclosed start tag at byte offset 2"),
        ("x <img src=y onerror=z>", 'Unsupported start tag "img"'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler"'),
        ("a&nbsp;b", 'Unsupported entity "&nbsp;"'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("x </b", "Unclosed end tag at byte offset 2"),
    ],
)
async def test_wrong_markup_is_refused_in_telegrams_words(town: Town, source, reason):
    with pytest.raises(TelegramBadRequest) as refused:
        await town.bot.send_message(town.person.id, source, parse_mode="HTML")
    assert f"Bad Request: can't parse entities: {reason}" in str(refused.value)
    assert len(town.person.messages) == 1


async def test_tags_that_telegram_knows_are_taken(town: Town):
    source = (
        "<strong>a</strong><em>b</em><u>c</u><ins>d</ins><s>e</s><strike>f</strike><del>g</del><code>h</code>"
        '<pre><code class="language-python">i</code></pre><blockquote expandable>j</blockquote>'
        '<tg-spoiler>k</tg-spoiler><span class="tg-spoiler">l</span> &amp; &#128578; R&D'
    )
    sent = await town.bot.send_message(town.person.id, source, parse_mode="HTML")
    assert sent.text == "abcdefghijkl & 🙂 R&D"
    assert [entity.type for entity in sent.entities] == [
        *("bold", "italic", "underline", "underline", "strikethrough", "strikethrough", "strikethrough", "code"),
        *("pre", "expandable_blockquote", "spoiler", "spoiler"),
    ]
    assert sent.entities[8].language == "python"


async def test_lengths_are_counted_after_the_tags(town: Town):
    await town.bot.send_message(town.person.id, f"<b>{'x' * 4096}</b>", parse_mode="HTML")
    with pytest.raises(TelegramBadRequest, match="message is too long"):
        await town.bot.send_message(town.person.id, "x" * 4097)
    with pytest.raises(TelegramBadRequest, match="message text is empty"):
        await town.bot.send_message(town.person.id, "<b> </b>", parse_mode="HTML")
    with pytest.raises(TelegramBadRequest, match="message caption is too long"):
        await town.bot.send_photo(town.person.id, BufferedInputFile(picture(), "a.png"), caption="x" * 1025)
    assert len(town.person.messages) == 2


async def test_buttons_are_checked(town: Town):
    await town.bot.send_message(town.person.id, "x", reply_markup=inline("я" * 32))
    with pytest.raises(TelegramBadRequest, match="BUTTON_DATA_INVALID"):
        await town.bot.send_message(town.person.id, "x", reply_markup=inline("я" * 32 + "."))
    bare = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="x")]])
    with pytest.raises(TelegramBadRequest, match="Text buttons are unallowed"):
        await town.bot.send_message(town.person.id, "x", reply_markup=bare)


async def test_whom_the_bot_may_write_to(town: Town):
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await town.bot.send_message(12345, "x")
    stranger = town.simulator.add_person(first_name="New", phone="+447400000001")
    with pytest.raises(TelegramForbiddenError, match="can't initiate conversation"):
        await town.bot.send_message(stranger.id, "x")
    town.person.block()
    with pytest.raises(TelegramForbiddenError, match="Forbidden: bot was blocked by the user"):
        await town.bot.send_message(town.person.id, "x")
    town.person.unblock()
    assert (await town.bot.send_message(town.person.id, "x")).text == "x"


async def test_groups_are_answered_once_they_were_seen(town: Town):
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await town.bot.send_message(-100500, "x")
    group = {"id": -100500, "type": "group", "title": "Friends"}
    town.simulator.inject({"message": {"message_id": 1, "chat": group, "date": 1, "text": "hello"}})
    assert (await town.bot.send_message(-100500, "x")).chat.title == "Friends"
    assert await town.bot.leave_chat(-100500)
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await town.bot.send_message(-100500, "x")
    assert [method for method, _ in town.simulator.calls] == ["sendMessage", "sendMessage", "leaveChat", "sendMessage"]


async def test_edits_change_the_message_in_place(town: Town):
    sent = await town.bot.send_message(town.person.id, "one", reply_markup=inline())
    seen = town.person.messages[-1]
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await sent.edit_text("one", reply_markup=inline())
    edited = await sent.edit_text("<b>two</b>", parse_mode="HTML")
    assert edited.message_id == sent.message_id
    assert (seen["text"], seen["entities"][0]["type"]) == ("two", "bold")
    # An edit without a keyboard takes the old one away.
    assert "reply_markup" not in seen
    await sent.edit_reply_markup(reply_markup=inline("other"))
    assert seen["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "other"
    assert seen["text"] == "two"


async def test_what_cannot_be_edited_or_deleted_is_named(town: Town):
    chat = town.person.id
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await town.bot.edit_message_text("x", chat_id=chat, message_id=999)
    with pytest.raises(TelegramBadRequest, match="message can't be edited"):
        await town.bot.edit_message_text("x", chat_id=chat, message_id=town.person.messages[0]["message_id"])
    with pytest.raises(TelegramBadRequest, match="message to delete not found"):
        await town.bot.delete_message(chat, 999)
    sent = await town.bot.send_photo(chat, BufferedInputFile(picture(), "a.png"))
    with pytest.raises(TelegramBadRequest, match="there is no text in the message to edit"):
        await sent.edit_text("x")
    assert await sent.delete()
    assert [message["outgoing"] for message in town.person.messages] == [True]


async def test_photos_of_the_bot_are_kept_and_sent_again(town: Town):
    data = picture(400)
    sent = await town.bot.send_photo(
        town.person.id, BufferedInputFile(data, "a.png"), caption="<i>Card</i>", parse_mode="HTML"
    )
    assert [(size.width, size.height) for size in sent.photo] == [(320, 160), (800, 400)]
    assert (sent.caption, sent.caption_entities[0].type) == ("Card", "italic")
    again = await town.bot.send_photo(town.person.id, sent.photo[-1].file_id)
    assert again.photo == sent.photo
    assert (await town.bot.download(again.photo[-1])).read() == data


async def test_a_photo_is_replaced_with_its_caption(town: Town):
    sent = await town.bot.send_photo(town.person.id, BufferedInputFile(picture(), "a.png"), caption="one")
    new = picture(colour="blue")
    media = InputMediaPhoto(media=BufferedInputFile(new, "b.png"), caption="two")
    edited = await sent.edit_media(media, reply_markup=inline())
    assert (edited.message_id, edited.caption) == (sent.message_id, "two")
    assert (await town.bot.download(edited.photo[-1])).read() == new
    await sent.edit_caption(caption="three")
    assert town.person.messages[-1]["caption"] == "three"


async def test_what_is_no_photo_is_refused(town: Town):
    with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await town.bot.send_photo(town.person.id, BufferedInputFile(b"text", "a.png"))
    with pytest.raises(TelegramBadRequest, match="is too big for a photo"):
        await town.bot.send_photo(town.person.id, BufferedInputFile(b"x" * (10 * 1024 * 1024 + 1), "a.png"))
    with pytest.raises(TelegramBadRequest, match="wrong file identifier"):
        await town.bot.send_photo(town.person.id, "AgACx-nothing")
    assert len(town.person.messages) == 1


async def test_the_reply_keyboard_belongs_to_the_chat(town: Town):
    rows = [[KeyboardButton(text="Card"), KeyboardButton(text="My number", request_contact=True)]]
    await town.bot.send_message(town.person.id, "x", reply_markup=ReplyKeyboardMarkup(keyboard=rows))
    await town.bot.send_message(town.person.id, "no word of keyboards")
    town.person.send("Card")
    assert town.person.keyboard is not None
    assert [button["text"] for button in town.person.keyboard[0]] == ["Card", "My number"]
    once = ReplyKeyboardMarkup(keyboard=rows, one_time_keyboard=True)
    await town.bot.send_message(town.person.id, "x", reply_markup=once)
    town.person.send("something else")
    assert town.person.keyboard
    town.person.share_contact()
    assert town.person.keyboard is None
    await town.bot.send_message(town.person.id, "x", reply_markup=ReplyKeyboardMarkup(keyboard=rows))
    await town.bot.send_message(town.person.id, "x", reply_markup=ReplyKeyboardRemove())
    assert town.person.keyboard is None


async def test_a_tap_is_answered_once(town: Town):
    sent = await town.bot.send_message(town.person.id, "x", reply_markup=inline("rate:5"))
    town.person.tap(sent.message_id, "rate:5")
    query = (await town.bot.get_updates())[-1].callback_query
    assert (query.data, query.message.message_id, query.from_user.id) == ("rate:5", sent.message_id, town.person.id)
    assert await town.bot.answer_callback_query(query.id, text="Thanks")
    assert await town.bot.answer_callback_query(query.id, text="Thanks again")
    assert [answer["text"] for _, answer in town.person.answers] == ["Thanks"]
    with pytest.raises(
        TelegramBadRequest, match="query is too old and response timeout expired or query ID is invalid"
    ):
        await town.bot.answer_callback_query("1")


async def test_a_tap_under_a_deleted_message_arrives_without_it(town: Town):
    sent = await town.bot.send_message(town.person.id, "x", reply_markup=inline())
    await sent.delete()
    town.person.tap(sent.message_id, "d")
    query = (await town.bot.get_updates())[-1].callback_query
    assert (query.message.date, query.message.message_id) == (0, sent.message_id)


async def test_replies_name_a_message_that_is_there(town: Town):
    first = town.person.messages[0]["message_id"]
    sent = await town.bot.send_message(
        town.person.id, "x", reply_to_message_id=None, reply_parameters={"message_id": first}
    )
    assert sent.reply_to_message.message_id == first
    with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
        await town.bot.send_message(town.person.id, "x", reply_parameters={"message_id": 999})


async def test_commands_are_kept_by_language(town: Town):
    await town.bot.set_my_commands([{"command": "card", "description": "Карта"}], language_code="ru")
    assert [command.command for command in await town.bot.get_my_commands(language_code="ru")] == ["card"]
    assert await town.bot.get_my_commands() == []


async def test_typing_ends_with_the_message(town: Town):
    await town.bot.send_chat_action(town.person.id, "typing")
    assert town.person.typing_until > 0
    await town.bot.send_message(town.person.id, "x")
    assert town.person.typing_until == 0


async def test_unknown_methods_and_tokens(town: Town):
    with pytest.raises(TelegramNotFound):
        await town.bot(SendDice(chat_id=town.person.id))
    other = speak(town.url, "700000001:wrong")
    with pytest.raises(TelegramUnauthorizedError):
        await other.get_me()
    await hang_up(other)


async def test_waiting_for_a_message_tells_what_came_instead(town: Town):
    waiting = asyncio.create_task(town.person.wait_for(lambda message: message["text"] == "now"))
    await town.bot.send_message(town.person.id, "first")
    await town.bot.send_message(town.person.id, "now")
    assert (await waiting)["text"] == "now"
    with pytest.raises(TimeoutError, match=r"\['first', 'now'\]"):
        await town.person.wait_for(lambda message: False, timeout=0.01)


async def test_parameters_come_in_every_way(town: Town, http):
    address = f"{town.url}/simulator/telegram/bot{TOKEN}/sendMessage"
    fields = {"chat_id": str(town.person.id), "text": "way"}
    ways: list[Any] = [{"params": fields}, {"data": fields}, {"json": {**fields, "chat_id": town.person.id}}]
    for way in ways:
        async with http.post(address, **way) as answer:
            assert (await answer.json())["result"]["text"] == "way"
    async with http.get(address.replace("sendMessage", "SENDMESSAGE"), params=fields) as answer:
        assert (await answer.json())["ok"] is True
    async with http.post(address, json={"chat_id": town.person.id, "text": "x", "reply_markup": "{"}) as answer:
        assert answer.status == 400


async def test_chats_that_nobody_reads_take_messages(town: Town):
    town.simulator.telegram.exchange.silent_ids = range(5_000_000_000, 5_000_000_010)
    sent = await town.bot.send_message(5_000_000_009, "x")
    assert (sent.chat.id, sent.chat.type) == (5_000_000_009, "private")
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await town.bot.send_message(5_000_000_010, "x")
