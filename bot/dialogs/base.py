"""What a step of a dialog is told, and what it answers. A step sees no messenger and touches no network."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.channels.base import Event
from bot.texts import say
from loyalty import wording
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.content import Button, Capabilities, Content
from loyalty.conversations.rules import Said
from loyalty.customers.queries import MessengerAccountView
from loyalty.errors import Refused
from loyalty.shop.queries import programme_of
from loyalty.shop.rules import Programme, ShopView
from loyalty.staff.rules import Actor, ActorKind

CUSTOMER = Actor(ActorKind.CUSTOMER)
MENU = (
    ("menu.card",),
    ("menu.balance", "menu.history"),
    ("menu.invite", "menu.my_data"),
    ("menu.settings", "menu.support"),
)
"""The keyboard of a registered customer, by the keys of its labels."""


@dataclass(frozen=True, slots=True)
class Session:
    """Where a dialog stands. `step` "": nowhere. `turn` makes buttons of a passed step stale.

    choices: label and data of what the last message offered, where one answers by typing its number or label.
    """

    step: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    turn: int = 0
    choices: Sequence[Sequence[str]] = ()

    def to_body(self) -> dict[str, Any]:
        """As the conversation's row keeps it."""
        return {"step": self.step, "data": self.data, "turn": self.turn, "choices": self.choices}


@dataclass(frozen=True, slots=True)
class Turn:
    """One event with all that a step may want to know about it.

    programme_body: of the one in force. is_staffed: a person answers in this chat now.
    """

    event: Event
    account: MessengerAccountView
    session: Session
    is_waiting: bool
    chain: ShopView
    programme_body: str
    now: datetime
    language: str
    is_staffed: bool = False

    @property
    def can(self) -> Capabilities:
        """What the messenger of this chat can do."""
        return CAPABILITIES[self.account.channel]

    @property
    def programme(self) -> Programme:
        """The programme in force."""
        return programme_of(self.programme_body)

    def say(self, key: str, /, **values: str) -> str:
        """A text in the person's language."""
        return say(self.language, key, **values)

    def bonuses(self, hundredths: int) -> str:
        """An amount of bonuses in words."""
        return wording.bonuses_in_words(hundredths, self.language)

    def money(self, minor: int) -> str:
        """A sum of money."""
        return wording.money(minor, self.chain.currency, self.chain.exponent, self.language)

    def button(self, text: str, name: str, value: str = "") -> Button:
        """A button that answers the step which shows it, and no later one."""
        return Button(text, f"{name}:{value}:{self.session.turn + 1}")

    def menu(self) -> tuple[tuple[str, ...], ...]:
        """The keyboard of a registered customer."""
        return tuple(tuple(self.say(key) for key in row) for row in MENU)

    def customer_id(self) -> int:
        """Whose account this is. Raises Refused for nobody's: the engine asks such people to register first."""
        if self.account.customer_id is None:
            raise Refused("not_registered")
        return self.account.customer_id


@dataclass(frozen=True, slots=True)
class Reply:
    """What a step answers: messages, and where the dialog stands after them.

    step: "" ends the dialog. waiting: staff are to look (True), None leaves it. notice: a passing word beside a
    pressed button. removes_buttons: the pressed message's buttons have done their work. is_aside: the dialog goes on
    where it stood, as if this had not been said. is_silent: nor does the event leave a line in the log. is_nobodys: its
    person was erased, so that neither the event nor the answer are theirs.
    """

    said: tuple[Said, ...] = ()
    step: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    waiting: bool | None = None
    notice: str = ""
    removes_buttons: bool = False
    is_aside: bool = False
    is_silent: bool = False
    is_nobodys: bool = False


Handler = Callable[[Turn], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Dialog:
    """A topic. steps: by the name a session keeps. commands: by the word after the slash, and by menu label.

    buttons: by the name in a button's data; they work at any time and so must be harmless twice. typed: steps of
    registered customers that hear what is written next, unless it is a command; others hear buttons alone.
    """

    steps: Mapping[str, Handler] = field(default_factory=dict)
    commands: Mapping[str, Handler] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    buttons: Mapping[str, Handler] = field(default_factory=dict)
    typed: frozenset[str] = frozenset()


def said(text: str, **options: Any) -> Said:
    """A message of text, with buttons, a menu and so on as `Content` names them."""
    return Said(Content(text=text, **options))


def old_button(turn: Turn) -> Reply:
    """A button that no longer means anything: said beside it, or in the chat where a word beside it cannot be shown."""
    if turn.can.can_edit:
        return Reply(notice=turn.say("button.old"), removes_buttons=True, is_silent=True)
    return Reply((said(turn.say("button.old")),), is_aside=True)


def button_value(event: Event) -> str:
    """What a button of ours carries between its name and its turn."""
    return event.data.split(":", 1)[1].rpartition(":")[0] if event.data.count(":") >= 2 else ""
