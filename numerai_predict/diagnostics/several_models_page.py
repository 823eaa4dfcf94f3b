"""Several models as JSON and as a page: one line a model in each chart, one row in each table."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from numerai_predict.contract.counting import counted
from numerai_predict.diagnostics.comparison import cumulative
from numerai_predict.diagnostics.comparison_conclusion import score_label
from numerai_predict.diagnostics.conclusion import conclusion
from numerai_predict.diagnostics.html_page import inflated_rows, score_rows
from numerai_predict.diagnostics.report_json import json_number, report_as_dict
from numerai_predict.diagnostics.several_models import ModelsReport
from numerai_predict.pages.chart_page import chart_page
from numerai_predict.pages.era_chart import EraChart, EraSeries
from numerai_predict.pages.page import render_page
from numerai_predict.pages.palette import COLOURS
from numerai_predict.pages.svg import Chart
from numerai_predict.scoring.glossary import GLOSSARY

_TEMPLATE = "diagnostics/several_models.html.j2"
_IN_CHARTS = ("corr", "mmc", "bmc", "payout")


def models_as_json(models: ModelsReport, runs: list[dict[str, object]]) -> str:
    """The models as one JSON object; `runs` are the parts that differ between runs."""
    content = {
        "models": [
            {"name": name, **report_as_dict(report, run)}
            for name, report, run in zip(models.names, models.reports, runs, strict=True)
        ],
        "eras": list(models.eras),
        "eras_left_out": models.left_out,
        "summary": {
            score: {name: asdict(each) for name, each in by_model.items()}
            for score, by_model in models.summaries.items()
        },
        "rank_correlations": [[json_number(value) for value in row] for row in models.correlations],
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def render_models(models: ModelsReport) -> str:
    """The page; the same reports give the same bytes."""
    charts = [_chart(models, score) for score in _IN_CHARTS if score in models.scores]
    page = chart_page(f"{counted(len(models.names), 'model')}: diagnosis", models.eras, charts)
    return render_page(
        _TEMPLATE,
        page,
        models=models,
        charts=charts,
        sections=[_section(models, position) for position in range(len(models.names))],
        labels={score: score_label(score) for score in models.summaries},
        glossary=GLOSSARY,
    )


def _section(models: ModelsReport, position: int) -> dict[str, Any]:
    """The part of the page about one model."""
    report = models.reports[position]
    return {
        "name": models.names[position],
        "report": report,
        "conclusion": conclusion(report),
        "scores": score_rows(report),
        "inflated_scores": inflated_rows(report),
    }


def _chart(models: ModelsReport, score: str) -> Chart:
    title = f"Cumulative {score_label(score)}"
    caption = "Sum over the eras that no model was trained on, one line a model."
    table, eras = models.scores[score], [str(era) for era in models.eras]
    series = [
        EraSeries(name, colour, _sums(table[name]))
        for name, colour in zip(models.names, COLOURS, strict=False)
        if table[name].notna().any()
    ]
    return EraChart(eras, series, [False] * len(eras)).as_chart(title, caption)


def _sums(scores: pd.Series[float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(cumulative(scores), np.float64)
