"""The summary of a fleet run, as tables for a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from numerai_predict.contract.brief_text import brief
from numerai_predict.contract.counting import counted
from numerai_predict.contract.limits import format_size
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.ledger_rows import Row
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.result_key import ResultKey
from numerai_predict.pages.formats import format_utc
from numerai_predict.terminal.screen import Part
from numerai_predict.terminal.table import Column, TextTable

_RANKING_LENGTH = 5
_MAX_MESSAGE_LENGTH = 90
_VERDICT_COLUMNS = (
    Column("verdict", state=True),
    Column("models", right=True),
    Column("example", wraps=True),
)
_RUNNING_COLUMNS = (Column("running", wraps=True), Column("since"), Column("on", wraps=True))
_UNCHECKED = (
    "a fleet run has begun and has not checked the results of earlier ones: they are not shown; "
    "if that run has stopped, start the same command again"
)


@dataclass(frozen=True)
class FleetSummary:
    """The models of the last fleet run in a ledger.

    Results of other data, or of another version, are left out: `remarks` say so. `checked` is
    false while a fleet run has begun but has not compared the results of earlier ones.
    """

    rows: Sequence[Row]
    remarks: Sequence[str] = ()
    checked: bool = True

    @classmethod
    def of(cls, ledger: FleetLedger) -> FleetSummary:
        """The current state of the ledger."""
        rows = list(ledger.rows())
        data = ledger.meta("data")
        if data is None:  # no fleet run of this version
            return cls(rows)
        if not data:
            return cls([row for row in rows if not row.state.has_result], [_UNCHECKED], False)
        current = [row for row in rows if not row.state.has_result or _is_of(row, data)]
        remarks = json.loads(ledger.meta("reuse") or "[]")
        if other := len(rows) - len(current):
            remarks.append(f"{counted(other, 'other model')} with results of other data: not shown")
        return cls(current, remarks)

    def delivered(self, model_ids: Collection[str] | None = None) -> bool:
        """Whether these models, by default all, were delivered."""
        rows = [row for row in self.rows if model_ids is None or row.id in model_ids]
        return self.checked and all(row.state is ModelState.DELIVERED for row in rows)

    @property
    def timed(self) -> int:
        """How many models have a time: they were run."""
        return sum(bool(row.seconds and row.started) for row in self.rows)

    @property
    def slowest(self) -> list[Row]:
        """The models with the longest runs."""
        timed = [row for row in self.rows if row.seconds]
        return sorted(timed, key=lambda row: -(row.seconds or 0))[:_RANKING_LENGTH]

    @property
    def largest(self) -> list[Row]:
        """The models with the highest peak memory."""
        sized = [row for row in self.rows if row.peak_bytes]
        return sorted(sized, key=lambda row: -(row.peak_bytes or 0))[:_RANKING_LENGTH]

    def by_status(self) -> dict[str, list[Row]]:
        """Models by verdict, in the order of exit codes; then the unfinished ones by state."""
        exit_codes = {verdict.word: verdict.exit_code for verdict in Verdict}
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.status, []).append(row)
        return dict(sorted(found.items(), key=lambda item: (exit_codes.get(item[0], 999), item[0])))

    def parts(self) -> list[Part]:
        """Remarks, models by verdict, and the slowest and largest of them."""
        rows = [
            (status, f"{len(some):,}", _example(some[0]))
            for status, some in self.by_status().items()
        ]
        return [
            "",
            *self.remarks,
            *([""] if self.remarks else []),
            TextTable(_VERDICT_COLUMNS, rows),
            *_ranking("slowest", self.slowest, lambda row: f"{row.seconds:.1f} s"),
            *_ranking("largest", self.largest, lambda row: format_size(row.peak_bytes or 0)),
        ]

    def status_parts(self) -> list[Part]:
        """As `parts`, and the models that are running now."""
        running = [row for row in self.rows if row.state is ModelState.RUNNING]
        rows = [(row.id, format_utc(row.started), row.worker or "-") for row in running]
        table: list[Part] = ["", TextTable(_RUNNING_COLUMNS, rows)] if rows else []
        return [*self.parts(), *table]


def _is_of(row: Row, shared_key: str) -> bool:
    """Whether the result is of the fleet run with this shared key."""
    key, current = ResultKey.from_json(row.key), ResultKey.from_json(shared_key)
    return key is not None and current is not None and not current.shared_changes(key)


def _example(row: Row) -> str:
    first_line = (row.message or "").partition("\n")[0]
    return f"{row.id}: {brief(first_line, _MAX_MESSAGE_LENGTH)}" if first_line else row.id


def _ranking(title: str, rows: Sequence[Row], show: Callable[[Row], str]) -> list[Part]:
    columns = (Column("", wraps=True), Column("", right=True))
    table = TextTable(columns, [(row.id, show(row)) for row in rows], indent=2)
    return ["", title, table] if rows else []
