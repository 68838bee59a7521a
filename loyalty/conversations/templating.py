"""Templates that WhatsApp approves before they may be sent: what they are, what they may have. Pure.

Source: developers.facebook.com/docs/whatsapp/business-management-api/message-templates
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from loyalty.conversations.answering import VALUE_LENGTH
from loyalty.conversations.kinds import KINDS
from loyalty.conversations.message_types import usable_variables
from loyalty.errors import Invalid

NAME_LENGTH = 120
BODY_LENGTH = 1024
VARIABLES_AT_MOST = 10
LANGUAGES = ("ru", "uk", "en", "en_US", "en_GB")

_NAME = re.compile(r"[a-z0-9_]+")
_VARIABLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
_PLACE = re.compile(r"\{\{(\d{1,2})\}\}")


class TemplateStatus(StrEnum):
    """Where a template stands with WhatsApp. Only an approved one is sent."""

    DRAFT = "draft"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAUSED = "paused"
    DISABLED = "disabled"


class Category(StrEnum):
    """What WhatsApp charges a template as, and measures it by."""

    UTILITY = "utility"
    MARKETING = "marketing"
    AUTHENTICATION = "authentication"


OPEN = frozenset({TemplateStatus.DRAFT, TemplateStatus.REJECTED})
"""WhatsApp has nothing of these: their words may still change."""
BY_HAND = {
    TemplateStatus.DRAFT: (TemplateStatus.PENDING, TemplateStatus.APPROVED),
    TemplateStatus.PENDING: (TemplateStatus.APPROVED, TemplateStatus.REJECTED),
    TemplateStatus.APPROVED: (TemplateStatus.PAUSED,),
    TemplateStatus.REJECTED: (TemplateStatus.PENDING, TemplateStatus.APPROVED),
    TemplateStatus.PAUSED: (TemplateStatus.APPROVED,),
    TemplateStatus.DISABLED: (),
}
"""What people may note of a template that they read in WhatsApp Manager, where no report of it comes."""


@dataclass(frozen=True, slots=True)
class Variable:
    """What stands at {{1}}, {{2}} … in turn, and instead of it where it is not known."""

    name: str
    fallback: str


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    """A template as it is to be. kind: the type of message it stands in for; None: staff alone send it."""

    name: str
    language: str
    category: str
    body: str
    variables: tuple[Variable, ...] = ()
    kind: str | None = None


def places_in(body: str) -> int:
    """How many variables a body has: the highest number in it."""
    return max((int(number) for number in _PLACE.findall(body)), default=0)


def check_template(draft: TemplateDraft) -> None:
    """Raise Invalid for what WhatsApp would not take, or what we could not fill in.

    Fields: name, language, category, body, kind, and variable-1, fallback-1 … for the variables.
    """
    if not draft.name:
        raise Invalid("name", "required")
    if len(draft.name) > NAME_LENGTH:
        raise Invalid("name", "too_long", limit=NAME_LENGTH)
    if not _NAME.fullmatch(draft.name):
        raise Invalid("name", "not_a_template_name")
    if draft.language not in LANGUAGES:
        raise Invalid("language", "unknown_choice")
    if draft.category not in list(Category):
        raise Invalid("category", "unknown_choice")
    if draft.kind is not None and draft.kind not in KINDS:
        raise Invalid("kind", "unknown_choice")
    _check_body(draft.body)
    check_variables(draft.variables, draft.body, draft.kind)


def _check_body(body: str) -> None:
    if not body:
        raise Invalid("body", "required")
    if len(body) > BODY_LENGTH:
        raise Invalid("body", "too_long", limit=BODY_LENGTH)
    rest = _PLACE.sub("", body)
    if "{" in rest or "}" in rest:
        raise Invalid("body", "odd_template_braces", example="{{1}}, {{2}}")
    numbers = {int(number) for number in _PLACE.findall(body)}
    if numbers != set(range(1, len(numbers) + 1)):
        raise Invalid("body", "variables_not_in_a_row", example="{{1}}, {{2}}")
    if len(numbers) > VARIABLES_AT_MOST:
        raise Invalid("body", "too_many", limit=VARIABLES_AT_MOST)
    if numbers and (re.match(r"\{\{\d+\}\}", body) or re.search(r"\{\{\d+\}\}$", body)):
        raise Invalid("body", "variable_at_the_end")


def check_variables(variables: Sequence[Variable], body: str, kind: str | None) -> None:
    """Raise Invalid("variable-1" | "fallback-1" …) unless each place has a name that we know and a fallback."""
    known = usable_variables(KINDS[kind]) if kind is not None else None
    for number in range(1, places_in(body) + 1):
        one = variables[number - 1] if number <= len(variables) else Variable("", "")
        if not one.name:
            raise Invalid(f"variable-{number}", "required")
        if known is not None and one.name not in known:
            raise Invalid(f"variable-{number}", "unknown_variable", name=one.name)
        if not _VARIABLE_NAME.fullmatch(one.name):
            raise Invalid(f"variable-{number}", "not_a_variable_name")
        if not one.fallback:
            raise Invalid(f"fallback-{number}", "required")
        if len(one.fallback) > VALUE_LENGTH:
            raise Invalid(f"fallback-{number}", "too_long", limit=VALUE_LENGTH)
