"""The geometry of the workers' timeline in the report: lanes, bars and the time axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from numerai_predict.fleet.ledger_rows import Row

_CHART_WIDTH = 1080
_LABEL_WIDTH = 300
_MARGIN = 40
_AXIS_HEIGHT = 24
_LANE_HEIGHT = 22
_SHORTEST_SPAN = 1e-9
_TICK_STEPS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800)
_LONGEST_TICK_STEP = 3600
_MAX_TICKS = 10


@dataclass(frozen=True)
class Run:
    """The run of one model in a worker; times are in seconds, `start` since 1970 (UTC)."""

    row: Row
    start: float
    seconds: float

    @property
    def end(self) -> float:
        """When it ended, in seconds since 1970 (UTC)."""
        return self.start + self.seconds

    @property
    def failed(self) -> bool:
        """Whether its verdict is not `ok`."""
        return self.row.verdict not in ("ok", None)


@dataclass(frozen=True)
class Lane:
    """Runs of one worker that do not overlap; only the first lane of a worker has a label."""

    label: str
    runs: Sequence[Run]


@dataclass(frozen=True)
class Tick:
    """A mark on the time axis; `x` is in pixels."""

    x: float
    label: str


@dataclass(frozen=True)
class Timeline:
    """All runs of a fleet run, as lanes over time; sizes and positions are in pixels."""

    runs: Sequence[Run]
    lanes: Sequence[Lane]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Timeline:
        """The timeline of the models that ran."""
        runs = [Run(row, row.started, row.seconds) for row in rows if row.seconds and row.started]
        return cls(runs, _lanes(runs))

    @property
    def start(self) -> float:
        """The start of the first run, in seconds since 1970 (UTC)."""
        return min(run.start for run in self.runs)

    @property
    def end(self) -> float:
        """The end of the last run, in seconds since 1970 (UTC)."""
        return max(run.end for run in self.runs)

    @property
    def models_per_hour(self) -> float:
        """The throughput of the fleet run."""
        return len(self.runs) / self._span * 3600

    @property
    def width(self) -> int:
        """The width of the chart."""
        return _LABEL_WIDTH + _CHART_WIDTH + _MARGIN

    @property
    def bottom(self) -> int:
        """The lower edge of the last lane."""
        return _AXIS_HEIGHT + len(self.lanes) * _LANE_HEIGHT

    @property
    def ticks(self) -> list[Tick]:
        """Marks at round numbers of seconds or minutes after the start."""
        span = self.end - self.start
        fitting = (step for step in _TICK_STEPS if span / step <= _MAX_TICKS)
        step = next(fitting, _LONGEST_TICK_STEP)
        return [
            Tick(_LABEL_WIDTH + seconds * self._scale, _duration(seconds, step))
            for seconds in range(0, int(span) + 1, step)
        ]

    def y(self, lane: int) -> int:
        """The upper edge of a lane."""
        return _AXIS_HEIGHT + lane * _LANE_HEIGHT

    def x(self, run: Run) -> float:
        """The left edge of a run's bar."""
        return _LABEL_WIDTH + (run.start - self.start) * self._scale

    def bar_width(self, run: Run) -> float:
        """The width of a run's bar: at least one pixel, with a small gap to the next bar."""
        return max(1.0, run.seconds * self._scale - 0.5)

    @property
    def _span(self) -> float:
        return max(self.end - self.start, _SHORTEST_SPAN)

    @property
    def _scale(self) -> float:
        return _CHART_WIDTH / self._span


def _duration(seconds: int, step: int) -> str:
    return f"{seconds} s" if step < 60 else f"{seconds // 60} min"


def _lanes(runs: Iterable[Run]) -> list[Lane]:
    """As few lanes for each worker as the models that it ran at the same time need."""
    by_worker: dict[str, list[Run]] = {}
    for run in runs:
        by_worker.setdefault(f"{run.row.environment}  {run.row.worker}", []).append(run)
    lanes = []
    for worker, own in sorted(by_worker.items()):
        label = worker.replace("numerai_predict_", "").replace("numerai-fleet-", "")
        for number, lane in enumerate(_without_overlap(own)):
            lanes.append(Lane("" if number else label, lane))
    return lanes


def _without_overlap(runs: Iterable[Run]) -> list[list[Run]]:
    lanes: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: run.start):
        free = next((lane for lane in lanes if lane[-1].end <= run.start), None)
        if free is None:
            lanes.append([run])
        else:
            free.append(run)
    return lanes
