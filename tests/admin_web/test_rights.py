"""Who may do what where: every route of the panel and of the API, for each role, with rights for all or for some.

One table. A line says who may (o owner, m marketer, c cashier, a analyst, s support; `-` may not), what locations do to
it, the method, and its addresses; a line that begins with spaces goes on with more of them.

    open    every one of these may; what is shown or done there ends with their locations (tests of each list say how)
    mine    of a thing with a customer, a location or a beginner: found when that is theirs, and else not there
    chain   closed to those whose rights end with locations, with words that say so
    world   anybody, without signing in

A new route fails here until it has a line, and is the chain's until it has one in `admin_web/reach.py`. Where a line is
`mine`, give its address a number on both sides in `rights_world.py`. Calls of the API have the scope that a key needs
in place of who; `named` is one whose body names a location.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

import pytest
from aiohttp import DummyCookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from admin_web.api.operations import PREFIX
from admin_web.api.routes import OPERATIONS
from admin_web.app import build_app
from admin_web.assets import ROUTES as FILES
from admin_web.keys import CLOCK
from admin_web.pages import PAGES
from admin_web.reach import check_reach
from loyalty.staff.actions import accept_invitation, add_key, invite
from loyalty.staff.queries import StaffView
from loyalty.staff.rules import COMMAND, Role, Scope
from tests.admin_web.conftest import PASSWORD, START, Clock, send_login
from tests.admin_web.rights_world import Side, World, the_world
from tests.builders import a_location

PANEL = """
# overview
omcas open  GET    /
# dashboard
om-a- open  GET    /dashboard /dashboard/parts/{part}
# customers
om-as open  GET    /customers /customers/totals
om-as mine  GET    /customers/{id}/why
# customer_filters
om-as open  GET    /customers/filters /customers/filters/count
# customer_views
om-as open  GET    /customers/columns
om-as open  POST   /customers/columns /customers/views /customers/views/restore /customers/views/{id}/remove
# customer_edit
om--s open  POST   /customers
om--s open  GET    /customers/new /customers/similar
om--s mine  GET    /customers/{id}/edit
om--s mine  POST   /customers/{id}/edit
# deleted_customers
om--- open  GET    /customers/deleted
om--- mine  GET    /customers/{id}/delete
om--- mine  POST   /customers/{id}/delete /customers/{id}/restore
# customer_actions
om--- open  GET    /customers/actions /customers/actions/new
om--- open  POST   /customers/actions
om--- mine  GET    /customers/actions/{id}
om--- mine  POST   /customers/actions/{id}/{deed} /customers/actions/{id}/undo
# campaigns
om--- open  GET    /campaigns /campaigns/new
om--- open  POST   /campaigns /campaigns/preview /campaigns/reach /campaigns/wordings
om--- mine  GET    /campaigns/{id} /campaigns/{id}/edit
om--- mine  POST   /campaigns/{id}/{deed} /campaigns/{id}/edit /campaigns/{id}/launch /campaigns/{id}/trial
                    /campaigns/{id}/again /campaigns/{id}/copy /campaigns/{id}/delete
# automations
om--- chain GET    /automations /automations/new /automations/{id} /automations/{id}/dry
om--- chain POST   /automations/ready/{name} /automations/{id}/on /automations/{id}/off /automations/{id}/archive
                    /automations/{id}/restore
# automation_edit
om--- chain GET    /automations/blank /automations/{id}/edit
om--- chain POST   /automations/blank /automations/{id}/edit
# surveys
om-as open  GET    /surveys /surveys/answers
om-a- open  POST   /surveys/answers/file
# survey_programme
om--- chain GET    /surveys/programme
om--- chain POST   /surveys/programme /surveys/programme/preview
# survey_runs
om--- chain GET    /surveys/runs /surveys/runs/new /surveys/runs/{id}
om--- chain POST   /surveys/runs /surveys/runs/{id}/cancel
# imports
om--- chain GET    /customers/imports /customers/imports/new /customers/imports/{id}
                    /customers/imports/example.{ending} /customers/imports/{id}/refused.csv
