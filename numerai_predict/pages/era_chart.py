"""Charts over eras: lines with bands, or bars; as an image, and as data for the script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from numerai_predict.pages.palette import DASHES
from numerai_predict.pages.svg import (
    CHARACTER_WIDTH,
    Chart,
    drawing,
    element,
    label_of,
    named,
    round_steps,
    square_path,
)

_WIDTH, _HEIGHT = 420, 210
_RIGHT, _TOP, _BOTTOM = 10, 8, 22
_MAX_STEPS = 6
_DIGITS = 6  # of values in the data

Values = NDArray[np.float64]


@dataclass(frozen=True)
class EraSeries:
    """Values of shape (eras,), NaN for a gap; `colour` is one of `palette.COLOURS`.

    `band` has the lower and the upper edge around them.
    """

    label: str
    colour: str
    values: Values
    band: tuple[Values, Values] | None = None


@dataclass(frozen=True)
class EraChart:
    """A chart of series over the same eras; `marked` eras have a grey background.

    With `bars` each value is a bar and a dashed line is the mean of the eras that are not marked.
    """

    eras: Sequence[str]
    series: Sequence[EraSeries]
    marked: Sequence[bool]
    bars: bool = False

    def as_data(self) -> dict[str, Any]:
        """The chart for the script."""
        return {
            "bars": self.bars,
            "marked": [[int(first), int(last)] for first, last in _runs(self.marked)],
            "series": [
                {
                    "label": each.label,
                    "colour": each.colour,
                    "values": _numbers(each.values),
                    "band": [_numbers(edge) for edge in each.band] if each.band else None,
                }
                for each in self.series
            ],
        }

    def as_chart(self, title: str, caption: str) -> Chart:
        """The chart as a page shows it: an image, and its values where scripts run."""
        return Chart(title, caption, self.svg(title), key=title, data=self.as_data())

    def svg(self, title: str) -> Markup:
        """The chart as an image with its key."""
        frame = _Frame.of(self)
        parts = [*frame.marks(self.marked), *frame.axes(self.eras)]
        for each in self.series:
            if each.band is not None:
                path = frame.area(*each.band)
                parts.append(element("path", class_=f"shade {each.colour}", d=path))
        for each in self.series:
            parts += self._bars(each, frame) if self.bars else [self._line(each, frame)]
        image = drawing(_WIDTH, _HEIGHT, title, parts)
        return image if len(self.series) < 2 else _key(self.series) + image

    def _line(self, series: EraSeries, frame: _Frame) -> Markup:
        path = "".join(frame.line(series.values))
        dash = DASHES[series.colour]
        line = element("path", class_=f"line {series.colour}", d=path, stroke_dasharray=dash)
        return named(line, series.label)

    def _bars(self, series: EraSeries, frame: _Frame) -> Iterator[Markup]:
        width = max(0.6, 0.8 * frame.step)
        known = np.flatnonzero(np.isfinite(series.values))
        path = "".join(
            square_path(frame.x(era) - width / 2, frame.y(0), width, -frame.height(value))
            for era, value in zip(known, series.values[known], strict=True)
        )
        yield element("path", class_=f"fill {series.colour}", d=path)
        counted = series.values[known][~np.asarray(self.marked, bool)[known]]
        if len(counted):
            y = frame.y(float(counted.mean()))
            yield element(
                "path", class_="zero", stroke_dasharray="4 3",
                d=f"M{frame.left:.1f} {y:.1f}H{_WIDTH - _RIGHT}",
            )  # fmt: skip


@dataclass(frozen=True)
class _Frame:
    """The axes: positions of eras and values, in pixels."""

    eras: int
    steps: list[float]
    low: float
    high: float
    left: float

    @classmethod
    def of(cls, chart: EraChart) -> _Frame:
        found = [each.values for each in chart.series]
        found += [edge for each in chart.series if each.band for edge in each.band]
        known = np.concatenate([np.zeros(1), *found])
        known = known[np.isfinite(known)]
        low, high = float(known.min()), float(known.max())
        if low == high:
            high = low + 1.0
        margin = (high - low) * 0.04
        low, high = (low - margin if low < 0 else low), (high + margin if high > 0 else high)
        steps = round_steps(low, high, _MAX_STEPS)
        widest = max(len(label_of(step, steps)) for step in steps)
        return cls(len(chart.eras), steps, low, high, widest * CHARACTER_WIDTH + 8)

    @property
    def step(self) -> float:
        """The distance of neighbouring eras."""
        return (_WIDTH - _RIGHT - self.left) / max(1, self.eras)

    def x(self, era: float) -> float:
        return self.left + (era + 0.5) * self.step

    def height(self, value: float) -> float:
        return value * (_HEIGHT - _TOP - _BOTTOM) / (self.high - self.low)

    def y(self, value: float) -> float:
        return _TOP + self.height(self.high - value)

    def line(self, values: Values) -> Iterator[str]:
        """The path of a line; a value between two gaps is a short dash."""
        for first, last in _runs(np.isfinite(values)):
            points = [f"{self.x(era):.1f} {self.y(values[era]):.1f}" for era in range(first, last)]
            yield "M" + "L".join(points) + ("h1" if len(points) == 1 else "")

    def area(self, low: Values, high: Values) -> str:
        """The path of the area between two edges."""
        parts = []
        for first, last in _runs(np.isfinite(low) & np.isfinite(high)):
            there = [f"{self.x(era):.1f} {self.y(high[era]):.1f}" for era in range(first, last)]
            back = [f"{self.x(era):.1f} {self.y(low[era]):.1f}" for era in range(first, last)]
            parts.append(f"M{'L'.join([*there, *reversed(back)])}z")
        return "".join(parts)

    def marks(self, marked: Sequence[bool]) -> Iterator[Markup]:
        for first, last in _runs(marked):
            left, width = self.x(first - 0.5), (last - first) * self.step
            height = _HEIGHT - _TOP - _BOTTOM
            yield element("rect", class_="band", x=left, y=_TOP, width=width, height=height)

    def axes(self, eras: Sequence[str]) -> Iterator[Markup]:
        for step in self.steps:
            y = self.y(step)
            line = f"M{self.left:.1f} {y:.1f}H{_WIDTH - _RIGHT}"
            yield element("path", class_="zero" if step == 0 else "grid", d=line)
            text = label_of(step, self.steps)
            yield element("text", text, x=self.left - 5, y=y + 4, text_anchor="end")
        for era in self._labelled(eras):
            x = min(self.x(era), _WIDTH - len(eras[era]) * CHARACTER_WIDTH / 2)
            yield element("text", eras[era], x=x, y=_HEIGHT - 6.0, text_anchor="middle")

    def _labelled(self, eras: Sequence[str]) -> range:
        """The eras that have a label: as many as have space."""
        widest = max(map(len, eras)) * CHARACTER_WIDTH + 16
        return range(0, len(eras), max(1, int(np.ceil(widest / self.step))))


def _key(series: Sequence[EraSeries]) -> Markup:
    item = Markup('<span class="{}"><b>{}</b></span>')
    items = Markup(" ").join(item.format(each.colour, each.label) for each in series)
    return Markup('<p class="key">{}</p>').format(items)


def _runs(marked: Any) -> Iterator[tuple[int, int]]:
    """First and one after the last position of each run of true values."""
    edges = np.flatnonzero(np.diff([False, *np.asarray(marked, bool), False]))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _numbers(values: Values) -> list[float | None]:
    rounded = np.round(values, _DIGITS).tolist()
    return [value if value == value else None for value in rounded]  # NaN is no JSON
