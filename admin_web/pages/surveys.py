"""How likely people are to recommend the shop: the score and what it is made of, and the answers one by one."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from admin_web.auth import actor_of, requires, staff_of
from admin_web.charts import Series, as_table, share
from admin_web.chats import CHANNELS
from admin_web.dashboard_words import change_of_score
from admin_web.formats import format_date, num, percent
from admin_web.forms import is_id
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.keys import SHOP, now
from admin_web.middleware import dress
from admin_web.navigation import NavItem
from admin_web.nps_charts import distribution, score_text, trend
from admin_web.reach import cards_open_to, is_open_to
from admin_web.render import page
from admin_web.survey_scope import Asked, asked_of
from admin_web.survey_words import GROUPS, asked_when, group_words
from loyalty.db import OUTAGES
from loyalty.office.exporting import harmless
from loyalty.staff.rules import Permission, may
from loyalty.surveys.actions.exporting import note_export
from loyalty.surveys.queries.answers import AnswerView, Place, all_answers, answers
from loyalty.surveys.queries.programme import survey_programme
from loyalty.surveys.queries.results import Line, Results, results
from loyalty.surveys.rules import Group
from loyalty.wording import phone_masked

PATH = "/surveys"
NAV = NavItem("surveys", PATH, "star", mark("NPS"), "marketing", Permission.SURVEYS_READ)
RECENT = 6
SAYS_LITTLE = 10
"""Below so many answers a line of a table says so."""


@requires(Permission.SURVEYS_READ)
async def show(request: web.Request) -> web.Response:
    """GET /surveys?period=&location=&segment=: the score of a period, and what it is made of."""
    asked = await asked_of(request)
    found = await results(asked.scope, now=now(request))
    recent, _more = await answers(asked.scope, with_comment=True, rows=RECENT, now=now(request))
    return page(
        request,
        "surveys/show.html",
        block="figures" if request.headers.get("HX-Target") == "figures" else None,
        asked=asked,
        bar=asked.to_template(),
        here=PATH,
        programme=asked_when((await survey_programme()).draft),
        found=found,
        now_card=_now_card(found),
        over_time=_over_time(asked, found),
        distribution=distribution(found.scores, label=_spoken_scores(found.scores)),
        tables=_tables(found),
        recent=recent,
        open_cards=await _open_cards(request, recent),
        groups=group_words(),
        all_url=asked.url(f"{PATH}/answers"),
        export=_export(request, asked),
        opens_settings=_opens(request),
    )


@requires(Permission.SURVEYS_READ)
async def show_answers(request: web.Request) -> web.Response:
    """GET /surveys/answers?group=&comment=&after=: the answers of a period one by one, the newest first."""
    asked, group, with_comment = await asked_of(request), _group(request), "comment" in request.query
    found, following = await answers(
        asked.scope,
        group=group,
        with_comment=with_comment,
        after=_place(request.query.get("after", "")),
        now=now(request),
    )
    told = {"group": group.value if group else None, "comment": "1" if with_comment else None}
    here = f"{PATH}/answers"
    return page(
        request,
        "surveys/answers.html",
        block="results" if request.headers.get("HX-Target") == "results" else None,
        asked=asked,
        bar=asked.to_template(),
        here=here,
        answers=found,
        open_cards=await _open_cards(request, found),
        groups=group_words(),
        channels={key: _(name) for key, name in CHANNELS.items()},
        group=group.value if group else "",
        with_comment=with_comment,
        tabs=[
            (key, text, asked.url(here, group=key or None, comment=told["comment"]))
            for key, text in (("", _("All")), *((one.value, _(GROUPS[one][0])) for one in Group))
        ],
        comment_url=asked.url(here, group=told["group"], comment=None if with_comment else "1"),
        beginning=asked.url(here, **told) if request.query.get("after") else None,
        following=asked.url(here, **told, after=_place_text(following)) if following else None,
        export=_export(request, asked, **told),
        back=asked.url(PATH),
    )


@requires(Permission.CUSTOMERS_EXPORT)
async def export(request: web.Request) -> web.StreamResponse:
    """POST /surveys/answers/file?…: the same answers as a table; who takes it is written down."""
    person = staff_of(request)
    if not may(person.role, Permission.SURVEYS_READ):
        raise web.HTTPForbidden
    asked, group, with_comment = await asked_of(request), _group(request), "comment" in request.query
    shows = may(person.role, Permission.PHONES_READ)
    await note_export(asked.first, asked.last, shows_phones=shows, actor=actor_of(request), now=now(request))
    name = f"nps-{asked.first.isoformat()}-{asked.last.isoformat()}.csv"
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}"',
        }
    )
    dress(request, response)
    await response.prepare(request)
    try:
        # A spreadsheet takes it for UTF-8 by its first sign.
        await response.write("\ufeff".encode() + _rows([_headers()]))
        async for part in all_answers(asked.scope, group=group, with_comment=with_comment, now=now(request)):
            await response.write(_rows([_cells(request, one) for one in part]))
        await response.write_eof()
    except OUTAGES:
        # Whoever took it has left, or the base has: nobody takes a half for the whole.
        if request.transport is not None:
            request.transport.abort()
    return response


# ------------------------------------------------------------------------------------------- what is shown


def _now_card(found: Results) -> dict[str, Any]:
    tally = found.tally
    groups = [(group, *GROUPS[group][:2], tally.share_bp(group)) for group in Group]
    return {
        "score": score_text(tally.nps),
        "tally": tally,
        "interval": [num(round(end)) for end in tally.interval] if tally.interval else None,
        "change": change_of_score(tally.nps, found.before.nps),
        "before": found.before.total,
        "groups": [(tint, _(name), percent(_whole(part))) for _group, name, tint, part in groups],
        "share": share(
            [(tint, f"{_(name)}: {percent(_whole(part))}", part) for _group, name, tint, part in groups],
            label=_("Promoters, passives, detractors"),
        ),
        "answered_bp": _whole(round(found.answered * 10_000 / found.asked)) if found.asked else None,
    }


def _over_time(asked: Asked, found: Results) -> dict[str, Any] | None:
    """The chart and its table; None where one month says nothing about time."""
    months = found.months
    if len(months) < 2 or not found.tally.total:
        return None
    years = asked.first.year != asked.last.year and len(months) > 12
    names = [format_date(month.first_day, "LLL yy" if years else "LLL") for month in months]
    label = _("NPS by month, and the share of questions that were answered")
    scores = Series("c1", _("NPS"), list(range(len(months))))
    shares = Series("c4", _("Answered"), list(range(len(months))))
    counts = Series("c5", _("Answers"), [month.tally.total for month in months])
    table = as_table(
        names,
        [
            (scores, lambda index: score_text(months[index].tally.nps)),
            (shares, lambda index: percent(months[index].share_bp)),
            (counts, num),
        ],
        label=label,
        point=_("Month"),
    )
    return {"chart": trend(names, months, label=label), "table": table}


def _tables(found: Results) -> list[dict[str, Any]]:
    """By location, by cashier and by who served; one that would have a single line is left out."""
    named = (
        (_("By location"), _("Location"), _("Without a location"), found.locations),
        (_("By cashier"), _("Cashier"), _("Nobody known"), found.cashiers),
        (_("By who served"), _("Team member"), _("Nobody known"), found.team_members),
    )
    return [
        {"title": title, "what": what, "lines": [_line(line, nobody) for line in lines]}
        for title, what, nobody, lines in named
        if any(line.id is not None for line in lines)
    ]


def _line(line: Line, nobody: str) -> dict[str, Any]:
    tally = line.tally
    return {
        "name": line.name or nobody,
        "is_nobody": line.id is None,
        "score": score_text(tally.nps),
        "interval": [num(round(end)) for end in tally.interval] if tally.interval and tally.is_small else None,
        "is_few": tally.total < SAYS_LITTLE,
        "change": change_of_score(tally.nps, line.before.nps)
        if min(tally.total, line.before.total) >= SAYS_LITTLE
        else None,
        "answers": tally.total,
        "share": share(
            [
                (
                    GROUPS[group][1],
                    f"{_(GROUPS[group][0])}: {percent(_whole(tally.share_bp(group)))}",
                    tally.share_bp(group),
                )
                for group in Group
            ],
            label=line.name or nobody,
        ),
    }


def _spoken_scores(scores: dict[int, int]) -> str:
    spoken = ", ".join(f"{num(score)}: {num(count)}" for score, count in scores.items())
    return f"{_('How many gave each score')}. {spoken}"


def _whole(basis_points: int) -> int:
    """Whole percents: tenths of them say nothing here."""
    return round(basis_points / 100) * 100


async def _open_cards(request: web.Request, found: Sequence[AnswerView]) -> set[int]:
    """Whose cards the reader may open."""
    person = staff_of(request)
    if not may(person.role, Permission.CUSTOMERS_READ):
        return set()
    return await cards_open_to(person, {one.customer_id for one in found})


def _opens(request: web.Request) -> bool:
    """Whether the reader may set the programme up and ask on demand, which are the whole chain's."""
    person = staff_of(request)
    return may(person.role, Permission.SURVEYS_MANAGE) and is_open_to(f"{PATH}/programme", person)