om--- chain POST   /customers/imports /customers/imports/{id}/check /customers/imports/{id}/{deed}
# exports
om-a- open  GET    /customers/exports /customers/exports/new /customers/exports/{id}
om-a- open  POST   /customers/exports /customers/exports/{id}/file /customers/exports/{id}/withdraw
# customer_merge
om--- open  GET    /customers/duplicates
om--- mine  GET    /customers/{id}/merge /customers/{id}/merge/{other}
om--- mine  POST   /customers/{id}/merge/{other} /merges/{id}/undo
# customer_erase
o---- mine  POST   /customers/{id}/data /customers/{id}/erase
o---- mine  GET    /customers/{id}/erase
# customer_card
om-as mine  GET    /customers/{id}
om--- mine  GET    /customers/{id}/bonuses/{direction}
om--- mine  POST   /customers/{id}/bonuses/{direction}
om--s mine  POST   /customers/{id}/notes /customers/{id}/notes/{note} /customers/{id}/notes/{note}/delete
                    /customers/{id}/notes/{note}/restore
# customer_answers
om--s mine  GET    /customers/{id}/answers
om--s mine  POST   /customers/{id}/answers
# customer_appointments
om--s mine  GET    /customers/{id}/appointments/new /customers/{id}/appointments/{appointment}/edit
om--s mine  POST   /customers/{id}/appointments/new /customers/{id}/appointments/{appointment}/{state}
                   /customers/{id}/appointments/{appointment}/edit
# customer_bonuses
om-as mine  GET    /customers/{id}/bonuses/entries/{entry}
# customer_labels
om--s mine  GET    /customers/{id}/categories
om--s mine  POST   /customers/{id}/categories /customers/{id}/categories/{category}/give
                    /customers/{id}/categories/{category}/take /customers/{id}/importance
                    /customers/{id}/importance/{class}
# customer_messengers
om--s mine  POST   /customers/{id}/accounts/{account}/default /customers/{id}/accounts/{account}/remove
                    /customers/{id}/accounts/{account}/unsubscribe /customers/{id}/accounts/{account}/subscribe
                    /customers/{id}/accounts/{account}/topics/{topic}/{state}
# customer_segments
om--- mine  POST   /customers/{id}/segments /customers/{id}/segments/{segment}/add
                    /customers/{id}/segments/{segment}/remove
# customer_standing
om--- mine  GET    /customers/{id}/tier /customers/{id}/discount
om--- mine  POST   /customers/{id}/tier /customers/{id}/tier/clear /customers/{id}/discount
                    /customers/{id}/discount/undo
# segments
om-as open  GET    /segments /segments/{id}
om--- chain GET    /segments/new /segments/{id}/edit
om--- chain POST   /segments/new /segments/by-conditions /segments/{id}/edit /segments/{id}/archive
                    /segments/{id}/restore
om--- mine  POST   /segments/{id}/members/{customer}/remove /segments/{id}/members/{customer}/add
# categories
om-as chain GET    /categories
om--- chain POST   /categories /categories/{id} /categories/{id}/archive /categories/{id}/restore
# label_rules
om-as chain GET    /label-rules
om--- chain GET    /label-rules/new /label-rules/{id}
om--- chain POST   /label-rules/new /label-rules/{id} /label-rules/{id}/{way} /label-rules/{id}/archive
                    /label-rules/{id}/restore
# importance
om--- chain POST   /importance /importance/{id} /importance/{id}/{way} /importance/{id}/archive
                    /importance/{id}/restore
# conversations
om--s open  GET    /conversations /conversations/list /conversations/events
om--s mine  GET    /conversations/{account}
# conversation_chat
om--s mine  GET    /conversations/{account}/chat /conversations/{account}/chat/answer
                    /conversations/{account}/media/{media} /conversations/{account}/attachments/{attachment}
                    /customers/{id}/chat /customers/{id}/chat/answer /customers/{id}/media/{media}
                    /customers/{id}/attachments/{attachment}
