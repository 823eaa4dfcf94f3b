"""Horizontal bars with names, and heat maps of named rows over eras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from numerai_predict.pages.formats import format_number
from numerai_predict.pages.svg import (
    CHARACTER_WIDTH,
    cut,
    drawing,
    element,
    label_of,
    named,
    round_steps,
)

_WIDTH, _LABEL_WIDTH, _RIGHT = 420, 150, 14
_ROW, _AXIS = 18, 20
_MAX_STEPS = 5
_MAX_COLUMNS = 60
_SHADES = 4


@dataclass(frozen=True)
class Bar:
    """A named value; `spread` is what lies on both sides of it, `mark` a second value."""

    name: str
    value: float
    spread: float | None = None
    mark: float | None = None

    @property
    def label(self) -> str:
        """Name and values, for display on hover."""
        spread = "" if self.spread is None else f" \N{PLUS-MINUS SIGN} {format_number(self.spread)}"
        mark = "" if self.mark is None else f", largest {format_number(self.mark)}"
        return f"{self.name}: {format_number(self.value)}{spread}{mark}"


def bar_svg(bars: Sequence[Bar], title: str) -> Markup:
    """One bar for each of at least one value."""
    values = [
        0.0,
        *(bar.value for bar in bars),
        *(bar.mark for bar in bars if bar.mark is not None),
    ]
    values += [bar.value + (bar.spread or 0.0) for bar in bars]
    values += [bar.value - (bar.spread or 0.0) for bar in bars]
    low, high = min(values), max(values)
    high = high if high > low else low + 1.0
    scale = (_WIDTH - _LABEL_WIDTH - _RIGHT) / (high - low)
    bottom = len(bars) * _ROW + 2
    parts = list(_value_axis(low, high, scale, bottom))
    for number, bar in enumerate(bars):
        parts += _bar(bar, number * _ROW + 3.0, low, scale)
    return drawing(_WIDTH, bottom + _AXIS, title, parts)


def _bar(bar: Bar, top: float, low: float, scale: float) -> Iterator[Markup]:
    def x(value: float) -> float:
        return _LABEL_WIDTH + (value - low) * scale

    name = element("text", cut(bar.name, _LABEL_WIDTH - 10), class_="ink", x=0, y=top + 11)
    yield named(element("g", class_="row"), bar.label) + name
    left, width = x(min(0.0, bar.value)), abs(bar.value) * scale
    rect = element("rect", class_="fill c1", x=left, y=top, width=width, height=_ROW - 6)
    yield named(rect, bar.label)
    middle = top + (_ROW - 6) / 2
    if bar.spread is not None:
        line = f"M{x(bar.value - bar.spread):.1f} {middle:.1f}H{x(bar.value + bar.spread):.1f}"
        yield element("path", class_="zero", d=line)
    if bar.mark is not None:
        line = f"M{x(bar.mark):.1f} {top:.1f}v{_ROW - 6}"
        yield named(element("path", class_="line c2", d=line), bar.label)


def _value_axis(low: float, high: float, scale: float, bottom: float) -> Iterator[Markup]:
    steps = round_steps(low, high, _MAX_STEPS)
    for step in steps:
        x, text = _LABEL_WIDTH + (step - low) * scale, label_of(step, steps)
        kind = "zero" if abs(step) < 1e-12 else "grid"
        yield element("path", class_=kind, d=f"M{x:.1f} 0V{bottom:.1f}")
        middle = min(x, _WIDTH - len(text) * CHARACTER_WIDTH / 2)
        yield element("text", text, x=middle, y=bottom + 14, text_anchor="middle")


def heat_map_svg(
    names: Sequence[str], eras: Sequence[str], values: NDArray[np.float64], title: str
) -> Markup:
    """Values of shape (names, eras), at least one; means of neighbouring eras if there are many.

    The shade is the absolute value, in steps to the largest one; the colour is the sign.
    """
    ends = np.unique(np.linspace(0, len(eras), min(len(eras), _MAX_COLUMNS) + 1).astype(int))
    columns = list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
    width = (_WIDTH - _LABEL_WIDTH - _RIGHT) / len(columns)
    largest = float(np.nanmax(np.abs(values))) or 1.0
    parts = []
    for row, name in enumerate(names):
        y = row * _ROW + 2.0
        text = cut(name, _LABEL_WIDTH - 10)
        parts.append(element("text", text, class_="ink", x=0, y=y + 12))
        for number, (first, last) in enumerate(columns):
            known = values[row, first:last][np.isfinite(values[row, first:last])]
            if len(known):
                span = eras[first] if last - first == 1 else f"{eras[first]} to {eras[last - 1]}"
                mean = float(known.mean())
                cell = _cell(mean / largest, _LABEL_WIDTH + number * width, y, width)
                parts.append(named(cell, f"{name}, {span}: {format_number(mean, 3)}"))
    height = len(names) * _ROW + 4
    parts += _era_labels(eras, columns, width, height)
    return drawing(_WIDTH, height + _AXIS, title, parts)


def _cell(share: float, x: float, y: float, width: float) -> Markup:
    shade = max(1, round(abs(share) * _SHADES)) / _SHADES
    kind = "high" if share > 0 else "low"
    return element(
        "rect", class_=kind, opacity=str(shade), x=x, y=y, width=width + 0.2, height=_ROW - 2
    )


def _era_labels(
    eras: Sequence[str], columns: Sequence[tuple[int, int]], width: float, height: float
) -> Iterator[Markup]:
    widest = max(map(len, eras)) * CHARACTER_WIDTH + 16
    for number in range(0, len(columns), max(1, int(np.ceil(widest / width)))):
        era, x = eras[columns[number][0]], _LABEL_WIDTH + number * width
        if x + len(era) * CHARACTER_WIDTH <= _WIDTH:
            yield element("text", era, x=x, y=height + 14.0)
