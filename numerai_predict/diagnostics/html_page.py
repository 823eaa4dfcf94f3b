"""The page: one HTML file with nothing to load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

import jinja2
from markupsafe import Markup

from numerai_predict.diagnostics import charts
from numerai_predict.diagnostics.report import Report
from numerai_predict.scoring.score_summary import drawdown

MOST_BYTES = 2 * 1024**2

# What is drawn together; FNC is CORR of something else, and is told in numbers.
_DRAWN = ("corr", "mmc", "bmc")


@dataclass(frozen=True)
class Chart:
    """A chart with its words; `svg` is `None` where there is nothing to draw, as `missing` says."""

    title: str
    words: str
    svg: str | None
    missing: str = ""

    @property
    def markup(self) -> Markup:
        """The chart as it goes into the page: every name in it was escaped when it was drawn."""
        return Markup(self.svg or "")  # noqa: S704


def render(report: Report) -> str:
    """The whole page; the same report gives the same bytes."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = format_number
    source = files("numerai_predict.diagnostics").joinpath("page.html.j2").read_text("utf-8")
    return environment.from_string(source).render(
        report=report,
        subject=report.subject,
        names=score_names(report),
        first=str(report.eras.index[0]),
        last=str(report.eras.index[-1]),
        charts=[draw(report) for draw in CHARTS],
        columns=list(report.eras.columns),
        eras=list(report.eras.itertuples(name=None)),
    )


def score_names(report: Report) -> dict[str, str]:
    """The scores that there are, as people call them."""
    more = {"bmc": report.subject.benchmark, "fnc": report.subject.neutral_to}
    return {
        name: f"{name.upper()} ({more[name]})" if more.get(name) else name.upper()
        for name in report.scores
    }


def format_number(value: float | None, digits: int = 4) -> str:
    """The number for people; a dash where there is none."""
    if value is None or value != value:  # NaN is unlike itself
        return "\u2013"
    return f"{value:.{digits}f}".replace("-", "\u2212")


def _plotted_scores(report: Report) -> dict[str, str]:
    """The scores that can be drawn, by their columns."""
    known = (name for name in _DRAWN if name in report.scores and report.scores[name].eras)
    return {name: name.upper() for name in known}


_NO_SCORE = "No score could be computed in any era."


def _cumulative(report: Report) -> Chart:
    title, drawn = "Cumulative scores", _plotted_scores(report)
    table = report.eras[list(drawn)].cumsum()
    svg = charts.line_chart(table, drawn, title) if drawn else None
    absent = [name.upper() for name in _DRAWN if name not in drawn]
    more = f" There is no {' and no '.join(absent)}: the notes say why." if absent else ""
    return Chart(title, f"Sums of the scores, era after era.{more}", svg, _NO_SCORE)


def _per_era(report: Report) -> Chart:
    title, drawn = "Score of each era", _plotted_scores(report)
    svg = charts.bar_chart(report.eras, drawn, title) if drawn else None
    return Chart(title, "A bar an era; the dashed line is the mean.", svg, _NO_SCORE)


def _drawdown(report: Report) -> Chart:
    title, drawn = "Drawdown", _plotted_scores(report)
    scores = report.eras[list(drawn)]
    table = -scores.apply(drawdown).where(scores.notna())
    svg = charts.line_chart(table, drawn, title, filled=True) if drawn else None
    words = "How far each cumulative score lies below its highest point so far, from 0 on."
    return Chart(title, words, svg, _NO_SCORE)


def _correlations(report: Report) -> Chart:
    title = "Correlation with other models"
    svg = charts.interval_chart(report.correlations, title) if report.correlations else None
    words = (
        "Spearman's correlation with benchmark models and the meta model within an era: the mean "
        "over eras, and a standard deviation to each side."
    )
    missing = "No benchmark model and no meta model knows these eras: there is nothing to compare."
    return Chart(title, words, svg, missing)


def _feature_sets(report: Report) -> Chart:
    title = "Exposure by feature set"
    svg = charts.exposure_chart(report.groups, title) if report.groups else None
    words = (
        "A feature's exposure is its Pearson correlation with the predictions, averaged over eras. "
        "Of each set (and how many features it has): the mean and the largest absolute exposure."
    )
    missing = "No feature of any set in features.json has an exposure."
    return Chart(title, words, svg, missing)


def _largest_exposures(report: Report) -> Chart:
    title = "Largest exposures"
    svg = charts.interval_chart(report.exposures, title) if report.exposures else None
    words = "Means over eras, and a standard deviation to each side."
    return Chart(title, words, svg, "No feature has an exposure.")


def _turnover(report: Report) -> Chart:
    kind = report.turnover_kind
    known = bool(report.turnover.eras)
    columns = {"turnover": kind.title}
    svg = charts.line_chart(report.eras, columns, kind.title) if known else None
    return Chart(kind.title, kind.meaning, svg, "It takes two eras to tell a turnover.")


CHARTS: tuple[Callable[[Report], Chart], ...] = (
    _cumulative,
    _per_era,
    _drawdown,
    _correlations,
    _feature_sets,
    _largest_exposures,
    _turnover,
)