om--s mine  POST   /conversations/{account}/chat /conversations/{account}/chat/assign
                    /conversations/{account}/chat/answered /conversations/{account}/chat/close
                    /conversations/{account}/chat/reopen /conversations/{account}/chat/bot /customers/{id}/chat
                    /customers/{id}/chat/assign /customers/{id}/chat/answered /customers/{id}/chat/close
                    /customers/{id}/chat/reopen /customers/{id}/chat/bot
# tasks
omcas open  GET    /tasks
omcas mine  POST   /tasks/{id}/done /tasks/{id}/reopen
om--s mine  POST   /tasks/{id}/cancel
om-as mine  GET    /customers/{id}/tasks
# task_edit
om--s open  GET    /tasks/new /tasks/found
om--s open  POST   /tasks
omcas mine  GET    /tasks/{id}
om--s mine  POST   /tasks/{id}
# messages_sent
om--s open  GET    /messages
om--s mine  POST   /messages/{id}/again
# link_requests
om--s open  GET    /link-requests
om--s mine  POST   /link-requests/{id}/accept /link-requests/{id}/refuse
# cashier
o-c-- open  GET    /cashier /cashier/sale
o-c-- open  POST   /cashier/location /cashier/find /cashier/choose /cashier/register /cashier/quote /cashier/sale
o-c-- mine  GET    /cashier/receipts/{id}
o-c-- mine  POST   /cashier/receipts/{id}/undo
# cashier_ask
o-c-- open  POST   /cashier/ask /cashier/ask/cancel
o-c-- open  GET    /cashier/ask
# cashier_join
o-c-- open  GET    /cashier/join
o-c-- open  POST   /cashier/join/sum /cashier/join
o-c-- mine  GET    /cashier/join/{id}
o-c-- mine  POST   /cashier/join/{id}/withdraw
# cashier_refund
o-c-- open  GET    /cashier/refund
o-c-- open  POST   /cashier/refund
o-c-- mine  GET    /cashier/refund/{id} /cashier/refund/{id}/done/{refund}
o-c-- mine  POST   /cashier/refund/{id}
# cashier_scan
o-c-- open  POST   /cashier/scan
# cashier_segments
o-c-- mine  POST   /cashier/receipts/{id}/segments
# cashier_shift
o-c-- open  GET    /cashier/shift
# claims
om--s open  GET    /claims
om--s mine  POST   /claims/{id}/approve /claims/{id}/refuse
# credit_requests
om--- open  GET    /credit-requests
om--- mine  POST   /credit-requests/{id}/approve /credit-requests/{id}/decline
# locations
o---- chain GET    /settings/locations /settings/locations/new /settings/locations/{id}
o---- chain POST   /settings/locations/new /settings/locations/{id} /settings/locations/{id}/close
                    /settings/locations/{id}/reopen
# team
o---- chain GET    /settings/team /settings/team/{kind}/new /settings/team/{kind}/{id}
o---- chain POST   /settings/team/{kind}/new /settings/team/{kind}/{id} /settings/team/{kind}/{id}/archive
                    /settings/team/{kind}/{id}/restore
# staff
o---- chain GET    /settings/staff /settings/staff/invite /settings/staff/{id}
o---- chain POST   /settings/staff/invite /settings/staff/{id} /settings/staff/{id}/reset
                    /settings/staff/{id}/sign-out /settings/staff/{id}/disable /settings/staff/{id}/enable
