"""The form of an automation: what was typed as a draft, a draft as what is typed, and its list of steps rearranged."""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from admin_web.forms import Form, is_id
from loyalty.campaigns.rules.automations import AutomationDraft, Step, StepKind
from loyalty.campaigns.rules.drafts import CampaignTopic
from loyalty.campaigns.rules.texts import CAN_BE_MISSING, LEFT_OUT, Words
from loyalty.campaigns.triggers import TRIGGERS, trigger_of
from loyalty.conversations.message_types import LANGUAGES
from loyalty.errors import Invalid
from loyalty.money import parse_amount
from loyalty.wording import decimal

UNITS = {"minutes": 1, "hours": 60, "days": 1440}
MOST_DIGITS = 9


def draft_in(form: Form, exponent: int) -> AutomationDraft:
    """What the form says. exponent: of the shop's money. Raises Invalid for what cannot be read."""
    trigger = trigger_of(form.value("trigger"))
    params = {}
    for one in trigger.params:
        text = form.value(one.name).strip()
        if one.is_flag:
            params[one.name] = int(bool(text))
        elif one.is_money:
            params[one.name] = parse_amount(text, exponent, field=one.name) if text else 0
        else:
            params[one.name] = _number(text, one.name)
    steps = [_step_in(form, number) for number in range(1, count_in(form) + 1)]
    return AutomationDraft(form.value("name"), trigger.key, params, filter_in(form.value("filter"), "filter"), steps)


def count_in(form: Form) -> int:
    """How many steps the form has."""
    text = form.value("count")
    return min(int(text), 50) if is_id(text) else 0


def filter_in(text: str, field: str) -> str:
    """A filter as its line, or as the address of the client base where it is chosen. Raises Invalid(field)."""
    text = text.strip()
    if "?" not in text and "/" not in text:
        return text
    try:
        found = parse_qs(urlsplit(text).query).get("f", [""])
    except ValueError:
        found = [""]
    if not found[0]:
        raise Invalid(field, "no_filter_in_address")
    return found[0]


def fill(draft: AutomationDraft, exponent: int) -> dict[str, str]:
    """What stands in the form of a draft."""
    filled = {"name": draft.name, "trigger": draft.trigger, "filter": draft.conditions, "count": str(len(draft.steps))}
    for one in TRIGGERS[draft.trigger].params:
        value = draft.params[one.name]
        told = _decimal(value, exponent) if one.is_money else str(value)
        filled[one.name] = "" if one.is_flag and not value else told
    for number, step in enumerate(draft.steps, 1):
        filled |= {f"{number}-{name}": text for name, text in _step_out(step).items()}
    return filled


def rearranged(form: Form) -> bool:
    """Do what a button of the list asks for, "add:wait", "up:2", "remove:2"; whether there was one."""
    deed, _colon, which = form.value("do").partition(":")
    count = count_in(form)
    if deed == "add" and which in list(StepKind):
        form.values |= {f"{count + 1}-{name}": text for name, text in {"kind": which, **_usual(which)}.items()}
        form.values["count"] = str(count + 1)
    elif deed in {"up", "down", "remove"} and is_id(which) and 1 <= int(which) <= count:
        place = int(which)
        if deed == "remove":
            order = [one for one in range(1, count + 1) if one != place]
        else:
            order = list(range(1, count + 1))
            other = place + (1 if deed == "down" else -1)
            if 1 <= other <= count:
                order[place - 1], order[other - 1] = other, place
        _reorder(form, order)
    elif deed != "show":
        return False
    form.values["do"] = ""
    return True


def _usual(kind: str) -> dict[str, str]:
    """What stands in a fresh step."""
    match kind:
        case StepKind.WAIT:
            return {"much": "1", "unit": "days"}
        case StepKind.BONUS:
            return {"days": "30"}
        case StepKind.CATEGORY | StepKind.SEGMENT:
            return {"gives": "1"}
        case StepKind.MESSAGE:
            return {"topic": CampaignTopic.MARKETING.value}
    return {}


