"""The HTML page: one self-contained file."""

from __future__ import annotations

from collections.abc import Mapping

from numerai_predict.diagnostics.charts import report_charts
from numerai_predict.diagnostics.conclusion import conclusion
from numerai_predict.diagnostics.report import Report
from numerai_predict.pages.chart_page import chart_page
from numerai_predict.pages.formats import format_name
from numerai_predict.pages.page import render_page
from numerai_predict.scoring.glossary import GLOSSARY
from numerai_predict.scoring.score_summary import ScoreSummary, beside_best_of

MAX_BYTES = 2 * 1024**2

_TEMPLATE = "diagnostics/page.html.j2"


def render_diagnosis(report: Report) -> str:
    """Render the page; the same report gives the same bytes."""
    charts = report_charts(report)
    title = f"{format_name(report.subject.model)}: diagnosis"
    page = chart_page(title, report.eras.index, charts)
    return render_page(
        _TEMPLATE,
        page,
        report=report,
        subject=report.subject,
        conclusion=conclusion(report),
        glossary=GLOSSARY,
        scores=score_rows(report),
        inflated_scores=inflated_rows(report),
        first=format_name(report.eras.index[0]),
        last=format_name(report.eras.index[-1]),
        charts=charts,
        columns=list(report.eras.columns),
        eras=list(report.eras.itertuples(name=None)),
    )


def score_rows(report: Report) -> dict[str, ScoreSummary]:
    """The summaries by display name, each with its value corrected for selection."""
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
        name: f"{name.upper()} ({format_name(suffixes[name])})"
        if suffixes.get(name)
        else name.upper()
        for name in report.scores
    }