# programme
o---- chain GET    /settings/programme /settings/programme/history
o---- chain POST   /settings/programme /settings/programme/versions/{id}/cancel
# programme_rules
o---- chain GET    /settings/programme/rules /settings/programme/rules/new /settings/programme/rules/{id}
o---- chain POST   /settings/programme/rules/new /settings/programme/rules/{id} /settings/programme/rules/{id}/{act}
# programme_what_if
o---- chain GET    /settings/programme/what-if
o---- chain POST   /settings/programme/what-if
# shop
o---- chain GET    /settings/shop
o---- chain POST   /settings/shop
# message_types
o---- chain GET    /settings/message-types /settings/message-types/{name}
o---- chain POST   /settings/message-types/{name} /settings/message-types/{name}/preview
                    /settings/message-types/{name}/reset /settings/message-types/{name}/channels/{channel}/{switch}
# messaging
o---- chain GET    /settings/messaging
o---- chain POST   /settings/messaging
# message_templates
o---- chain GET    /settings/templates /settings/templates/new /settings/templates/{id}
o---- chain POST   /settings/templates/new /settings/templates/{id} /settings/templates/{id}/status
                    /settings/templates/{id}/delete
# message_prices
o---- chain GET    /settings/message-prices
o---- chain POST   /settings/message-prices
# canned_replies
om--s chain GET    /settings/canned-replies /settings/canned-replies/new /settings/canned-replies/{id}
om--s chain POST   /settings/canned-replies/new /settings/canned-replies/{id} /settings/canned-replies/{id}/delete
                    /settings/canned-replies/{id}/restore
# questions
o---- chain GET    /settings/questions /settings/questions/new /settings/questions/{id}
o---- chain POST   /settings/questions/new /settings/questions/{id} /settings/questions/{id}/{move}
                    /settings/questions/{id}/ask /settings/questions/{id}/delete /settings/questions/{id}/restore
# consents
o---- chain GET    /settings/consents /settings/consents/{topic}/agreed /settings/consents/{topic}/new
o---- chain POST   /settings/consents/{topic}/new
om-as open  GET    /consents/{topic}/{version}/{language}
# greeting
o---- chain GET    /settings/greeting
o---- chain POST   /settings/greeting /settings/greeting/preview
# entry_links
om--- open  GET    /settings/entry-links /settings/entry-links/new
om--- open  POST   /settings/entry-links/new
om--- mine  GET    /settings/entry-links/{id} /settings/entry-links/{id}/edit /settings/entry-links/{id}/sheet
                    /settings/entry-links/{id}/{messenger}.{kind}
om--- mine  POST   /settings/entry-links/{id}/edit /settings/entry-links/{id}/delete
                    /settings/entry-links/{id}/restore
# api_keys
o---- chain GET    /settings/keys /settings/keys/new /settings/keys/{id}
o---- chain POST   /settings/keys/new /settings/keys/{id}/revoke
# channels
o---- chain GET    /settings/channels
o---- chain POST   /settings/channels/updates/{id}/replay /settings/channels/updates/{id}/dismiss
# webhooks
o---- chain GET    /settings/webhooks /settings/webhooks/new /settings/webhooks/{id}
                    /settings/webhooks/{id}/deliveries/{delivery}
o---- chain POST   /settings/webhooks/new /settings/webhooks/{id}/on /settings/webhooks/{id}/off
                    /settings/webhooks/{id}/secret /settings/webhooks/{id}/remove /settings/webhooks/{id}/test
                    /settings/webhooks/{id}/again /settings/webhooks/{id}/deliveries/{delivery}/again
# odd_operations
o---- chain GET    /odd-operations /odd-operations/{kind}
# books
o---- chain GET    /settings/books
# journal
o--a- open  GET    /journal
# account
omcas open  GET    /account /account/sessions
omcas open  POST   /account /account/language /account/password /account/sessions/end-others
                    /account/sessions/{id}/end
# account_chat
omcas open  GET    /account/telegram
omcas open  POST   /account/telegram /account/telegram/unlink
"""
# Nobody is asked who they are.
WORLD = """
GET    /login /join/{token} /stop/{token} /files/{token} /r/{code} /health/live /health/ready /metrics /s/{hash}/{name}
       /api/v1/openapi.json /api/docs
