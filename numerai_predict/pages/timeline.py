"""The timeline: what ran when, in lanes, as single bars or, if they are many, as shares of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from numerai_predict.pages.formats import format_seconds
from numerai_predict.pages.svg import cut, drawing, element, named

_WIDTH, _LABEL_WIDTH, _RIGHT = 1080, 230, 44
_AXIS_HEIGHT = 24
_LANE_HEIGHT, _LEAST_LANE_HEIGHT, _MAX_HEIGHT = 20, 3, 480
_LEAST_LABELLED = 12  # height of a lane that has space for a label
_MAX_BARS = 400
_BIN = 4  # pixels
_BUSY_CLASSES = 4
_SHORTEST_SPAN = 1e-9
_TICK_STEPS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18000, 36000, 86400)
_MAX_TICKS = 9


@dataclass(frozen=True)
class TimelineBar:
    """Something that ran in a group of lanes; `start` and `seconds` are in seconds.

    `row` is its row in the page's table.
    """

    group: str
    name: str
    start: float
    seconds: float
    failed: bool
    row: int

    @property
    def end(self) -> float:
        """When it ended."""
        return self.start + self.seconds


@dataclass(frozen=True)
class TimelineLane:
    """Bars that do not overlap; only the first lane of a group has a label."""

    label: str
    bars: Sequence[TimelineBar]


@dataclass(frozen=True)
class Timeline:
    """All bars, as lanes over time; sizes and positions are in pixels."""

    lanes: Sequence[TimelineLane]
    start: float
    end: float

    @classmethod
    def of(cls, bars: Sequence[TimelineBar]) -> Timeline | None:
        """The timeline of these bars; `None` without any."""
        if not bars:
            return None
        lanes = list(_lanes(bars))
        return cls(lanes, min(bar.start for bar in bars), max(bar.end for bar in bars))

    @property
    def seconds(self) -> float:
        """From the first start to the last end, more than 0."""
        return max(self.end - self.start, _SHORTEST_SPAN)

    @property
    def lane_height(self) -> float:
        """The height of a lane, with the gap to the next one."""
        fitting = _MAX_HEIGHT / len(self.lanes)
        return float(min(_LANE_HEIGHT, max(_LEAST_LANE_HEIGHT, fitting)))

    @property
    def ticks(self) -> list[int]:
        """Round numbers of seconds after the start."""
        fitting = (step for step in _TICK_STEPS if self.seconds / step <= _MAX_TICKS)
        step = next(fitting, _TICK_STEPS[-1] * (1 + int(self.seconds // _TICK_STEPS[-1] // 9)))
        return list(range(0, int(self.seconds) + 1, step))

    def x(self, seconds: float) -> float:
        """The position of a time, in seconds after the start."""
        return _LABEL_WIDTH + seconds * (_WIDTH - _LABEL_WIDTH - _RIGHT) / self.seconds

    def as_data(self) -> dict[str, Any]:
        """The timeline for the script, which draws every bar and zooms."""
        bars = [(number, bar) for number, lane in enumerate(self.lanes) for bar in lane.bars]
        return {
            "seconds": round(self.seconds, 3),
            "labels": [lane.label for lane in self.lanes],
            "lane": [number for number, _ in bars],
            "row": [bar.row for _, bar in bars],
            "start": [round(bar.start - self.start, 2) for _, bar in bars],
            "length": [round(bar.seconds, 2) for _, bar in bars],
            "failed": [number for number, (_, bar) in enumerate(bars) if bar.failed],
        }

    def svg(self, title: str) -> Markup:
        """The timeline as an image: bars with names, or shares of time if there are too many."""
        height = _AXIS_HEIGHT + self.lane_height * len(self.lanes)
        parts = [*self._axis(height), *self._labels()]
        few = sum(len(lane.bars) for lane in self.lanes) <= _MAX_BARS
        for number, lane in enumerate(self.lanes):
            top = _AXIS_HEIGHT + number * self.lane_height
            parts += self._bars(lane, top) if few else self._density(lane, top)
        return drawing(_WIDTH, height + 4, title, parts)

    def _axis(self, height: float) -> Iterator[Markup]:
        for seconds in self.ticks:
            x = self.x(seconds)
            yield element("path", class_="grid", d=f"M{x:.1f} 18V{height:.1f}")
            yield element("text", _tick_label(seconds), x=x, y=12.0)

    def _labels(self) -> Iterator[Markup]:
        free_from = 0.0
        for number, lane in enumerate(self.lanes):
            y = _AXIS_HEIGHT + number * self.lane_height
            if lane.label and y >= free_from:
                text = cut(lane.label, _LABEL_WIDTH - 8)
                yield element("text", text, class_="ink", x=0, y=y + 11)
                free_from = y + _LEAST_LABELLED

    def _bars(self, lane: TimelineLane, top: float) -> Iterator[Markup]:
        for bar in lane.bars:
            left = self.x(bar.start - self.start)
            width = max(1.0, self.x(bar.end - self.start) - left - 0.5)
            mark = element(
                "rect", class_="bad" if bar.failed else "good", x=left, y=top, width=width,
                height=max(2.0, self.lane_height - 4),
            )  # fmt: skip
            result = "failed after" if bar.failed else "took"
            yield named(mark, f"{bar.name}: {result} {format_seconds(bar.seconds)}")

    def _density(self, lane: TimelineLane, top: float) -> Iterator[Markup]:
        """The share of the time in which the lane was busy, in classes; a mark for each failure."""
        shares = _busy_shares(
            np.array([[self.x(bar.start - self.start), self.x(bar.end - self.start)]
                      for bar in lane.bars])
        )  # fmt: skip
        height = max(2.0, self.lane_height - 2)
        nearest = np.round(np.clip(shares, 0, 1) * _BUSY_CLASSES)
        classes = np.where(shares > 0, np.maximum(nearest, 1), 0)
        for level in range(1, _BUSY_CLASSES + 1):
            path = "".join(_rectangles(classes == level, top, height))
            if path:
                yield element("path", class_="good", opacity=str(level / _BUSY_CLASSES), d=path)
        failed = {round(self.x(bar.end - self.start)) for bar in lane.bars if bar.failed}
        marks = "".join(f"M{x} {top:.1f}h2v{height:.1f}h-2z" for x in sorted(failed))
        if marks:
            yield element("path", class_="bad", d=marks)


def _busy_shares(ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """The covered share of each bin of `_BIN` pixels; `ends` has shape (bars, 2), in pixels."""
    edges = np.arange(_LABEL_WIDTH, _WIDTH - _RIGHT + _BIN, _BIN, dtype=np.float64)
    before = np.clip(edges[:, None], ends[:, 0], ends[:, 1]) - ends[:, 0]
    shares: NDArray[np.float64] = np.diff(before.sum(axis=1)) / _BIN
    return shares


def _rectangles(marked: NDArray[np.bool_], top: float, height: float) -> Iterator[str]:
    """A rectangle for each run of marked bins, as a path."""
    edges = np.flatnonzero(np.diff([False, *marked, False]))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        width = (last - first) * _BIN
        yield f"M{_LABEL_WIDTH + first * _BIN} {top:.1f}h{width}v{height:.1f}h-{width}z"


def _tick_label(seconds: int) -> str:
    if seconds % 3600 == 0 and seconds:
        return f"{seconds // 3600} h"
    return f"{seconds // 60} min" if seconds % 60 == 0 and seconds else f"{seconds} s"


def _lanes(bars: Iterable[TimelineBar]) -> Iterator[TimelineLane]:
    """As few lanes for each group as the bars that overlap need."""
    groups: dict[str, list[TimelineBar]] = {}
    for bar in bars:
        groups.setdefault(bar.group, []).append(bar)
    for label, own in sorted(groups.items()):
        for number, lane in enumerate(_without_overlap(own)):
            yield TimelineLane("" if number else label, lane)


def _without_overlap(bars: Iterable[TimelineBar]) -> list[list[TimelineBar]]:
    lanes: list[list[TimelineBar]] = []
    for bar in sorted(bars, key=lambda bar: bar.start):
        free = next((lane for lane in lanes if lane[-1].end <= bar.start), None)
        if free is None:
            lanes.append([bar])
        else:
            free.append(bar)
    return lanes
