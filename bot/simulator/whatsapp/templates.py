"""Message templates: made by the business, reviewed by Meta after a moment, and filled in.

Source: developers.facebook.com/docs/whatsapp/business-management-api/message-templates
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from bot.simulator.whatsapp.faults import GraphError

REVIEW_SECONDS = 0.3
LONGEST_BODY = 1024
CATEGORIES = ("AUTHENTICATION", "MARKETING", "UTILITY")
NAME = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
BAD_SPACES = re.compile(r"[\n\t]| {5,}")
REFUSED = {"PAUSED": 132015, "DISABLED": 132016}


class Templates:
    """By name and language.

    `verdict` is what the next reviews end in: APPROVED or REJECTED; "" leaves them to whoever sits in the Manager.
    """

    def __init__(self, tell: Callable[[str, dict[str, Any]], None]) -> None:
        self._tell = tell
        self._all: dict[tuple[str, str], dict[str, Any]] = {}
        self._reviews: set[asyncio.TimerHandle] = set()
        self.verdict = "APPROVED"

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """A new template, pending until its review."""
        template = checked(body)
        key = (template["name"], template["language"])
        if key in self._all:
            details = "There is already content in this language for this template."
            raise GraphError(100, details, subcode=2388024, about="name_taken")
        self._all[key] = template
        self._review_soon(key)
        return {name: template[name] for name in ("id", "status", "category")}

    def stock(self, made: Iterable[dict[str, Any]]) -> None:
        """What a business has had reviewed before its first day here; where there are any already, nothing happens.

        Each as `create` takes it, with its `status`, and `rejected_reason` as the case may be.
        """
        if self._all:
            return
        for one in made:
            past: dict[str, Any] = {field: one[field] for field in ("status", "rejected_reason") if field in one}
            self._all[one["name"], one["language"]] = {**checked(one), **past}

    def find(self, name: str, language: str) -> dict[str, Any] | None:
        """The template of that name in that language."""
        return self._all.get((name, language))

    def listed(self, *, limit: int, after: str, name: str) -> dict[str, Any]:
        """One page of them, oldest first."""
        found = [one for one in self._all.values() if name in one["name"]]
        first = int(after) if after.isdecimal() else 0
        some = found[first : first + limit]
        paging: dict[str, Any] = {"cursors": {"before": str(first), "after": str(first + len(some))}}
        if first + len(some) < len(found):
            paging["next"] = "there is more"
        return {"data": some, "paging": paging} if some else {"data": []}

    def review(self, name: str, language: str, event: str, reason: str = "NONE") -> None:
        """Meta decides: APPROVED, REJECTED, PAUSED, DISABLED, PENDING; the app hears of it."""
        template = self._all[name, language]
        template["status"] = event
        if event == "REJECTED":
            template["rejected_reason"] = reason
        value = {
            "event": event,
            "message_template_id": int(template["id"]),
            "message_template_name": name,
            "message_template_language": language,
            "message_template_category": template["category"],
            "reason": reason,
        }
        if event == "PAUSED":
            value["other_info"] = {"title": "FIRST_PAUSE", "description": "Paused for 3 hours for its low quality."}
        self._tell("message_template_status_update", value)

    def fill(self, asked: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """(the template, the content that people see); raises GraphError when it cannot be sent so."""
        if not isinstance(asked, dict) or not isinstance(asked.get("language"), dict):
            raise GraphError(131008, "template['name'] and template['language']['code'] are required.")
        name, language = str(asked.get("name")), str(asked["language"].get("code"))
        template = self._all.get((name, language))
        if template is not None and template["status"] in REFUSED:
            raise GraphError(REFUSED[template["status"]], f"template {name} is {template['status'].lower()}")
        if template is None or template["status"] != "APPROVED":
            raise GraphError(132001, f"template name ({name}) does not exist in {language}")
        return template, filled(template, asked.get("components") or [])

    def close(self) -> None:
        """End the reviews that are under way; `load` begins them anew."""
        for timer in self._reviews:
            timer.cancel()
        self._reviews.clear()

    def dump(self) -> list[dict[str, Any]]:
        """For the store."""
        return list(self._all.values())

    def load(self, dumped: list[dict[str, Any]]) -> None:
        """From the store."""
        self._all = {(one["name"], one["language"]): one for one in dumped}

    def start(self) -> None:
        """Review what waits for it."""
        for key, template in self._all.items():
            if template["status"] == "PENDING":
                self._review_soon(key)

    def _review_soon(self, key: tuple[str, str]) -> None:
        def decide() -> None:
            self._reviews.discard(timer)
            if self.verdict and self._all[key]["status"] == "PENDING":
                self.review(*key, self.verdict, "INVALID_FORMAT" if self.verdict == "REJECTED" else "NONE")

        timer = asyncio.get_running_loop().call_later(REVIEW_SECONDS, decide)
        self._reviews.add(timer)


def checked(body: dict[str, Any]) -> dict[str, Any]:
    """A template as it is asked for, with an id; raises GraphError for what Meta does not take for review."""
    name, language, category = (str(body.get(field, "")) for field in ("name", "language", "category"))
    if not NAME.fullmatch(name):
        details = "Param name must be lowercase letters, digits and underscores, 512 at most."
        raise GraphError(100, details, about="bad_name")
    if not LANGUAGE.fullmatch(language):
        raise GraphError(100, f"Param language is not a language code: {language}", about="bad_language")
    if category.upper() not in CATEGORIES:
        raise GraphError(100, f"Param category must be one of {', '.join(CATEGORIES)}", about="bad_category")
    parts = body.get("components")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise GraphError(100, "Param components must be an array of objects.")
    main = part_of(parts, "BODY")
    if main is None or not 1 <= len(str(main.get("text", ""))) <= LONGEST_BODY:
        details = f"Component BODY must have a text of 1 to {LONGEST_BODY} characters."
        raise GraphError(100, details, about="bad_body")
    check_variables(main)
    return {
        "id": str(10**14 + secrets.randbelow(9 * 10**14)),
        "name": name,
        "language": language,
        "category": category.upper(),
        "status": "PENDING",
        "components": parts,
    }


def check_variables(main: dict[str, Any]) -> None:
    """{{1}}, {{2}} … in a row, not at the ends, each with an example."""
    text = str(main["text"]).strip()
    names = list(dict.fromkeys(VARIABLE.findall(text)))
    if not names:
        return
    if all(name.isdecimal() for name in names) and sorted(map(int, names)) != list(range(1, len(names) + 1)):
        details = "Variables must be {{1}}, {{2}} and so on, none left out."
        raise GraphError(100, details, subcode=2388073, about="variable_left_out")
    ends = [match.end() for match in VARIABLE.finditer(text)]
    if VARIABLE.match(text) or ends[-1] == len(text):
        details = "Variables can't be at the start or end of the template."
        raise GraphError(100, details, subcode=2388299, about="variable_at_the_end")
    example = main.get("example") or {}
    given = (example.get("body_text") or [[]])[0] or example.get("body_text_named_params") or []
    if len(given) != len(names):
        raise GraphError(100, "Each variable needs an example.", subcode=2388043, about="no_example")


def filled(template: dict[str, Any], components: list[Any]) -> dict[str, Any]:
    """What people see of a template with these values."""
    parts = template["components"]
    given = {str(one.get("type", "")).upper(): one for one in components if isinstance(one, dict)}
    seen: dict[str, Any] = {"template": template["name"]}
    for kind, field in (("HEADER", "header"), ("BODY", "text"), ("FOOTER", "footer")):
        part = part_of(parts, kind)
        if part is not None and part.get("text"):
            seen[field] = said(str(part["text"]), (given.get(kind) or {}).get("parameters") or [], kind)
    buttons = (part_of(parts, "BUTTONS") or {}).get("buttons") or []
    quick = [one for one in buttons if one.get("type") == "QUICK_REPLY"]
    if quick:
        payloads = {
            str(one.get("index")): (one.get("parameters") or [{}])[0].get("payload")
            for one in components
            if isinstance(one, dict) and str(one.get("type", "")).upper() == "BUTTON"
        }
        seen["buttons"] = [
            {"id": payloads.get(str(number)) or one["text"], "title": one["text"], "quick": True}
            for number, one in enumerate(quick)
        ]
    return seen


def said(text: str, parameters: list[Any], kind: str) -> str:
    """A part's text with its variables replaced."""
    names = list(dict.fromkeys(VARIABLE.findall(text)))
    if len(parameters) != len(names):
        raise GraphError(
            132000,
            f"{kind.lower()}: number of localizable_params ({len(parameters)}) does not match the expected number of "
            f"params ({len(names)})",
        )
    values = {}
    for place, parameter in enumerate(parameters):
        value = parameter.get("text") if isinstance(parameter, dict) else None
        if not isinstance(value, str) or parameter.get("type") != "text":
            raise GraphError(132012, f"{kind.lower()}: expected a parameter of type text")
        if not value or BAD_SPACES.search(value):
            raise GraphError(132018, "Param text cannot be empty or have new-line/tab characters or more than 4 spaces")
        values[parameter.get("parameter_name") or str(place + 1)] = value
    if set(names) - values.keys():
        raise GraphError(132012, f"{kind.lower()}: parameter names do not match")
    return VARIABLE.sub(lambda match: values[match[1]], text)


def part_of(parts: list[dict[str, Any]], kind: str) -> dict[str, Any] | None:
    """The part of a template of this type."""
    return next((part for part in parts if str(part.get("type", "")).upper() == kind), None)
