"""A table of scores for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from numerai_predict.contract.counting import counted
from numerai_predict.scoring.intervals import CONFIDENCE, MIN_EFFECTIVE_ERAS, Interval
from numerai_predict.scoring.score_summary import ScoreSummary
from numerai_predict.terminal.screen import Part
from numerai_predict.terminal.table import Column, TextTable

_INTERVAL = f"{CONFIDENCE:.0%} interval"
_TITLES = ("mean", _INTERVAL, "sharpe", _INTERVAL, "drawdown", "eras", "effective")


def score_table(summaries: Mapping[str, ScoreSummary]) -> list[Part]:
    """A row for each summary, then lines that say which have no interval and why."""
    columns = [Column("", wraps=True), *(Column(title, right=True) for title in _TITLES)]
    rows = [[name, *_cells(each)] for name, each in summaries.items()]
    return [TextTable(columns, rows), *_reasons(summaries), *_undefined(summaries)]


def _cells(summary: ScoreSummary) -> list[str]:
    return [
        format_score(summary.mean, 4),
        format_score_interval(summary.mean_interval, 4),
        format_score(summary.sharpe, 2),
        format_score_interval(summary.sharpe_interval, 2),
        format_score(summary.max_drawdown, 4),
        str(summary.eras),
        format_score(summary.effective_eras, 1) if summary.eras else "-",
    ]


def _undefined(summaries: Mapping[str, ScoreSummary]) -> list[str]:
    """The lines about eras without a score, which no mean includes."""
    return [
        f"{name}: {each.without_scores}" for name, each in summaries.items() if each.undefined_eras
    ]


def _reasons(summaries: Mapping[str, ScoreSummary]) -> list[str]:
    """The lines about scores of too few eras, by the number that they are worth."""
    names: dict[int, list[str]] = {}
    for name, each in summaries.items():
        if each.is_too_short_to_judge:
            names.setdefault(int(each.effective_eras), []).append(name.strip())
    return [
        f"too few eras to judge {', '.join(some)}: they overlap, and are worth "
        f"{counted(count, 'independent era')}; an interval needs {MIN_EFFECTIVE_ERAS}"
        for count, some in names.items()
    ]


def format_score(value: float | None, digits: int = 4) -> str:
    """A number for the terminal; a dash for `None`."""
    return "-" if value is None else f"{value:.{digits}f}"


def format_score_interval(interval: Interval | None, digits: int = 4) -> str:
    """An interval for the terminal; a dash for `None`."""
    return "-" if interval is None else f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


def describe_largest_exposure(mean: float | None, largest: float | None) -> str:
    """What the predictions follow most, over eras."""
    return (
        "largest absolute exposure to one feature in an era: "
        f"{format_score(mean, 3)} on average, {format_score(largest, 3)} at most"
    )
