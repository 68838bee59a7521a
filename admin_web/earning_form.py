"""An earning rule as a form: its parameters are written and read by their kind, so a new rule needs nothing here."""

from collections.abc import Callable
from typing import Any

from admin_web.earning_words import clock
from admin_web.forms import Form
from admin_web.programme_form import decimal_text, read_decimal, words_of
from loyalty.bonuses.earning import RULES, Field, FieldKind, clean_code
from loyalty.errors import Invalid
from loyalty.shop.rules import Effect, RuleSettings

DECIMALS = {Effect.MULTIPLY: 4, Effect.ADD: 2, Effect.FIXED: 2}
"""Of an effect, the decimals of its amount: twice = 2.0000, 5 % = 5.00, 100 bonuses = 100.00."""


def rule_values(rule: RuleSettings) -> dict[str, str]:
    """The fields of the form, filled from a rule."""
    values = {
        "kind": rule.kind,
        "name": rule.name,
        "effect": rule.effect.value,
        "amount": decimal_text(rule.amount, DECIMALS[rule.effect]),
        "is_on": "1" if rule.is_on else "",
    }
    for field in RULES[rule.kind].fields:
        values |= _WRITTEN[field.kind](field.name, rule.params[field.name])
    return values


def read_rule(form: Form, rule_id: int, kind: str) -> RuleSettings:
    """What the form says. Ask `form.ok` before using it; what the rule itself refuses is told when it is saved."""
    effect = Effect(form.choice("effect", [one.value for one in Effect]))
    return RuleSettings(
        id=rule_id,
        kind=kind,
        name=" ".join(form.text("name", required=True).split()),
        effect=effect,
        amount=read_decimal(form, "amount", DECIMALS[effect]) or 0,
        is_on=form.checked("is_on"),
        params={field.name: _READ[field.kind](form, field) for field in RULES[kind].fields},
    )


def _marked(name: str, numbers: list[int]) -> dict[str, str]:
    return {f"{name}_{number}": "1" for number in numbers}


def _read_marked(form: Form, field: Field) -> list[int]:
    """Numbers of the ticked boxes `<field>_<number>`."""
    ends = [name.removeprefix(f"{field.name}_") for name, value in form.values.items() if value]
    found = [end for end in ends if end.isascii() and end.isdigit() and len(end) < 10]
    return sorted(int(end) for end in found if form.value(f"{field.name}_{end}"))


def _read_time(form: Form, field: Field) -> int:
    hours, _colon, minutes = form.text(field.name, required=True).partition(":")
    if not form.value(field.name).strip():
        return 0
    if not (hours.isascii() and hours.isdigit() and minutes[:2].isascii() and minutes[:2].isdigit()):
        form.refuse(Invalid(field.name, "not_a_time"))
        return 0
    return int(hours) * 60 + int(minutes[:2])


def _read_day(form: Form, field: Field) -> str | None:
    day = form.day(field.name)
    return day.isoformat() if day else None


_WRITTEN: dict[FieldKind, Callable[[str, Any], dict[str, str]]] = {
    FieldKind.WEEKDAYS: _marked,
    FieldKind.LOCATIONS: _marked,
    FieldKind.TIME: lambda name, value: {name: clock(value)},
    FieldKind.DAY: lambda name, value: {name: value or ""},
    FieldKind.WORDS: lambda name, value: {name: ", ".join(value)},
    FieldKind.NUMBER: lambda name, value: {name: str(value)},
    FieldKind.CODE: lambda name, value: {name: value},
}

_READ: dict[FieldKind, Callable[[Form, Field], Any]] = {
    FieldKind.WEEKDAYS: _read_marked,
    FieldKind.LOCATIONS: _read_marked,
    FieldKind.TIME: _read_time,
    FieldKind.DAY: _read_day,
    FieldKind.WORDS: lambda form, field: words_of(form.value(field.name)),
    FieldKind.NUMBER: lambda form, field: form.number(field.name) or 0,
    FieldKind.CODE: lambda form, field: clean_code(form.value(field.name)),
}
