"""What newcomers are asked to agree to: the words in force, a new version, and all that were there."""

from typing import Any

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, form_of, read_form
from admin_web.i18n import LANGUAGE_NAMES, mark
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.render import go_to, page
from loyalty.customers.actions.consent_texts import publish_consent
from loyalty.customers.consenting import LENGTHS
from loyalty.customers.queries.consent_texts import agreed_by_version, versions_of, words_of
from loyalty.customers.rules import Topic
from loyalty.errors import LoyaltyError, NotFound
from loyalty.staff.rules import Permission

PATH = "/settings/consents"
TOPICS = {
    Topic.TERMS: mark("Terms of the programme"),
    Topic.MARKETING: mark("Question about offers"),
}


@requires(Permission.SHOP_MANAGE)
async def show_all(request: web.Request) -> web.Response:
    """GET /settings/consents: both texts with their versions."""
    parts = [
        {"topic": topic.value, "name": _(name), "versions": await versions_of(topic)} for topic, name in TOPICS.items()
    ]
    return page(request, "consents/list.html", topics=parts)


@requires(Permission.SHOP_MANAGE)
async def show_agreed(request: web.Request) -> web.Response:
    """GET /settings/consents/{topic}/agreed: how many agreed to which version; counted after the page, over all."""
    topic = _topic(request)
    people = await agreed_by_version(topic)
    return page(request, "consents/_agreed.html", people=sorted(people.items(), reverse=True))


@requires(Permission.SHOP_MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """GET /settings/consents/{topic}/new: the words in force, to be changed."""
    newest = (await versions_of(_topic(request)))[0]
    return await _edit(request, form_of({f"text_{code}": newest.texts.get(code) for code in LANGUAGE_NAMES}))


@requires(Permission.SHOP_MANAGE)
async def publish(request: web.Request) -> web.Response:
    """POST /settings/consents/{topic}/new: ask in these words from now on."""
    form, topic = await read_form(request), _topic(request)
    texts = {code: form.value(f"text_{code}") for code in _codes(request)}
    try:
        version = await publish_consent(topic, texts, actor=actor_of(request), now=now(request))
    except LoyaltyError as error:
        form.refuse(error)
        return await _edit(request, form, block="form", status=422)
    return await go_to(request, PATH, say=_("Version %(number)s is asked from now on.") % {"number": version})


@requires(Permission.CUSTOMERS_READ)
async def show_text(request: web.Request) -> web.Response:
    """GET /consents/{topic}/{version}/{language}: one text as it was shown; a dialog for htmx."""
    topic, named = _topic(request), request.match_info
    words = await words_of(topic, f"{named['version']} {named['language']}")
    shop = request[SHOP]
    return page(
        request,
        "consents/text.html",
        block="dialog",
        name=_(TOPICS[topic]),
        words=words,
        text=words.shown(shop.name or "Regulars"),
        version=next((one for one in await versions_of(topic) if one.version == words.version), None),
    )


async def _edit(request: web.Request, form: Form, *, block: str | None = None, status: int = 200) -> web.Response:
    topic = _topic(request)
    versions = await versions_of(topic)
    data: dict[str, Any] = {
        "form": form,
        "topic": topic.value,
        "name": _(TOPICS[topic]),
        "following": versions[0].version + 1,
        "codes": _codes(request),
        "length": LENGTHS[topic],
        "rows": 12 if topic is Topic.TERMS else 4,
    }
    return page(request, "consents/edit.html", block=block, status=status, **data)


def _codes(request: web.Request) -> list[str]:
    """The languages, the shop's own first."""
    own = request[SHOP].language
    return sorted(LANGUAGE_NAMES, key=lambda code: code != own)


def _topic(request: web.Request) -> Topic:
    try:
        topic = Topic(request.match_info["topic"])
    except ValueError:
        raise NotFound("consent_text") from None
    if topic not in TOPICS:
        raise NotFound("consent_text")
    return topic


ROUTES = (
    web.get(PATH, show_all),
    web.get(PATH + "/{topic}/agreed", show_agreed),
    web.get(PATH + "/{topic}/new", show_new),
    web.post(PATH + "/{topic}/new", publish),
    web.get(r"/consents/{topic}/{version:\d{1,4}}/{language:[a-z]{2}}", show_text),
)
