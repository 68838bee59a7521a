"""Files that imports give: examples to fill in, and the lines that were left out, to be mended and sent again."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

import xlsxwriter
from aiohttp import web

from admin_web.auth import requires
from admin_web.forms import id_in
from admin_web.i18n import gettext as _
from admin_web.import_words import COLUMNS, line_reason
from admin_web.pages.imports import PATH
from loyalty.office.importing import Kind
from loyalty.office.queries.imports import file_import, refused_lines
from loyalty.staff.rules import Permission

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MARK = b"\xef\xbb\xbf"
"""Tells a table that what follows is UTF-8."""
EXAMPLES: dict[Kind, dict[str, str]] = {
    Kind.CUSTOMERS: {
        "name": "Maria Sokolova",
        "phone": "+79165550102",
        "email": "maria@example.com",
        "gender": "f",
        "birthday": "1990-05-14",
        "categories": "VIP, Office",
        "segments": "",
        "discount": "5",
        "note": "",
        "marketing": "no",
        "opening": "120",
        "opening_earned_on": "2026-01-15",
        "opening_expires_on": "2027-01-15",
    },
    Kind.APPOINTMENTS: {
        "external_id": "A-1001",
        "phone": "+79165550102",
        "name": "Maria Sokolova",
        "location": "",
        "starts_at": "2026-05-14 15:30",
        "duration": "60",
        "team_member": "Anna",
        "services": "Haircut",
        "state": "planned",
        "tips": "",
    },
}
# A sign that a table takes for the beginning of a formula; a number may begin with one.
_FORMULA = re.compile(r"[=+\-@\t\r](?![\d ]+$)")


@requires(Permission.CUSTOMERS_IMPORT)
async def example(request: web.Request) -> web.Response:
    """GET /customers/imports/example.{csv|xlsx}?kind=: a table with the names of the columns and one line."""
    said = request.query.get("kind", "")
    kind = Kind(said) if said in list(Kind) else Kind.CUSTOMERS
    names = [_(COLUMNS[kind][key]) for key in EXAMPLES[kind]]
    lines = [names, list(EXAMPLES[kind].values())]
    ending = request.match_info["ending"]
    body = _workbook(lines) if ending == "xlsx" else MARK + _text(lines)
    return web.Response(
        body=body,
        content_type=XLSX if ending == "xlsx" else "text/csv",
        headers={"Content-Disposition": f'attachment; filename="{kind.value}.{ending}"'},
    )


@requires(Permission.CUSTOMERS_IMPORT)
async def refused(request: web.Request) -> web.StreamResponse:
    """GET /customers/imports/{id}/refused.csv: what was left out, as it was sent, with the reason behind it."""
    view = await file_import(id_in(request))
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="left-out-{view.id}.csv"',
        }
    )
    response.headers["Cache-Control"] = "no-store"
    await response.prepare(request)
    names = [name or _("Column %(num)s") % {"num": index} for index, name in enumerate(view.settings.columns, 1)]
    await response.write(MARK + _text([[*names, _("Line"), _("Why")]]))
    batch: list[list[str]] = []
    async for line in refused_lines(view):
        cells = [*line.cells, *[""] * (len(names) - len(line.cells))]
        batch.append([*cells, str(line.number), line_reason(line.reason, line.details)])
        if len(batch) == 500:
            await response.write(_text(batch))
            batch = []
    await response.write(_text(batch))
    await response.write_eof()
    return response


def safe_cell(text: str) -> str:
    """A cell that no table takes for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def _text(lines: Iterable[Sequence[str]]) -> bytes:
    target = io.StringIO()
    csv.writer(target, delimiter=";", lineterminator="\r\n").writerows(
        [safe_cell(cell) for cell in line] for line in lines
    )
    return target.getvalue().encode()


def _workbook(lines: Sequence[Sequence[str]]) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
    for number, line in enumerate(lines):
        for place, cell in enumerate(line):
            sheet.write_string(number, place, cell, bold if number == 0 else None)
    sheet.autofit()
    book.close()
    return target.getvalue()


ROUTES = (
    web.get(PATH + r"/example.{ending:csv|xlsx}", example),
    web.get(PATH + r"/{id:\d{1,9}}/refused.csv", refused),
)
