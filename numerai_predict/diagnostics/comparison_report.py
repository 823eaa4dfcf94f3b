"""A comparison as JSON and as a page."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from numerai_predict.diagnostics.comparison import (
    PAYOUT,
    ComparedModel,
    ModelComparison,
    cumulative,
)
from numerai_predict.diagnostics.comparison_conclusion import conclude, names_of, score_label
from numerai_predict.diagnostics.report_json import json_number
from numerai_predict.pages.chart_page import chart_page
from numerai_predict.pages.era_chart import EraChart, EraSeries, Values
from numerai_predict.pages.page import render_page
from numerai_predict.pages.palette import SCORE_COLOURS
from numerai_predict.pages.svg import Chart
from numerai_predict.scoring.bands import cumulative_band
from numerai_predict.scoring.glossary import GLOSSARY
from numerai_predict.scoring.target_overlap import overlapping_scores

_TEMPLATE = "diagnostics/comparison.html.j2"
_COLOURS = {**SCORE_COLOURS, PAYOUT: "c4"}


def comparison_as_json(comparison: ModelComparison) -> str:
    """The comparison as one JSON object."""
    content = {
        "conclusion": conclude(comparison),
        "models": [_model_as_json(each) for each in (comparison.first, comparison.second)],
        "decisive": comparison.decisive,
        "differences": {
            name: {
                "judgement": each.judgement.value,
                "eras_to_decide": each.eras_to_decide,
                **asdict(each),
            }
            for name, each in comparison.differences.items()
        },
        "rank_correlation": json_number(comparison.rank_correlation),
        "eras_left_out": comparison.left_out,
        "training_eras_unknown": comparison.unknown,
        "overlap": comparison.overlap.as_entry(),
        "eras": [
            {"era": str(era), **{str(key): json_number(value) for key, value in row.items()}}
            for era, row in comparison.eras.iterrows()
        ],
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _model_as_json(model: ComparedModel) -> dict[str, Any]:
    subject = model.subject
    return {
        "source": subject.model,
        "sha256": subject.sha256,
        "python": subject.pythons,
        "max_exposure": json_number(model.max_exposure),
        "turnover": json_number(model.turnover),
        "peak_memory_bytes": model.peak_bytes,
        "load_seconds": model.load_seconds,
        "slowest_seconds": model.seconds,
    }


def render_comparison(comparison: ModelComparison) -> str:
    """The page; the same comparison gives the same bytes."""
    first, second = names_of(comparison)
    chart = _chart(comparison)
    page = chart_page(f"{first} and {second}: comparison", comparison.eras.index, [chart])
    return render_page(
        _TEMPLATE,
        page,
        comparison=comparison,
        names=(first, second),
        conclusion=conclude(comparison),
        labels={name: score_label(name) for name in comparison.differences},
        chart=chart,
        glossary=GLOSSARY,
    )


def _chart(comparison: ModelComparison) -> Chart:
    title = "Cumulative differences"
    caption = (
        "Sum over eras of the first model's score less the second's. The band is where 95 % of "
        "such pairs would be on other eras."
    )
    overlap = comparison.overlap.eras
    series = [
        _series(comparison.eras[name], str(name), colour, overlap)
        for name, colour in _COLOURS.items()
        if name in comparison.eras
    ]
    if not series:
        return Chart(title, caption, None, "No era has scores of both models.")
    eras = [str(era) for era in comparison.eras.index]
    return EraChart(eras, series, [False] * len(eras)).as_chart(title, caption)


def _series(differences: pd.Series[float], name: str, colour: str, overlap: int) -> EraSeries:
    values: Values = np.asarray(differences, np.float64)
    known = [str(era) for era in differences.index[np.isfinite(values)]]
    band = cumulative_band(values, overlapping_scores(known, overlap))
    return EraSeries(
        score_label(name), colour, np.asarray(cumulative(differences), np.float64), band
    )
