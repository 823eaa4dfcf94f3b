"""How a round goes on: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.limits import format_clock
from numerai_predict.fleet import ledger as states
from numerai_predict.fleet.ledger import FleetLedger

_TERMINAL_SECONDS, _PLAIN_SECONDS = 0.5, 5.0


@dataclass(frozen=True)
class FleetProgress:
    """Where a round stands; `left` is the seconds to its deadline, infinity without one."""

    total: int
    delivered: int
    failed: dict[str, int]
    running: int
    a_minute: float
    left: float

    @property
    def ended(self) -> int:
        """Models that have ended, well or not."""
        return self.delivered + sum(self.failed.values())

    @property
    def needs(self) -> float:
        """Seconds that the rest takes at this pace; infinity where there is none yet."""
        rest = self.total - self.ended
        return rest / self.a_minute * 60 if self.a_minute else (0.0 if not rest else float("inf"))

    def line(self) -> str:
        """One line of plain text."""
        words = [f"{self.ended:,} of {self.total:,}", f"{self.delivered:,} delivered"]
        words += [f"{count:,} {verdict}" for verdict, count in sorted(self.failed.items())]
        words += [f"{self.running} running", f"{self.a_minute:,.0f} a minute"]
        if self.needs != float("inf"):
            words.append(f"about {format_clock(self.needs)} to go")
        if self.left != float("inf"):
            words.append(f"{format_clock(self.left)} to the deadline")
        return ", ".join(words)


class FleetDisplay:
    """Shows the progress of a round on a stream. A context manager."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._console = Console(file=stream)
        self._live: Live | None = None
        self._next = 0.0
        self._started = time.monotonic()
        self._ended_before = 0

    def __enter__(self) -> FleetDisplay:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, words: str) -> None:
        """One line."""
        self._console.print(words, highlight=False, markup=False, soft_wrap=True)

    def begin(self, ledger: FleetLedger, ids: Sequence[str], deadline: Deadline) -> None:
        """Start on a round."""
        self._ledger, self._total, self._deadline = ledger, len(ids), deadline
        counts = ledger.states()
        self._ended_before = counts.get(states.DELIVERED, 0) + counts.get(states.FAILED, 0)
        if self._ended_before:
            self.say(f"{self._ended_before:,} of {self._total:,} models had ended before")
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()

    def look(self, running: int) -> None:
        """Show where it stands now, not more often than is of use."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_TERMINAL_SECONDS if self._live else _PLAIN_SECONDS)
        progress = self._progress(running)
        if self._live is not None:
            self._live.update(_table(progress), refresh=True)
        else:
            self.say(time.strftime("%H:%M:%SZ ", time.gmtime()) + progress.line())

    def _progress(self, running: int) -> FleetProgress:
        verdicts = self._ledger.verdicts()
        delivered = verdicts.pop("ok", 0)
        ended = delivered + sum(verdicts.values()) - self._ended_before
        minutes = (time.monotonic() - self._started) / 60
        return FleetProgress(
            self._total,
            delivered,
            verdicts,
            running,
            ended / minutes if minutes else 0.0,
            self._deadline.remaining(),
        )


def _table(progress: FleetProgress) -> Table:
    table = Table.grid(padding=(0, 2))
    share = progress.ended / max(1, progress.total)
    bar = "█" * round(30 * share) + "░" * (30 - round(30 * share))
    table.add_row("models", f"[cyan]{bar}[/] {progress.ended:,} of {progress.total:,}")
    table.add_row("delivered", f"[green]{progress.delivered:,}[/]")
    for verdict, count in sorted(progress.failed.items(), key=lambda item: -item[1]):
        table.add_row(verdict, f"[red]{count:,}[/]")
    table.add_row("running", f"{progress.running}, {progress.a_minute:,.0f} a minute")
    needs = "-" if progress.needs == float("inf") else format_clock(progress.needs)
    late = progress.needs > progress.left
    table.add_row("to go", f"[red]about {needs}[/]" if late else f"about {needs}")
    if progress.left != float("inf"):
        table.add_row("deadline", f"in {format_clock(progress.left)}")
    return table
