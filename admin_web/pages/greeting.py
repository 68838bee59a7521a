"""The shop's own first and last words of the registration, by language."""

from aiohttp import web

from admin_web.auth import actor_of, requires
from admin_web.forms import Form, form_of, read_form
from admin_web.i18n import LANGUAGE_NAMES, mark
from admin_web.i18n import gettext as _
from admin_web.keys import SHOP, now
from admin_web.render import go_to, page
from loyalty.conversations.actions.greetings import save_words
from loyalty.conversations.greetings import LENGTHS, WORDS
from loyalty.conversations.queries.greetings import all_words
from loyalty.errors import LoyaltyError
from loyalty.staff.rules import Permission

PATH = "/settings/greeting"
NAMES = {
    "greeting": (
        mark("First words"),
        mark("Above the question for the language. {shop} becomes the name of the shop."),
    ),
    "welcome": (
        mark("Words to a new customer"),
        mark("When they are registered. {first_name} becomes their first name."),
    ),
}
SAMPLES = {"en": "Maria", "ru": "Мария", "uk": "Марія"}
"""Whom the preview greets."""


@requires(Permission.SHOP_MANAGE)
async def show(request: web.Request) -> web.Response:
    """GET /settings/greeting."""
    own = await all_words()
    values = {f"{name}_{code}": own[name].get(code) for name in WORDS for code in LANGUAGE_NAMES}
    return _edit(request, form_of(values))


@requires(Permission.SHOP_MANAGE)
async def save(request: web.Request) -> web.Response:
    """POST /settings/greeting: blank words are the house's."""
    form = await read_form(request)
    texts = {name: {code: form.value(f"{name}_{code}") for code in LANGUAGE_NAMES} for name in WORDS}
    try:
        await save_words(texts, actor=actor_of(request), now=now(request))
    except LoyaltyError as error:
        form.refuse(error)
        return _edit(request, form, block="form", status=422)
    return await go_to(request, PATH, say=_("Saved"))


@requires(Permission.SHOP_MANAGE)
async def preview(request: web.Request) -> web.Response:
    """POST /settings/greeting/preview: how what stands in the form would read; nothing is saved."""
    return _edit(request, await read_form(request), block="preview")


def _edit(request: web.Request, form: Form, *, block: str | None = None, status: int = 200) -> web.Response:
    own = request[SHOP].language
    codes = sorted(LANGUAGE_NAMES, key=lambda code: code != own)
    return page(
        request,
        "greeting/edit.html",
        block=block,
        status=status,
        form=form,
        codes=codes,
        parts_of=[(name, _(title), _(hint)) for name, (title, hint) in NAMES.items()],
        lengths=LENGTHS,
        house={f"{name}_{code}": words.texts[code] for name, words in WORDS.items() for code in codes},
        shown=[(code, _shown(request, form, code)) for code in codes],
    )


def _shown(request: web.Request, form: Form, code: str) -> list[str]:
    """Both texts as somebody who speaks this language reads them."""
    values = {"shop": request[SHOP].name or "Regulars", "first_name": SAMPLES[code]}
    return [words.text(code, values, form.value(f"{name}_{code}").strip()) for name, words in WORDS.items()]


ROUTES = (web.get(PATH, show), web.post(PATH, save), web.post(f"{PATH}/preview", preview))
