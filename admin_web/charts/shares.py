"""How something is made up."""

from collections.abc import Sequence

from markupsafe import Markup

LENGTH = 1000


def share(parts: Sequence[tuple[str, str, int]], *, label: str) -> Markup:
    """One thin bar of parts, (class of colour, name, amount >= 0), with what they are in titles and in the label."""
    whole = sum(amount for _, _, amount in parts)
    shapes, place = [], 0.0
    for tint, name, amount in parts:
        if not amount:
            continue
        length = LENGTH * amount / whole
        shapes.append(
            Markup('<rect class="bar-fill {}" x="{:.1f}" y="0" width="{:.1f}" height="10"><title>{}</title></rect>')
            .format(tint, place, max(0.0, length - 3), name)
        )  # fmt: skip
        place += length
    spoken = ", ".join(name for _, name, amount in parts if amount)
    return Markup(
        '<svg class="share" viewBox="0 0 {} 10" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="share-track" width="{}" height="10"/>{}</svg>'
    ).format(LENGTH, f"{label}: {spoken}" if spoken else label, LENGTH, Markup("").join(shapes))