def _reorder(form: Form, order: list[int]) -> None:
    steps = []
    for place in order:
        begins = f"{place}-"
        steps.append({name[len(begins) :]: text for name, text in form.values.items() if name.startswith(begins)})
    kept = {name: text for name, text in form.values.items() if not name.partition("-")[0].isdigit()}
    for number, fields in enumerate(steps, 1):
        kept |= {f"{number}-{name}": text for name, text in fields.items()}
    form.values = kept | {"count": str(len(order))}


def _step_in(form: Form, number: int) -> Step:
    def said(name: str) -> str:
        return form.value(f"{number}-{name}").strip()

    if said("kind") not in list(StepKind):
        raise Invalid("steps", "unknown_choice")
    kind = StepKind(said("kind"))
    match kind:
        case StepKind.WAIT:
            unit = UNITS.get(said("unit"), 1)
            return Step(kind, minutes=_number(said("much"), f"{number}-minutes") * unit)
        case StepKind.CONDITION:
            return Step(kind, filter=filter_in(said("filter"), f"{number}-filter"))
        case StepKind.MESSAGE:
            topic = said("topic")
            if topic not in list(CampaignTopic):
                raise Invalid(f"{number}-topic", "unknown_choice")
            return Step(kind, words=_words_in(form, number), topic=CampaignTopic(topic))
        case StepKind.BONUS:
            amount = parse_amount(said("amount"), 2, field=f"{number}-amount") if said("amount") else 0
            return Step(kind, amount=amount, days=_number(said("days"), f"{number}-days"))
        case StepKind.TASK:
            who = said("assignee")
            return Step(
                kind,
                title=said("title"),
                days=_number(said("days"), f"{number}-days"),
                assignee_id=int(who) if is_id(who) and len(who) <= MOST_DIGITS else None,
            )
    return Step(kind, id=_number(said("id"), f"{number}-id"), gives=bool(said("gives")))


def _words_in(form: Form, number: int) -> Words:
    fallbacks: dict[str, Mapping[str, str] | None] = {}
    for name in CAN_BE_MISSING:
        told = {language: form.value(f"{number}-fallback-{name}-{language}") for language in LANGUAGES}
        fallbacks[name] = LEFT_OUT if form.checked(f"{number}-skip-{name}") else told
    return Words({language: form.value(f"{number}-text-{language}") for language in LANGUAGES}, fallbacks)


def _step_out(step: Step) -> dict[str, str]:
    filled = {"kind": step.kind.value}
    match step.kind:
        case StepKind.WAIT:
            unit = next(name for name, size in reversed(UNITS.items()) if step.minutes % size == 0)
            filled |= {"much": str(step.minutes // UNITS[unit]), "unit": unit}
        case StepKind.CONDITION:
            filled["filter"] = step.filter
        case StepKind.MESSAGE:
            filled["topic"] = step.topic.value
            filled |= {f"text-{language}": text for language, text in step.words.texts.items()}
            for name, told in step.words.fallbacks.items():
                if told is LEFT_OUT:
                    filled[f"skip-{name}"] = "1"
                else:
                    filled |= {f"fallback-{name}-{language}": text for language, text in told.items()}
        case StepKind.BONUS:
            filled |= {"amount": _decimal(step.amount, 2), "days": str(step.days)}
        case StepKind.CATEGORY | StepKind.SEGMENT:
            filled |= {"id": str(step.id), "gives": "1" if step.gives else ""}
        case StepKind.TASK:
            filled |= {"title": step.title, "days": str(step.days), "assignee": str(step.assignee_id or "")}
    return filled


def _decimal(amount: int, exponent: int) -> str:
    return decimal(amount, exponent, "en").replace(",", "") if amount else ""


def _number(text: str, field: str) -> int:
    text = text.strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise Invalid(field, "not_a_number")
    return int(text)
