"""A page with charts over eras, which uPlot draws where scripts run."""

from __future__ import annotations

from collections.abc import Iterable

from numerai_predict.pages.formats import format_name
from numerai_predict.pages.page import Page
from numerai_predict.pages.svg import Chart

_UPLOT = "pages/vendored/uplot"


def chart_page(title: str, eras: Iterable[object], charts: Iterable[Chart]) -> Page:
    """The page of charts over these eras, with the scripts, the styles and the data of them."""
    return Page(
        title,
        scripts=(f"{_UPLOT}/uPlot.iife.min.js", "pages/static/chart.js"),
        styles=(f"{_UPLOT}/uPlot.min.css", "pages/static/chart.css"),
        data={
            "eras": [format_name(era) for era in eras],
            "charts": {chart.key: chart.data for chart in charts if chart.data is not None},
        },
    )
