"""Histograms: how many values are in each range."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from numerai_predict.contract.counting import counted
from numerai_predict.pages.svg import (
    CHARACTER_WIDTH,
    drawing,
    element,
    label_of,
    named,
    round_steps,
)

_WIDTH, _HEIGHT = 420, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 8, 22
_MIN_BINS, _MAX_BINS = 6, 30
# From this ratio of the largest to the smallest value on, ranges grow with the values.
_WIDE_RATIO = 50.0


@dataclass(frozen=True)
class Histogram:
    """The numbers of values between neighbouring `edges`; one more edge than counts."""

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, values: Sequence[float]) -> Histogram:
        """The histogram of at least one finite value."""
        found = np.asarray(values, np.float64)
        low, high = float(found.min()), float(found.max())
        bins = min(_MAX_BINS, max(_MIN_BINS, round(2 * len(found) ** 0.5)))
        if low > 0 and high / low > _WIDE_RATIO:
            edges = np.geomspace(low, high, bins + 1)
            edges[0], edges[-1] = low, high
        else:
            edges = np.linspace(low, high if high > low else low + (abs(low) or 1.0), bins + 1)
        counts, _ = np.histogram(found, edges)
        return cls(edges.astype(np.float64), counts)


def histogram_svg(
    values: Sequence[float], title: str, noun: str, show: Callable[[float], str]
) -> Markup:
    """The histogram of at least one value; `show` formats a value, `noun` names what is counted."""
    histogram = Histogram.of(values)
    most = int(histogram.counts.max())
    scale = (_HEIGHT - _TOP - _BOTTOM) / most
    width = (_WIDTH - _LEFT - _RIGHT) / len(histogram.counts)
    bottom = _HEIGHT - _BOTTOM
    parts = [_count_axis(most, scale, bottom)]
    for number, count in enumerate(histogram.counts):
        if not count:
            continue
        low, high = histogram.edges[number], histogram.edges[number + 1]
        height = max(1.0, float(count) * scale)
        bar = element(
            "rect", class_="good", x=_LEFT + number * width, y=bottom - height,
            width=width - 1, height=height,
        )  # fmt: skip
        parts.append(named(bar, f"{show(low)} to {show(high)}: {counted(int(count), noun)}"))
    parts.append(_value_axis(histogram.edges, width, show))
    return drawing(_WIDTH, _HEIGHT, title, parts)


def _count_axis(most: int, scale: float, bottom: float) -> Markup:
    steps = [step for step in round_steps(0, most, 4) if step == int(step)]
    parts = []
    for step in steps:
        y = bottom - step * scale
        parts.append(element("path", class_="grid", d=f"M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"))
        text = label_of(step, steps)
        parts.append(element("text", text, x=_LEFT - 6, y=y + 4, text_anchor="end"))
    return Markup("").join(parts)


def _value_axis(edges: NDArray[np.float64], width: float, show: Callable[[float], str]) -> Markup:
    """Labels of some edges: as many as have space."""
    widest = max(len(show(edge)) for edge in edges) * CHARACTER_WIDTH + 14
    stride = int(np.ceil(widest / width))
    parts = []
    for number in range(0, len(edges), stride):
        x, text = _LEFT + number * width, show(edges[number])
        if x + widest <= _WIDTH:
            parts.append(element("text", text, x=x, y=_HEIGHT - 6.0))
    return Markup("").join(parts)
