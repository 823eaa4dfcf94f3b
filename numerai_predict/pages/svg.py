"""What all charts are drawn with: SVG text, axes with round numbers, and cut names.

Colours are classes of the style sheet, so that a chart follows the light or dark page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from numerai_predict.contract.foreign_text import one_line

CHARACTER_WIDTH = 6.2  # of the 11 px font, in pixels: a little more than the average


@dataclass(frozen=True)
class Chart:
    """A chart with title and caption; without data `svg` is `None` and `missing` is shown.

    `key` names the `data` from which a script draws it with values on hover; both are left out
    where no script draws it.
    """

    title: str
    caption: str
    svg: Markup | None
    missing: str = ""
    key: str = ""
    data: Mapping[str, Any] | None = None


def element(tag: str, content: str = "", **attributes: object) -> Markup:
    """An SVG element; `content` that is not markup, and every attribute, is escaped and printable.

    A trailing `_` of a name is dropped, another one becomes a hyphen: `class_`, `text_anchor`.
    """
    texts = [
        f' {name.rstrip("_").replace("_", "-")}="{_escaped(coordinate(value))}"'
        for name, value in attributes.items()
        if value is not None
    ]
    return Markup(f"<{tag}{''.join(texts)}>{_escaped(content)}</{tag}>")  # noqa: S704 - escaped


def _escaped(value: object) -> Markup:
    if isinstance(value, Markup) or not isinstance(value, str):
        return escape(value)
    # A path of many points is long and plain: only what is not printable is foreign text.
    return escape(value if value.isascii() and value.isprintable() else one_line(value))


def drawing(width: float, height: float, title: str, parts: Iterable[Markup]) -> Markup:
    """A whole SVG image with an accessible name."""
    content = Markup("").join([element("title", title), *parts])
    view_box = f"0 0 {coordinate(width)} {coordinate(height)}"
    return element("svg", content, viewBox=view_box, role="img", aria_label=title)


def coordinate(value: object) -> object:
    """A number with at most one decimal; anything else as it is."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value


def round_steps(low: float, high: float, most: int) -> list[float]:
    """At most `most` multiples of 1, 2 or 5 times a power of ten, from `low` to `high`."""
    if not low < high:
        return [low]
    step = 10 ** math.floor(math.log10((high - low) / most))
    while _count(low, high, step) > most:
        step = _next_step(step)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _count(low: float, high: float, step: float) -> int:
    """How many multiples of `step` are from `low` to `high`."""
    return math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1


def _next_step(step: float) -> float:
    """1, 2, 5, 10, 20, ..."""
    digit = round(step / 10 ** math.floor(math.log10(step) + 1e-9))
    return step * {1: 2.0, 2: 2.5}.get(digit, 2.0)


def label_of(value: float, steps: list[float]) -> str:
    """The label of a step, with the decimals that distinguish it from its neighbours."""
    distance = steps[1] - steps[0] if len(steps) > 1 else abs(value) or 1.0
    decimals = max(0, -math.floor(math.log10(distance) + 1e-9))
    return f"{value + 0.0:,.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def square_path(x: float, y: float, width: float, height: float) -> str:
    """The path of a rectangle; a negative height is upwards."""
    return f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}z"


def cut(name: str, width: float) -> str:
    """The name, cut to a width in pixels."""
    most = max(2, int(width / CHARACTER_WIDTH))
    return name if len(name) <= most else f"{name[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def named(mark: Markup, name: str) -> Markup:
    """A mark that shows a text on hover: `mark` is an element without content."""
    return Markup(str(mark).replace("></", f">{element('title', name)}</", 1))  # noqa: S704
