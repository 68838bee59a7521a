"""The short links under messages to many: whoever opens one is counted and led on."""

from aiohttp import web

from admin_web.auth import public
from admin_web.client import client_of
from admin_web.keys import REDIS, SETTINGS, now
from admin_web.render import page
from admin_web.throttle import counts_again, forgive_link, seconds_to_wait_for_link
from loyalty.campaigns.actions.clicking import follow
from loyalty.campaigns.links import PATH, click_key, click_of, is_previewer
from loyalty.errors import NotFound

TOO_MANY = 429


@public
async def lead_on(request: web.Request) -> web.Response:
    """GET /r/{code}: to the address of the campaign's button.

    Programs that look behind links, and HEAD, are led on and not counted. Addresses that guess wait.
    """
    redis, place = request.app[REDIS], client_of(request).address
    if wait := await seconds_to_wait_for_link(redis, place):
        return web.Response(status=TOO_MANY, headers={"Retry-After": str(wait)})
    secret = request.app[SETTINGS].secret_key
    assert secret is not None
    code = request.match_info["code"]
    click = click_of(code, click_key(secret.get_secret_value()))
    if click is None:
        return page(request, "link.html", status=404)
    await forgive_link(redis, place)
    counts = request.method == "GET" and _is_person(request) and await counts_again(redis, code)
    try:
        url = await follow(click, counts=counts, now=now(request))
    except NotFound:
        return page(request, "link.html", status=404)
    return web.Response(status=302, headers={"Location": url, "Referrer-Policy": "no-referrer"})


def _is_person(request: web.Request) -> bool:
    """Not a program that shows what is behind a link, nor a browser that fetches ahead."""
    ahead = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return "prefetch" not in ahead and not is_previewer(request.headers.get("User-Agent", ""))


ROUTES = (web.get(PATH + "/{code}", lead_on),)
