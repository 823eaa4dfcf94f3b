"""The progress of a fleet run: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.limits import format_clock
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.terminal.states import Tone, tone_of

_TERMINAL_INTERVAL_SECONDS, _PLAIN_INTERVAL_SECONDS = 0.5, 5.0
_BAR_WIDTH = 30


@dataclass(frozen=True)
class FleetProgress:
    """How far a fleet run is.

    `failed` counts models by verdict. `seconds` is the time since the start, `seconds_left` that
    to the deadline, infinity if there is none.
    """

    total: int
    delivered: int
    failed: dict[str, int]
    running: int
    models_per_minute: float
    seconds_left: float
    seconds: float = 0.0

    @property
    def is_starting(self) -> bool:
        """Whether workers start: no model of this fleet run has run yet."""
        return not (self.running or self.models_per_minute) and self.ended < self.total

    @property
    def ended(self) -> int:
        """How many models were delivered or failed."""
        return self.delivered + sum(self.failed.values())

    @property
    def seconds_needed(self) -> float:
        """Estimated time for the remaining models; infinity if no model has ended yet."""
        remaining = self.total - self.ended
        if not remaining:
            return 0.0
        return remaining / self.models_per_minute * 60 if self.models_per_minute else math.inf

    def line(self) -> str:
        """One line of plain text."""
        parts = [f"{self.ended:,} of {self.total:,}", f"{self.delivered:,} delivered"]
        parts += [f"{count:,} {verdict}" for verdict, count in sorted(self.failed.items())]
        parts += self._pace()
        if math.isfinite(self.seconds_needed):
            parts.append(f"about {format_clock(self.seconds_needed)} to go")
        if math.isfinite(self.seconds_left):
            parts.append(f"{format_clock(self.seconds_left)} to the deadline")
        return ", ".join(parts)

    def _pace(self) -> list[str]:
        if self.is_starting:
            return [f"starting workers for {format_clock(self.seconds)}"]
        return [f"{self.running} running", f"{self.models_per_minute:,.0f} a minute"]


class ProgressMeter:
    """Measures the progress of a fleet run by its ledger, from the time of its creation on."""

    def __init__(self, ledger: FleetLedger, model_ids: Collection[str], deadline: Deadline) -> None:
        self.total = len(model_ids)
        self._model_ids = frozenset(model_ids)
        self._ledger = ledger
        self._deadline = deadline
        self._started = time.monotonic()
        self.ended_before = sum(self._count_by_verdict().values())

    def measure(self, running: int) -> FleetProgress:
        """The progress now; `running` is the number of models that run."""
        failed = self._count_by_verdict()
        delivered = failed.pop(Verdict.OK.word, 0)
        ended = delivered + sum(failed.values()) - self.ended_before
        seconds = time.monotonic() - self._started
        return FleetProgress(
            self.total,
            delivered,
            failed,
            running,
            ended / seconds * 60 if seconds else 0.0,
            self._deadline.remaining(),
            seconds,
        )

    def _count_by_verdict(self) -> Counter[str]:
        verdicts = self._ledger.verdicts()
        return Counter(verdicts[each] for each in self._model_ids & verdicts.keys())


class _PipeConsole(Console):
    """Does not exit when the reader of its output has closed it, as rich's own console does."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class FleetDisplay:
    """Shows the progress of a fleet run on a stream. A context manager."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._console = _PipeConsole(file=stream)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._meter: ProgressMeter | None = None
        self._next_update = 0.0

    def __enter__(self) -> FleetDisplay:
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        """Print one line, which is made printable."""
        self._console.print(one_line(text), highlight=False, markup=False, soft_wrap=True)

    def say_all(self, lines: Iterable[str]) -> None:
        """Print lines."""
        for line in lines:
            self.say(line)

    def begin(self, meter: ProgressMeter) -> None:
        """Start to show the progress that the meter measures: at first that workers start."""
        self._meter = meter
        self.update(0)

    def update(self, running: int) -> None:
        """Show the current progress, unless the last update was just before."""
        now = time.monotonic()
        if self._meter is None or now < self._next_update:
            return
        progress = self._meter.measure(running)
        if self._console.is_terminal:
            self._next_update = now + _TERMINAL_INTERVAL_SECONDS
            self._live.start()  # not earlier: the live data's progress is shown before
            self._live.update(progress_table(progress), refresh=True)
        else:
            self._next_update = now + _PLAIN_INTERVAL_SECONDS
            self.say(time.strftime("%H:%M:%SZ ", time.gmtime()) + progress.line())


def progress_table(progress: FleetProgress) -> Table:
    """The live display: a bar of all models, then a line for each verdict and estimate."""
    table = Table.grid(padding=(0, 2))
    table.add_row("models", _bar(progress))
    table.add_row("delivered", _toned(f"{progress.delivered:,}", Tone.DONE))
    for verdict, count in sorted(progress.failed.items(), key=lambda item: -item[1]):
        table.add_row(verdict, _toned(f"{count:,}", tone_of(verdict) or Tone.FAILED))
    if progress.is_starting:
        table.add_row(
            "workers", _toned(f"starting for {format_clock(progress.seconds)}", Tone.ACTIVE)
        )
        return table
    table.add_row("running", f"{progress.running}, {progress.models_per_minute:,.0f} a minute")
    known = math.isfinite(progress.seconds_needed)
    needed = format_clock(progress.seconds_needed) if known else "-"
    late = progress.seconds_needed > progress.seconds_left
    table.add_row("to go", _toned(f"about {needed}", Tone.FAILED if late else None))
    if math.isfinite(progress.seconds_left):
        table.add_row("deadline", f"in {format_clock(progress.seconds_left)}")
    return table


def _toned(text: str, tone: Tone | None) -> Text:
    return Text(text, tone.value if tone else "")


def _bar(progress: FleetProgress) -> Progress:
    bar = Progress(
        BarColumn(_BAR_WIDTH, complete_style=Tone.ACTIVE.value, finished_style=Tone.DONE.value),
        TextColumn("{task.completed:,} of {task.total:,}"),
    )
    bar.add_task("models", total=progress.total, completed=progress.ended)
    return bar
