"""A table of the chosen transform and the candidates near it, for the terminal."""

from __future__ import annotations

from numerai_predict.cli.score_table import format_score, format_score_interval
from numerai_predict.terminal.screen import Part
from numerai_predict.terminal.table import Column, TextTable
from numerai_predict.training.blending.search_report import BlendSearch

_TITLES = ("payout", "corr", "mmc", "bmc", "exposure", "improvement", "95% interval")


def blend_table(search: BlendSearch) -> list[Part]:
    """A row for the chosen candidate, the best, none and the neighbours; then what is supported."""
    columns = [Column("blend", wraps=True), *(Column(title, right=True) for title in _TITLES)]
    rows = [_cells(search, number) for number in search.shown]
    return [TextTable(columns, rows), *_notes(search), *search.sentences()]


def _cells(search: BlendSearch, number: int) -> list[str]:
    each = search.candidates[number]
    marks = search.marks(number)
    note = f" ({', '.join(marks)})" if marks else ""
    return [
        f"{each.transform}{note}",
        *(format_score(value) for value in (each.payout, each.corr, each.mmc, each.bmc)),
        format_score(each.largest_exposure, 2),
        format_score(each.improvement.mean if number else None),
        format_score_interval(each.improvement.interval if number else None),
    ]


def _notes(search: BlendSearch) -> list[str]:
    """The number of candidates, and why some are not allowed."""
    count = len(search.candidates)
    notes = [
        f"blend: {len(search.shown)} of {count} candidates are shown, scores.json has all; means "
        f"of {search.eras} eras, the largest exposure of any era"
    ]
    if refused := sum(not each.allowed for each in search.candidates):
        notes.append(f"blend: {refused} candidates are above the exposure limit in some era")
    return notes