POST   /login /logout /join/{token} /stop/{token} /files/{token}
"""
# A customer is the whole chain's for a key: a till serves whoever comes.
API = """
any             open   GET    /api/v1/locations
customers.read  open   GET    /api/v1/customers /api/v1/customers/{id}
customers.write open   POST   /api/v1/customers
customers.write open   PATCH  /api/v1/customers/{id}
bonuses.read    open   GET    /api/v1/customers/{id}/balance /api/v1/customers/{id}/entries
receipts.read   named  POST   /api/v1/quote
receipts.write  named  POST   /api/v1/receipts /api/v1/fiscal-receipts /api/v1/holds
receipts.read   open   GET    /api/v1/receipts
receipts.read   mine   GET    /api/v1/receipts/{id} /api/v1/holds/{id}
receipts.write  mine   POST   /api/v1/receipts/{id}/refunds /api/v1/holds/{id}/confirm /api/v1/holds/{id}/void
bookings.write  named  POST   /api/v1/appointments /api/v1/team-members
bookings.write  open   POST   /api/v1/services /api/v1/service-categories
bookings.read   open   GET    /api/v1/appointments /api/v1/team-members /api/v1/services /api/v1/service-categories
bookings.read   mine   GET    /api/v1/appointments/{id}
bookings.write  mine   PATCH  /api/v1/appointments/{id} /api/v1/team-members/{id}
bookings.write  open   PATCH  /api/v1/services/{id} /api/v1/service-categories/{id}
"""

ROLES = {role.value[0]: role for role in Role}
PARTS = {"direction": "credit", "deed": "pause", "state": "came", "topic": "service", "way": "up", "move": "up",
    "kind": "members", "name": "receipt", "channel": "telegram", "switch": "on", "act": "off", "messenger": "telegram",
    "part": "sales", "language": "en", "version": "1", "ending": "csv", "token": "x" * 43, "hash": "0" * 12,
}  # fmt: skip
"""What stands in an address where no number does, unless `EXAMPLES` has another word for it."""
EXAMPLES = {
    "/settings/entry-links/{id}/{messenger}.{kind}": {"kind": "svg"},
    "/customers/{id}/accounts/{account}/topics/{topic}/{state}": {"state": "on"},
    "/consents/{topic}/{version}/{language}": {"topic": "marketing"},
    "/settings/consents/{topic}/agreed": {"topic": "marketing"},
    "/settings/consents/{topic}/new": {"topic": "marketing"},
    "/odd-operations/{kind}": {"kind": "undone"},
    "/s/{hash}/{name}": {"name": "app.css"},
}
BODIES = {"/customers/{id}/categories": {"category": "1"}}
"""What has to be sent where nothing means something else: without one that is there, a category is to be made."""
SIGNED_OUT = 303


@dataclass(frozen=True, slots=True)
class Line:
    """One route of the table. who: letters of roles, or a scope."""

    who: str
    kind: str
    method: str
    path: str

    def opens_to(self, role: Role) -> bool:
        return role.value[0] in self.who

    @property
    def section(self) -> str:
        """What its `{id}` is the number of: the words before it."""
        return self.path.partition("/{id}")[0]


def lines(text: str, columns: int) -> Iterator[tuple[str, ...]]:
    """(columns…, path) of a table."""
    said: list[str] = []
    for row in text.strip("\n").splitlines():
        if row.startswith("#"):
            continue
        words = row.split()
        if not row.startswith(" "):
            said, words = words[:columns], words[columns:]
        yield from ((*said, path) for path in words)


TABLE = [Line(*one) for one in lines(PANEL, 3)]
CALLS = [Line(*one) for one in lines(API, 3)]
OF_THE_WORLD = [Line("", "world", *one) for one in lines(WORLD, 1)]


@dataclass(slots=True)
class Passed:
    """Whether the last request came past the door of the panel."""

    yes: bool = False


FINE = {200, 201, 400, 404, 409, 422}
"""What a key gets that may: what it asked for, or what is wrong with it."""


@pytest.fixture
async def shop(database: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator["Shop"]:
    """The panel, everybody who works there, and their customers."""
    passed = Passed()

    async def noting(request: web.Request, person: StaffView) -> None:
        await check_reach(request, person)
        passed.yes = True

    monkeypatch.setattr("admin_web.auth.check_reach", noting)
    here, there = await a_location(), await a_location(name="Pokrovka, 27")
    app = await build_app(settings.model_copy(update={"api_rate": 10_000, "telegram_bot_token": SecretStr("42:token")}))
    app[CLOCK] = Clock().now
    headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
    async with TestClient(TestServer(app), headers=headers, cookie_jar=DummyCookieJar()) as client:
        people = [await hired(role, here) for role in Role]
        limited = [await hired(role, here, [here]) for role in Role if role is not Role.OWNER]
        world = await the_world([*people, *limited], here, there)
        yield Shop(client, passed, people, limited, world)


async def hired(role: Role, place: int, only: list[int] | None = None) -> StaffView:
    """Somebody of the panel, who stands at a till here."""
    email = f"{role.value}-{'some' if only else 'all'}@example.com"
    token = await invite(email, role.value, role, place, location_ids=only, actor=COMMAND, now=START)
    return await accept_invitation(token, PASSWORD, now=START)


@dataclass(slots=True)
class Shop:
    """Asks for an address as somebody."""

    client: Any
    passed: Passed
    people: list[StaffView]
    limited: list[StaffView]
    world: World
    cookies: dict[int, dict[str, str]] = field(default_factory=dict)

    def address(self, line: Line, person: StaffView | None, *, inside: bool = True) -> str:
        """The route's address of something at the location that limited people have, or of another one."""
        side = self.world.here if inside else self.world.there
        words = PARTS | {"segment": str(self.world.segment_id), "category": str(self.world.category_id), "class": "1"}
        words |= {name: str(number) for name, number in side.ids.items() if not name.startswith("/")}
        words |= EXAMPLES.get(line.path, {})
        if line.path.startswith("/customers/{id}/accounts/"):
            words["account"] = words["spare"]
        words["id"] = str(side.number(line.section, person)) if line.section in side.ids else "1"
        if person is not None and (person.id, "refund") in side.own:
            words["refund"] = str(side.own[person.id, "refund"])
        return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], "1"), line.path)

    async def ask(self, line: Line, person: StaffView | None, *, inside: bool = True) -> tuple[int, bool, str]:
        """(status, whether it came past the door, the words) of an empty request."""
        cookies = await self._signed_in(person) if person is not None else {}
        self.passed.yes = False
        data = BODIES.get(line.path, {}) if line.method == "POST" else None
        answer = await self.client.request(
            line.method, self.address(line, person, inside=inside), data=data, cookies=cookies, allow_redirects=False
        )
        return answer.status, self.passed.yes, await answer.text(errors="replace")

    async def call(self, line: Line, key: str | None, *, inside: bool) -> int:
        """The status of a call as its document shows it, of a customer and a location of that side."""
        side = self.world.here if inside else self.world.there
        [operation] = [one for one in OPERATIONS if (one.method, f"{PREFIX}{one.path}") == (line.method, line.path)]
        body = dict(operation.example) if isinstance(operation.example, dict) else {}
        body |= {name: value for name, value in self.meant(side).items() if name in body}
        path = self.address(line, None, inside=inside)
        if isinstance(operation.example, str):
            path += f"?{operation.example}"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        json = body if operation.body is not None else None
        answer = await self.client.request(line.method, path, json=json, headers=headers)
        return int(answer.status)

    @staticmethod
    def meant(side: Side) -> dict[str, Any]:
        """What a body names."""
        return {"location_id": side.location_id, "customer_id": side.ids["/customers"], "code": None}

    async def _signed_in(self, person: StaffView) -> dict[str, str]:
        if person.id not in self.cookies:
            answer = await send_login(self.client, person.email)
            said = SimpleCookie(answer.headers["Set-Cookie"])
            self.cookies[person.id] = {name: one.value for name, one in said.items()}
        return self.cookies[person.id]


