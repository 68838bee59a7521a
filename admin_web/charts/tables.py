"""The numbers of a chart in words, for whoever cannot see it or wants them exactly."""

from collections.abc import Sequence

from markupsafe import Markup

from admin_web.charts.frame import Series, Show
from admin_web.i18n import gettext as _


def as_table(names: Sequence[str], series: Sequence[tuple[Series, Show]], *, label: str, point: str) -> Markup:
    """A table below the chart, folded until it is asked for. `point`: what the names are names of."""
    head = Markup("").join(Markup('<th scope="col" class="r">{}</th>').format(one.name) for one, _show in series)
    rows = Markup("").join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            name,
            Markup("").join(Markup('<td class="r">{}</td>').format(show(one.values[index])) for one, show in series),
        )
        for index, name in enumerate(names)
    )
    return Markup(
        '<details class="chart-t"><summary>{}</summary>'
        '<div class="tbl-wrap" tabindex="0" role="region" aria-label="{}"><table class="tbl">'
        '<thead><tr><th scope="col">{}</th>{}</tr></thead><tbody>{}</tbody></table></div></details>'
    ).format(_("As a table"), label, point, head, rows)
