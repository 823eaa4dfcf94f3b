"""The end of a round in a few tables of text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from numerai_predict.contract.limits import format_size
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet import ledger as states
from numerai_predict.fleet.ledger import FleetLedger, Row, as_utc

_MOST = 5
_LONGEST_MESSAGE = 90


@dataclass(frozen=True)
class FleetSummary:
    """All models of a ledger as they stand."""

    rows: Sequence[Row]

    @classmethod
    def of(cls, ledger: FleetLedger) -> FleetSummary:
        """What the ledger says now."""
        return cls(list(ledger.rows()))

    def delivered(self, wanted: Collection[str] | None = None) -> bool:
        """Whether every model was delivered, or every one of those."""
        rows = [row for row in self.rows if wanted is None or row.id in wanted]
        return all(row.state == states.DELIVERED for row in rows)

    @property
    def slowest(self) -> list[Row]:
        """Those that took longest."""
        timed = [row for row in self.rows if row.seconds]
        return sorted(timed, key=lambda row: -(row.seconds or 0))[:_MOST]

    @property
    def largest(self) -> list[Row]:
        """Those that took most memory."""
        sized = [row for row in self.rows if row.peak_bytes]
        return sorted(sized, key=lambda row: -(row.peak_bytes or 0))[:_MOST]

    def by_verdict(self) -> dict[str, list[Row]]:
        """The models that have ended by verdict, in the contract's order; then all others."""
        order = {verdict.word: verdict.exit_code for verdict in Verdict}
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            ended = row.state in (states.DELIVERED, states.FAILED)
            found.setdefault((row.verdict if ended else None) or row.state, []).append(row)
        return dict(sorted(found.items(), key=lambda item: (order.get(item[0], 999), item[0])))

    def text(self) -> str:
        """The tables, for a terminal or a log."""
        lines = ["", f"{'verdict':22}{'models':>8}  for one"]
        for verdict, rows in self.by_verdict().items():
            first = (rows[0].message or "").splitlines()[:1]
            words = f"{rows[0].id}: {first[0][:_LONGEST_MESSAGE]}" if first else rows[0].id
            lines.append(f"{verdict:22}{len(rows):>8,}  {words}")
        lines += _ranking("slowest", self.slowest, lambda row: f"{row.seconds:.1f} s")
        lines += _ranking("largest", self.largest, lambda row: format_size(row.peak_bytes or 0))
        return "\n".join(lines)

    def status(self) -> str:
        """The tables, with what runs now."""
        now = [row for row in self.rows if row.state == states.RUNNING]
        lines = [self.text()]
        if now:
            lines += ["", f"{'running':22}{'since':>22}  on"]
            lines += [f"{row.id:22}{as_utc(row.started):>22}  {row.worker}" for row in now]
        return "\n".join(lines)


def _ranking(title: str, rows: Sequence[Row], show: Callable[[Row], str]) -> list[str]:
    lines = ["", title] if rows else []
    return lines + [f"  {row.id:30}{show(row):>12}" for row in rows]