def test_every_route_has_a_line_and_every_line_a_route():
    app = web.Application()
    app.add_routes(FILES)
    for module in PAGES:
        app.add_routes(module.ROUTES)
    known = {(one.method, one.resource.canonical) for one in app.router.routes() if one.resource is not None}
    known = {(method, path) for method, path in known if method != "HEAD"}
    listed = [(line.method, line.path) for line in (*TABLE, *OF_THE_WORLD, *CALLS)]
    assert {
        "routes without a line": known - set(listed),
        "lines without a route": set(listed) - known,
        "lines twice": {one for one in listed if listed.count(one) > 1},
    } == {"routes without a line": set(), "lines without a route": set(), "lines twice": set()}


async def test_each_role_opens_what_it_may_as_far_as_its_locations_reach(shop):
    wrong: list[str] = []
    # What is looked at comes first: what is done may take it away.
    for line in sorted(TABLE, key=lambda line: line.method != "GET"):
        status, _, _ = await shop.ask(line, None)
        if status != SIGNED_OUT:
            wrong.append(f"{line.method} {line.path}: nobody has signed in: {status}")
        # Those who may not come first, for the same reason.
        for person in sorted((*shop.limited, *shop.people), key=lambda one: line.opens_to(one.role)):
            wrong += await seen_by(shop, line, person)
    assert not wrong, "\n".join(wrong)


