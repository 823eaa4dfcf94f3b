"""The HTML page: one self-contained file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from numerai_predict.diagnostics import charts
from numerai_predict.diagnostics.report import Report
from numerai_predict.pages.svg import Chart
from numerai_predict.scoring.intervals import Interval
from numerai_predict.scoring.score_summary import ScoreSummary, beside_best_of, drawdown

MAX_BYTES = 2 * 1024**2

# Scores in the charts. FNC is the CORR of neutralized predictions: in the table only.
_PLOTTED = ("corr", "mmc", "bmc")


def render_page(report: Report) -> str:
    """Render the page; the same report gives the same bytes."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = format_number
    environment.filters["interval"] = format_interval
    source = files("numerai_predict.diagnostics").joinpath("page.html.j2").read_text("utf-8")
    return environment.from_string(source).render(
        report=report,
        subject=report.subject,
        scores=score_rows(report),
        inflated_scores=inflated_rows(report),
        first=str(report.eras.index[0]),
        last=str(report.eras.index[-1]),
        charts=[draw(report) for draw in CHARTS],
        columns=list(report.eras.columns),
        eras=list(report.eras.itertuples(name=None)),
    )


def score_rows(report: Report) -> dict[str, ScoreSummary]:
    """The summaries by display name, each with what is left of it if it is the best of several."""
    scores, best_of = _named(report, report.scores), _named(report, report.best_of)
    return beside_best_of(scores, best_of, report.models_shown or 1)


def inflated_rows(report: Report) -> dict[str, ScoreSummary]:
    """The summaries, by display name, of eras whose scores training inflates."""
    return _named(report, report.inflated_scores)


def _named(report: Report, scores: Mapping[str, ScoreSummary]) -> dict[str, ScoreSummary]:
    names = score_names(report)
    return {names[name]: each for name, each in scores.items()}


def score_names(report: Report) -> dict[str, str]:
    """The display name of each score in the report."""
    suffixes = {"bmc": report.subject.benchmark, "fnc": report.subject.neutral_to}
    return {
        name: f"{name.upper()} ({suffixes[name]})" if suffixes.get(name) else name.upper()
        for name in report.scores
    }


def format_number(value: float | None, digits: int = 4) -> str:
    """Format a number for display; a dash for `None` or NaN."""
    if value is None or value != value:  # NaN is not equal to itself
        return "\u2013"
    return f"{value:.{digits}f}".replace("-", "\u2212")


def format_interval(interval: Interval | None, digits: int) -> str:
    """Format an interval for display; a dash for `None`."""
    return " to ".join(format_number(each, digits) for each in interval or (None,))


def _markup(svg: str | None) -> Markup | None:
    """The SVG for the template; names in it were escaped when it was drawn."""
    return None if svg is None else Markup(svg)  # noqa: S704


def _plotted_scores(report: Report) -> dict[str, str]:
    """The display names of the scores in the charts, by column."""
    scored = (name for name in _PLOTTED if name in report.scores and report.scores[name].eras)
    return {name: name.upper() for name in scored}


def _clean_scores(report: Report, plotted: Mapping[str, str]) -> pd.DataFrame:
    """The scores of the charts that add eras up: NaN where training inflates them."""
    scores = report.eras[list(plotted)].astype(np.float64)
    scores.loc[report.inflated] = np.nan
    return scores


_NO_SCORE = "No score could be computed in any era that the model was not trained on."
_MARKED = (
    " Grey: eras that the model was trained on, or that overlap with those; they are not part of "
    "any sum or mean."
)


def _cumulative(report: Report) -> Chart:
    title, plotted = "Cumulative scores", _plotted_scores(report)
    table = _clean_scores(report, plotted).cumsum()
    svg = charts.line_chart(table, plotted, title, marked=report.inflated) if plotted else None
    absent = [name.upper() for name in _PLOTTED if name not in plotted]
    note = f" There is no {' and no '.join(absent)}: see the notes." if absent else ""
    caption = f"Cumulative sum of the scores over eras.{_explain_marks(report)}{note}"
    return Chart(title, caption, _markup(svg), _NO_SCORE)


def _explain_marks(report: Report) -> str:
    return _MARKED if any(report.inflated) else ""


def _per_era(report: Report) -> Chart:
    title, plotted = "Score of each era", _plotted_scores(report)
    svg = charts.bar_chart(report.eras, plotted, title, report.inflated) if plotted else None
    caption = f"One bar per era; the dashed line is the mean.{_explain_marks(report)}"
    return Chart(title, caption, _markup(svg), _NO_SCORE)


def _drawdown(report: Report) -> Chart:
    title, plotted = "Drawdown", _plotted_scores(report)
    scores = _clean_scores(report, plotted)
    table = -scores.apply(drawdown).where(scores.notna())
    marked = report.inflated
    svg = charts.line_chart(table, plotted, title, filled=True, marked=marked) if plotted else None
    caption = "Distance of each cumulative score from its highest value so far, which starts at 0."
    return Chart(title, caption, _markup(svg), _NO_SCORE)


def _correlations(report: Report) -> Chart:
    title = "Correlation with other models"
    svg = charts.interval_chart(report.correlations, title) if report.correlations else None
    caption = (
        "Spearman's correlation with benchmark models and the meta model within an era: mean over "
        "eras, plus and minus one standard deviation."
    )
    missing = "No benchmark model and no meta model has these eras: there is nothing to compare."
    return Chart(title, caption, _markup(svg), missing)


def _feature_sets(report: Report) -> Chart:
    title = "Exposure by feature set"
    svg = charts.exposure_chart(report.groups, title) if report.groups else None
    caption = (
        "A feature's exposure is its correlation with the ranked predictions of an era. For each "
        "set (with its number of features): mean absolute exposure over eras and features, and the "
        "largest of an era."
    )
    missing = "No feature of any set in features.json has an exposure."
    return Chart(title, caption, _markup(svg), missing)


def _largest_exposures(report: Report) -> Chart:
    title = "Largest exposures"
    svg = charts.interval_chart(report.exposures, title) if report.exposures else None
    caption = "Mean over eras, plus and minus one standard deviation."
    return Chart(title, caption, _markup(svg), "No feature has an exposure.")


def _turnover(report: Report) -> Chart:
    kind = report.turnover_kind
    scored = bool(report.turnover.eras)
    columns = {"turnover": kind.title}
    marked = report.inflated
    svg = charts.line_chart(report.eras, columns, kind.title, marked=marked) if scored else None
    return Chart(kind.title, kind.meaning, _markup(svg), "Turnover needs at least two eras.")


CHARTS: tuple[Callable[[Report], Chart], ...] = (
    _cumulative,
    _per_era,
    _drawdown,
    _correlations,
    _feature_sets,
    _largest_exposures,
    _turnover,
)
