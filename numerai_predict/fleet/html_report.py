"""The page of a round: one HTML file with nothing to load, the workers' timeline first."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from numerai_predict.contract.limits import format_size
from numerai_predict.fleet.ledger import FleetLedger, Row, as_utc
from numerai_predict.fleet.summary import FleetSummary
from numerai_predict.storage.files import atomic_write

FILE = "fleet.html"

_GOOD, _BAD = "#2a78d6", "#c8452d"
_WIDTH, _LANE, _GAP, _LEFT = 1080, 16, 22, 300
_MOST_FAILURES = 500
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1440px;
       padding: 0 1rem; color: #1b2733; background: #fff }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
p { margin: .25rem 0; color: #52606d }
table { border-collapse: collapse } td, th { text-align: left; padding: .2rem 1.2rem .2rem 0;
       vertical-align: top; border-bottom: 1px solid #e4e9ee } .n { text-align: right }
.message { max-width: 60rem; overflow-wrap: anywhere }
.key span { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 1rem }
.chart { overflow-x: auto } svg text { font-size: 12px; fill: #52606d }
svg .name { fill: #1b2733 } svg rect:hover { opacity: .6 }
"""


def write_report(directory: Path, ledger: FleetLedger) -> Path:
    """Write `fleet.html` into the directory; where it is."""
    summary = FleetSummary.of(ledger)
    path = directory / FILE
    with atomic_write(path) as handle:
        handle.write(_page(directory.name, summary).encode())
    return path


def _page(name: str, summary: FleetSummary) -> str:
    ran = [row for row in summary.rows if row.seconds and row.started]
    title = f"Round {html.escape(name)}"
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>",
        "<meta name=viewport content='width=device-width'>",
        f"<style>{_STYLE}</style><h1>{title}</h1><p>{_headline(summary, ran)}</p>",
        "<h2>Workers</h2>",
        _timeline(ran) if ran else "<p>No model was run.</p>",
        "<h2>Verdicts</h2>",
        _table(("verdict", "models"), _counts(summary)),
        "<h2>Slowest</h2>",
        _table(("model", "seconds", "verdict"), _slow(summary.slowest)),
        "<h2>Largest</h2>",
        _table(("model", "peak memory", "verdict"), _large(summary.largest)),
        _failures(summary),
    ]
    return "\n".join(parts) + "</html>\n"


def _headline(summary: FleetSummary, ran: Sequence[Row]) -> str:
    delivered = sum(row.state == "delivered" for row in summary.rows)
    words = f"{delivered:,} of {len(summary.rows):,} models delivered"
    if not ran:
        return words
    first, last = _span(ran)
    pace = len(ran) / max(last - first, 1e-9) * 3600
    return f"{words}; {as_utc(first)} to {as_utc(last)}, {pace:,.0f} models an hour"


def _span(ran: Sequence[Row]) -> tuple[float, float]:
    starts = [row.started or 0.0 for row in ran]
    return min(starts), max((row.started or 0.0) + (row.seconds or 0.0) for row in ran)


def _timeline(ran: Sequence[Row]) -> str:
    """Each worker's models over time, one lane for each that it ran at once."""
    first, last = _span(ran)
    scale = _WIDTH / max(last - first, 1e-9)
    lanes = _lanes(ran)
    marks, y = [], 24
    for worker, rows in lanes:
        if worker:
            marks.append(f"<text class=name x=0 y={y + 12}>{html.escape(worker)}</text>")
        for row in rows:
            marks.append(_bar(row, first, scale, y))
        y += _GAP
    axis = "".join(
        f"<line x1={x} y1=18 x2={x} y2={y} stroke='#e4e9ee'/><text x={x} y=12>{words}</text>"
        for x, words in _ticks(first, last, scale)
    )
    key = (
        f"<p class=key><span style='background:{_GOOD}'></span>delivered"
        f"<span style='background:{_BAD}'></span>failed; a bar is a model, "
        "from its start to its verdict</p>"
    )
    size = f"width={_LEFT + _WIDTH + 40} height={y + 6}"
    return f"{key}<div class=chart><svg {size} role=img>{axis}{''.join(marks)}</svg></div>"


def _lanes(ran: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Models by worker, so that no two of a lane overlap; only a worker's first lane is named."""
    lanes: list[tuple[str, list[Row]]] = []
    for worker in sorted({f"{row.place}  {row.worker}" for row in ran}):
        own: list[list[Row]] = []
        rows = [row for row in ran if f"{row.place}  {row.worker}" == worker]
        for row in sorted(rows, key=lambda row: row.started or 0.0):
            free = next((lane for lane in own if _ended(lane[-1]) <= (row.started or 0.0)), None)
            if free is None:
                own.append([row])
            else:
                free.append(row)
        lanes += [(_short(worker) if not at else "", lane) for at, lane in enumerate(own)]
    return lanes


def _ended(row: Row) -> float:
    return (row.started or 0.0) + (row.seconds or 0.0)


def _short(worker: str) -> str:
    return worker.replace("numerai_predict_", "").replace("numerai-fleet-", "")


def _bar(row: Row, first: float, scale: float, y: int) -> str:
    x = _LEFT + ((row.started or 0.0) - first) * scale
    width = max(1.0, (row.seconds or 0.0) * scale - 0.5)
    colour = _BAD if row.verdict not in ("ok", None) else _GOOD
    words = html.escape(f"{row.id}: {row.verdict}, {row.seconds:.2f} s")
    return (
        f"<rect x={x:.1f} y={y} width={width:.1f} height={_LANE} rx=2 fill='{colour}'>"
        f"<title>{words}</title></rect>"
    )


def _ticks(first: float, last: float, scale: float) -> Iterable[tuple[float, str]]:
    span = last - first
    step = next((s for s in (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800) if span / s <= 10), 3600)
    for number in range(int(span // step) + 1):
        seconds = number * step
        words = f"{seconds} s" if step < 60 else f"{seconds // 60} min"
        yield _LEFT + seconds * scale, words


def _counts(summary: FleetSummary) -> Iterable[tuple[str, str]]:
    return ((verdict, f"{len(rows):,}") for verdict, rows in summary.by_verdict().items())


def _slow(rows: Sequence[Row]) -> Iterable[tuple[str, str, str]]:
    return ((row.id, f"{row.seconds:.1f}", row.verdict or row.state) for row in rows)


def _large(rows: Sequence[Row]) -> Iterable[tuple[str, str, str]]:
    return ((row.id, format_size(row.peak_bytes or 0), row.verdict or row.state) for row in rows)


def _failures(summary: FleetSummary) -> str:
    failed = [row for row in summary.rows if row.state == "failed"][:_MOST_FAILURES]
    if not failed:
        return ""
    rows = ((row.id, row.verdict or "", (row.message or "").partition("\n")[0]) for row in failed)
    return "<h2>Failed</h2>" + _table(("model", "verdict", "message"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    numbers = {"models", "seconds", "peak memory"}
    kinds = ["n" if name in numbers else "message" if name == "message" else "" for name in head]
    top = "".join(f"<th class='{k}'>{name}</th>" for k, name in zip(kinds, head, strict=True))
    body = "".join(
        "<tr>"
        + "".join(
            f"<td class='{k}'>{html.escape(cell)}</td>" for k, cell in zip(kinds, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{top}</tr>{body}</table>"
