"""The charts of a diagnosis: each says what is absent where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from numerai_predict.diagnostics.report import Report
from numerai_predict.pages.bar_chart import Bar, bar_svg, heat_map_svg
from numerai_predict.pages.era_chart import EraChart, EraSeries, Values
from numerai_predict.pages.formats import format_name, format_number
from numerai_predict.pages.histogram import histogram_svg
from numerai_predict.pages.palette import SCORE_COLOURS
from numerai_predict.pages.svg import Chart
from numerai_predict.scoring.bands import cumulative_band, cumulative_sum
from numerai_predict.scoring.era_payouts import era_payouts
from numerai_predict.scoring.intervals import mean_interval
from numerai_predict.scoring.payouts import CORR_MULTIPLIER, MMC_MULTIPLIER
from numerai_predict.scoring.score_summary import drawdown
from numerai_predict.scoring.target_overlap import overlapping_scores

_NO_SCORE = "No score could be computed in any era that the model was not trained on."
_YEAR_ERAS, _MIN_WINDOWS = 52, 2


def report_charts(report: Report) -> list[Chart]:
    """All charts, in the order of the page."""
    names = plotted_scores(report)
    eras = [_era_scores(report, name) for name in names]
    distributions = [_distribution(report, name) for name in names]
    return (
        [draw(report) for draw in _SCORES]
        + eras
        + distributions
        + [draw(report) for draw in _EXPOSURES]
    )


def plotted_scores(report: Report) -> list[str]:
    """The scores to plot: those with a value in an era that the model was not trained on."""
    return [name for name in SCORE_COLOURS if name in report.scores and report.scores[name].eras]


def _clean(report: Report, name: str) -> Values:
    """A score of each era; NaN where training inflates it."""
    values = report.eras[name].to_numpy(np.float64).copy()
    values[np.asarray(report.inflated, bool)] = np.nan
    return values


def _overlap(report: Report, values: Values) -> int:
    """How many neighbouring ones of the known scores share time."""
    known = [str(era) for era in report.eras.index[np.isfinite(values)]]
    return overlapping_scores(known, report.overlap.eras)


def _chart(
    report: Report, title: str, caption: str, series: Sequence[EraSeries], missing: str,
    bars: bool = False,
) -> Chart:  # fmt: skip
    """A chart over the eras of the report; without series it says what is missing."""
    if not series:
        return Chart(title, caption, None, missing)
    eras = [str(era) for era in report.eras.index]
    return EraChart(eras, series, report.inflated, bars).as_chart(title, caption)


def _series(report: Report, make: Callable[[Values], Values]) -> list[EraSeries]:
    """What is made of each score in the charts."""
    return [
        EraSeries(name.upper(), SCORE_COLOURS[name], make(_clean(report, name)))
        for name in plotted_scores(report)
    ]


def _cumulative(report: Report) -> Chart:
    series = []
    for name in plotted_scores(report):
        values = _clean(report, name)
        band = cumulative_band(values, _overlap(report, values))
        series.append(EraSeries(name.upper(), SCORE_COLOURS[name], cumulative_sum(values), band))
    absent = [name.upper() for name in SCORE_COLOURS if name not in plotted_scores(report)]
    without = f" There is no {' and no '.join(absent)}: see the notes." if absent else ""
    caption = (
        "Cumulative sum of the scores over eras. The band: at an era, 95 of 100 models of such "
        f"scores would be inside on other eras; none with fewer than 4 effective eras.{without}"
    )
    return _chart(report, "Cumulative scores", caption, series, _NO_SCORE)


def _rolling(report: Report) -> Chart:
    series = []
    window = min(_YEAR_ERAS, len(report.eras) // _MIN_WINDOWS)
    for name in plotted_scores(report):
        mean, low, high = _rolling_mean(report, _clean(report, name), window)
        if np.isfinite(mean).any():
            band = (low, high) if np.isfinite(low).any() else None
            series.append(EraSeries(name.upper(), SCORE_COLOURS[name], mean, band))
    caption = (
        f"Mean of the last {window} eras, with its 95 % interval if they are worth at "
        "least 4 effective eras: whether the score is stable or comes from a few eras."
    )
    return _chart(report, "Rolling means", caption, series, "Rolling means need at least 8 eras.")


def _rolling_mean(report: Report, values: Values, window: int) -> Values:
    """Mean and interval of each window that is complete, shape (3, eras)."""
    found = np.full((3, len(values)), np.nan)
    if window < 4:
        return found
    overlap = _overlap(report, values)
    for end in range(window, len(values) + 1):
        part = values[end - window : end]
        if np.isfinite(part).all():
            interval = mean_interval(part, overlap) or (np.nan, np.nan)
            found[:, end - 1] = part.mean(), *interval
    return found


def _drawdown(report: Report) -> Chart:
    def fall(values: Values) -> Values:
        known = pd.Series(values)
        below = (-drawdown(known)).where(known.notna())
        return np.asarray(below, dtype=np.float64)

    caption = "Distance of each cumulative score from its highest value so far, which starts at 0."
    return _chart(report, "Drawdown", caption, _series(report, fall), _NO_SCORE)


def _payout(report: Report) -> Chart:
    caption = (
        f"Sum over eras of what a stake of 1 earns: {CORR_MULTIPLIER} CORR + {MMC_MULTIPLIER} MMC, "
        "each era clipped at ±5 %. The payout factor is taken as 1; that of a round is smaller, "
        "and rounds overlap."
    )
    title, missing = "Payout", "A payout needs CORR and MMC, and so a meta model for these eras."
    if not {"corr", "mmc"} <= set(plotted_scores(report)):
        return Chart(title, caption, None, missing)
    corr, mmc = (pd.Series(_clean(report, name)) for name in ("corr", "mmc"))
    values: Values = np.asarray(era_payouts(corr, mmc), np.float64)
    band = cumulative_band(values, _overlap(report, values))
    series = [EraSeries("Payout", "c4", cumulative_sum(values), band)]
    return _chart(report, title, caption, series if np.isfinite(values).any() else [], missing)


def _era_scores(report: Report, name: str) -> Chart:
    values = report.eras[name].to_numpy(np.float64)
    series = [EraSeries(name.upper(), SCORE_COLOURS[name], values)]
    caption = "One bar per era; the dashed line is the mean."
    return _chart(report, f"{name.upper()} of each era", caption, series, _NO_SCORE, bars=True)


def _distribution(report: Report, name: str) -> Chart:
    values = _clean(report, name)
    known = values[np.isfinite(values)].tolist()
    title = f"Distribution of {name.upper()}"
    above = sum(value > 0 for value in known) / len(known)
    caption = f"Number of eras by score; {above:.0%} are above 0."
    return Chart(title, caption, histogram_svg(known, title, "era", format_number))


def _correlations(report: Report) -> Chart:
    bars = [Bar(format_name(each.name), each.mean, each.std) for each in report.correlations]
    title = "Correlation with other models"
    caption = (
        "Spearman's correlation with benchmark models and the meta model within an era: mean over "
        "eras, plus and minus one standard deviation."
    )
    missing = "No benchmark model and no meta model covers these eras: nothing to compare."
    return Chart(title, caption, bar_svg(bars, title) if bars else None, missing)


def _feature_sets(report: Report) -> Chart:
    bars = [Bar(f"{format_name(each.name)} ({each.features:,})", each.mean, mark=each.largest)
            for each in report.groups]  # fmt: skip
    title = "Exposure by feature set"
    caption = (
        "For each set (with its number of features): bar, the mean absolute exposure over eras and "
        "features; mark, the largest one of an era."
    )
    missing = "No feature of any set in features.json has an exposure."
    return Chart(title, caption, bar_svg(bars, title) if bars else None, missing)


def _largest_exposures(report: Report) -> Chart:
    bars = [
        Bar(format_name(each.name), each.mean_absolute, mark=each.largest)
        for each in report.exposures
    ]
    title = "Largest exposures"
    caption = "Bar: mean absolute exposure over eras. Mark: the largest one of an era."
    svg = bar_svg(bars, title) if bars else None
    return Chart(title, caption, svg, "No feature has an exposure.")


def _exposures_over_time(report: Report) -> Chart:
    table = report.largest_exposures
    if not all(report.inflated):
        table = table[~np.asarray(report.inflated, bool)]
    title = "Exposure over time"
    caption = (
        "The largest exposures in each era that counts. Blue is negative, orange positive; dark "
        "is large."
    )
    known = table.notna().to_numpy().any()
    values, eras = table.to_numpy(np.float64).T, [str(era) for era in table.index]
    svg = (
        heat_map_svg([format_name(name) for name in table], eras, values, title) if known else None
    )
    return Chart(title, caption, svg, "No feature has an exposure.")


def _turnover(report: Report) -> Chart:
    kind = report.turnover_kind
    values = report.eras["turnover"].to_numpy(np.float64)
    series = [EraSeries(kind.title, "c1", values)] if report.turnover.eras else []
    return _chart(report, kind.title, kind.meaning, series, "Turnover needs at least two eras.")


_SCORES: Sequence[Callable[[Report], Chart]] = (_cumulative, _rolling, _drawdown, _payout)
_EXPOSURES: Sequence[Callable[[Report], Chart]] = (
    _largest_exposures,
    _exposures_over_time,
    _feature_sets,
    _correlations,
    _turnover,
)
