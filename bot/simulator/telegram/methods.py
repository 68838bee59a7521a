"""Methods about the bot itself: its updates, button presses, commands and files."""

from collections.abc import Callable
from typing import Any

from bot.simulator.telegram.exchange import Exchange
from bot.simulator.telegram.faults import Refusal
from bot.simulator.telegram.messages import chat_of
from bot.simulator.telegram.parameters import Call

MOST_ANSWER = 200


def get_me(exchange: Exchange, _: Call) -> dict[str, Any]:
    """Who the bot is: getMe."""
    return {
        **exchange.bot,
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


def answer_press(exchange: Exchange, call: Call) -> bool:
    """answerCallbackQuery: the spinner stops; a text becomes a toast or an alert. A second answer is not shown."""
    query_id = call.text("callback_query_id")
    if len(call.text("text")) > MOST_ANSWER:
        raise Refusal("MESSAGE_TOO_LONG")
    press = exchange.presses.get(query_id)
    if press is None:
        raise Refusal("query is too old and response timeout expired or query ID is invalid")
    if press.answered:
        return True
    press.answered = True
    person = exchange.people.get(press.person_id)
    if person is not None:
        person.hear({"text": call.text("text"), "alert": call.flag("show_alert")})
    return True


def set_commands(exchange: Exchange, call: Call) -> bool:
    """setMyCommands, by scope and language."""
    commands = call.structure("commands")
    if not isinstance(commands, list) or len(commands) > 100:
        raise Refusal("can't parse list of bot commands JSON object")
    for command in commands:
        name = str(command.get("command", "")).removeprefix("/")
        if not 1 <= len(name) <= 32 or not name.replace("_", "a").isalnum() or name != name.lower():
            raise Refusal("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise Refusal("BOT_COMMAND_DESCRIPTION_INVALID")
    exchange.commands[commands_key(call)] = commands
    exchange.changed()
    return True


def get_commands(exchange: Exchange, call: Call) -> list[dict[str, str]]:
    """The list that getMyCommands asks for, of exactly that scope and language."""
    return exchange.commands.get(commands_key(call), [])


def commands_key(call: Call) -> str:
    """Scope and language as one word."""
    scope = call.structure("scope")
    kind = scope.get("type", "default") if isinstance(scope, dict) else "default"
    return f"{kind}:{call.text('language_code')}"


def leave_chat(exchange: Exchange, call: Call) -> bool:
    """leaveChat: a group is forgotten, a private chat cannot be left."""
    if chat_of(exchange, call) is not None:
        raise Refusal("chat member status can't be changed in private chats")
    del exchange.silent_chats[call.number("chat_id")]
    exchange.changed()
    return True


def get_file(exchange: Exchange, call: Call) -> dict[str, Any]:
    """getFile: where to load a file from."""
    file_id = call.text("file_id")
    photo = exchange.photos.find(file_id)
    if photo is None:
        raise Refusal("wrong file_id or the file is temporarily unavailable")
    size = next(size for size in photo.sizes() if size["file_id"] == file_id)
    known: dict[str, Any] = {name: size[name] for name in ("file_id", "file_unique_id", "file_size") if name in size}
    return {**known, "file_path": f"photos/{file_id}.jpg"}


METHODS: dict[str, Callable[[Exchange, Call], Any]] = {
    "getme": get_me,
    "answercallbackquery": answer_press,
    "setmycommands": set_commands,
    "getmycommands": get_commands,
    "leavechat": leave_chat,
    "getfile": get_file,
}
