"""The report of a fleet run: one HTML file that loads nothing, with the timeline of all workers."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import jinja2

from numerai_predict.contract.limits import format_size
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.ledger_rows import format_utc
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.summary import FleetSummary
from numerai_predict.fleet.timeline import Timeline
from numerai_predict.storage.files import atomic_write

FILE = "fleet.html"

_TEMPLATE = "fleet.html.j2"
_MAX_FAILURES = 500


def write_report(directory: Path, ledger: FleetLedger) -> Path:
    """Write `fleet.html` into the directory and return its path."""
    summary = FleetSummary.of(ledger)
    path = directory / FILE
    with atomic_write(path) as handle:
        handle.write(render_page(directory.name, summary).encode())
    return path


def render_page(name: str, summary: FleetSummary) -> str:
    """The page; jinja2 escapes every value in it."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["utc"] = format_utc
    environment.filters["size"] = format_size
    source = files("numerai_predict.fleet").joinpath(_TEMPLATE).read_text("utf-8")
    states = [row.state for row in summary.rows]
    failed = [row for row in summary.rows if row.state is ModelState.FAILED]
    return environment.from_string(source).render(
        name=name,
        delivered=states.count(ModelState.DELIVERED),
        total=len(states),
        remarks=summary.remarks,
        timeline=Timeline.of(summary.rows),
        models_by_status=summary.by_status(),
        slowest=summary.slowest,
        largest=summary.largest,
        failed=failed[:_MAX_FAILURES],
    )