async def seen_by(shop: Shop, line: Line, person: StaffView) -> list[str]:
    """What is wrong with what somebody gets."""
    is_limited = person.location_ids is not None
    sides = (False, True) if line.kind == "mine" and is_limited and line.opens_to(person.role) else (True,)
    wrong = []
    for inside in sides:
        status, passed, words = await shop.ask(line, person, inside=inside)
        if not line.opens_to(person.role):
            is_right = status == 403 and not passed
        elif is_limited and line.kind == "chain":
            is_right = status == 403 and not passed and "your rights are for some locations" in words
        elif not inside:
            is_right = status == 404 and not passed
        else:
            is_right = passed and status < 500 and status not in {401, 403, 405}
            # What is theirs is there.
            is_right = is_right and (status != 404 or line.method != "GET" or line.kind == "chain")
        if not is_right:
            where = "" if inside else ", elsewhere"
            wrong.append(f"{line.method} {line.path}: {person.email}{where}: {status}, past the door: {passed}")
    return wrong


async def test_a_key_opens_what_its_scope_says_as_far_as_its_locations_reach(shop):
    here = shop.world.here.location_id
    keys = {
        (scope, some): await add_key("Till", [scope], [here] if some else None, actor=COMMAND, now=START)
        for scope in Scope
        for some in (False, True)
    }
    wrong = []
    for line in CALLS:
        others = next(scope for scope in Scope if scope != line.who)
        own = Scope(line.who) if line.who != "any" else others
        tries = [("nobody", None, True, {401}), ("another scope", keys[others, False], True, {403})]
        tries = tries[: 1 if line.who == "any" else 2]
        tries += [("all", keys[own, False], True, FINE), ("all, elsewhere", keys[own, False], False, FINE)]
        tries.append(("some", keys[own, True], True, FINE - {404} if line.kind == "mine" else FINE))
        elsewhere = {"open": FINE, "mine": {404}, "named": {403}}[line.kind]
        tries.append(("some, elsewhere", keys[own, True], False, elsewhere))
        for who, key, inside, expected in tries:
            status = await shop.call(line, key, inside=inside)
            if status not in expected:
                wrong.append(f"{line.method} {line.path}: {who}: {status}")
    assert not wrong, "\n".join(wrong)
