"""The report of a fleet run: one HTML file that loads nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.ledger_rows import Row
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.report.failure_groups import FailureGroup, group_failures
from numerai_predict.fleet.report.model_table import NAME, ResultDirectory, model_table
from numerai_predict.fleet.result_key import ResultKey
from numerai_predict.fleet.summary import FleetSummary
from numerai_predict.pages.formats import format_bytes, format_name, format_seconds
from numerai_predict.pages.histogram import histogram_svg
from numerai_predict.pages.page import Page, render_page
from numerai_predict.pages.svg import Chart
from numerai_predict.pages.table import DataTable
from numerai_predict.pages.timeline import Timeline, TimelineBar
from numerai_predict.storage.files import atomic_write

FILE = "fleet.html"

_TEMPLATE = "fleet/report/page.html.j2"
_SCRIPTS = ("pages/static/table.js", "pages/static/timeline.js")
_MAX_GROUPS, _MODELS_PER_GROUP = 50, 5


def write_report(directory: Path, ledger: FleetLedger, refresh_seconds: int | None = None) -> Path:
    """Write `fleet.html` into the directory and return its path.

    With `refresh_seconds` the page loads itself again so often: the fleet run still goes on.
    """
    page = render_report(
        directory.name,
        FleetSummary.of(ledger),
        ledger.remedies(),
        ResultDirectory.read(directory),
        refresh_seconds,
    )
    path = directory / FILE
    with atomic_write(path) as handle:
        handle.write(page.encode())
    return path


def render_report(
    name: str,
    summary: FleetSummary,
    remedies: Mapping[str, str],
    directory: ResultDirectory,
    refresh_seconds: int | None = None,
) -> str:
    """The page; `remedies` are those of failed models, by id."""
    rows = summary.rows
    table = model_table(rows, remedies, directory)
    timeline = Timeline.of(_bars(rows))
    groups = group_failures(row for row in rows if row.state is ModelState.FAILED)
    data: dict[str, Any] = {"tables": {NAME: table.as_data()}}
    if timeline is not None:
        data["timeline"] = {**timeline.as_data(), "table": NAME}
    title = f"Fleet run {format_name(name)}"
    return render_page(
        _TEMPLATE,
        Page(title, _SCRIPTS, data=data, refresh_seconds=refresh_seconds),
        summary=summary,
        states=Counter(row.state for row in rows),
        limits=_limits(rows),
        table=table,
        timeline=timeline,
        groups=[_group_values(group, table, remedies) for group in groups[:_MAX_GROUPS]],
        groups_left_out=max(0, len(groups) - _MAX_GROUPS),
        charts=[_durations(rows), _memory(rows)],
    )


def _bars(rows: Sequence[Row]) -> list[TimelineBar]:
    return [
        TimelineBar(
            _group_of(row),
            format_name(row.id),
            row.started,
            row.seconds,
            row.state is ModelState.FAILED,
            number,
        )
        for number, row in enumerate(rows)
        if row.seconds and row.started
    ]


def _group_of(row: Row) -> str:
    name = f"{row.environment}  {row.worker}".replace("numerai_predict_", "")
    return format_name(name)


def _group_values(
    group: FailureGroup, table: DataTable, remedies: Mapping[str, str]
) -> dict[str, Any]:
    """A group for the template, with the log of its first model that has one in the page."""
    row_of = {name: row for row, name in enumerate(table.names)}
    numbers = [row_of[format_name(row.id)] for row in group.rows]
    logged = next((number for number in numbers if number in table.logs), None)
    remedy = next(filter(None, (remedies.get(row.id) for row in group.rows)), "")
    return {
        "group": group,
        "remedy": one_line(remedy),
        "examples": numbers[:_MODELS_PER_GROUP],
        "log_of": logged,
    }


def _limits(rows: Sequence[Row]) -> str:
    """The memory and time that the models may take; empty if no result says so."""
    found = {limits for row in rows if (limits := _limits_of(row)) is not None}
    if len(found) > 1:
        return f"{len(found)} different ones"
    for memory, seconds in found:
        texts = format_bytes(memory) if memory else "", format_seconds(seconds) if seconds else ""
        return ", ".join(filter(None, texts)) or "none"
    return ""


def _limits_of(row: Row) -> tuple[int | None, float | None] | None:
    key = ResultKey.from_json(row.key)
    limits = json.loads(key.options or "{}").get("limits") if key else None
    return (limits["memory_bytes"], limits["seconds"]) if limits else None


def _durations(rows: Sequence[Row]) -> Chart:
    seconds = [row.seconds for row in rows if row.seconds]
    title = "Time of each model"
    svg = histogram_svg(seconds, title, "model", format_seconds) if seconds else None
    return Chart(title, "From the start of its run to its verdict.", svg, "No model was run.")


def _memory(rows: Sequence[Row]) -> Chart:
    sizes = [row.peak_bytes for row in rows if row.peak_bytes]
    title = "Peak memory of each model"
    svg = histogram_svg(sizes, title, "model", format_bytes) if sizes else None
    caption = "The model process and all that it started."
    return Chart(title, caption, svg, "No model's memory was measured.")
