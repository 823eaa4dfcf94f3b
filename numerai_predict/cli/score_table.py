"""A table of scores for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from numerai_predict.contract.counting import counted
from numerai_predict.scoring.intervals import CONFIDENCE, MIN_EFFECTIVE_ERAS, Interval
from numerai_predict.scoring.score_summary import ScoreSummary

_INTERVAL = f"{CONFIDENCE:.0%} interval"


def score_table(summaries: Mapping[str, ScoreSummary]) -> str:
    """One line for each summary, and one that says which have no interval and why."""
    width = max(16, *map(len, summaries))
    lines = [
        f"{'':{width}} {'mean':>8} {_INTERVAL:>18} {'sharpe':>7} {_INTERVAL:>16} "
        f"{'drawdown':>8} {'eras':>5}"
    ]
    lines += [
        f"{name:{width}} {_number(each.mean, 4):>8} {_interval(each.mean_interval, 4):>18} "
        f"{_number(each.sharpe, 2):>7} {_interval(each.sharpe_interval, 2):>16} "
        f"{_number(each.max_drawdown, 4):>8} {each.eras:>5}"
        for name, each in summaries.items()
    ]
    return "\n".join([*lines, *_reasons(summaries), *_undefined(summaries)])


def _undefined(summaries: Mapping[str, ScoreSummary]) -> list[str]:
    """The lines about eras without a score, which no mean includes."""
    return [
        f"{name}: {each.undefined_eras} more eras have no score: the files have no predictions to "
        "compare with there, or predictions or targets are equal"
        for name, each in summaries.items()
        if each.undefined_eras
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


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _interval(interval: Interval | None, digits: int) -> str:
    return "-" if interval is None else f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"