# ------------------------------------------------------------------------------------------- what is asked for


def _group(request: web.Request) -> Group | None:
    text = request.query.get("group", "")
    return Group(text) if text in set(Group) else None


def _place(text: str) -> Place | None:
    moment, _tilde, number = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return Place(at, int(number)) if is_id(number) and at.tzinfo is not None else None


def _place_text(place: Place) -> str:
    return f"{place.at.isoformat()}~{place.id}"


# ------------------------------------------------------------------------------------------- the file


def _export(request: web.Request, asked: Asked, **told: str | None) -> str:
    """Where these answers are taken out; empty for those who may not."""
    if not may(staff_of(request).role, Permission.CUSTOMERS_EXPORT):
        return ""
    return asked.url(f"{PATH}/answers/file", **told)


def _headers() -> list[str]:
    return [
        _("When"),
        _("Score"),
        _("Group"),
        _("Comment"),
        _("Customer"),
        _("Phone"),
        _("Card"),
        _("Location"),
        _("Cashier"),
        _("Team member"),
        _("Channel"),
    ]


def _cells(request: web.Request, one: AnswerView) -> list[str | int]:
    shows = may(staff_of(request).role, Permission.PHONES_READ)
    at = one.answered_at.astimezone(ZoneInfo(request[SHOP].time_zone)).strftime("%Y-%m-%d %H:%M")
    phone = (one.phone if shows else phone_masked(one.phone)) if one.phone else ""
    return [
        at,
        one.score,
        _(GROUPS[one.group][0]),
        harmless(one.comment or ""),
        harmless(one.name),
        harmless(phone, is_phone=True),
        one.card_number,
        harmless(one.location or ""),
        harmless(one.cashier or ""),
        harmless(one.team_member or ""),
        _(CHANNELS.get(one.channel, one.channel)),
    ]


def _rows(rows: Sequence[Sequence[str | int]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()


ROUTES = (
    web.get(PATH, show),
    web.get(f"{PATH}/answers", show_answers),
    web.post(f"{PATH}/answers/file", export),
)
