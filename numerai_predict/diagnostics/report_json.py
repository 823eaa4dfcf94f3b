"""The numbers of a diagnosis as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from numerai_predict.diagnostics.conclusion import conclusion
from numerai_predict.diagnostics.report import Report
from numerai_predict.scoring.score_summary import ScoreSummary

_DATA_FIELDS = ("validation", "target", "features", "benchmark", "meta_model", "neutral_to")


def report_as_json(report: Report, run: Mapping[str, Any]) -> str:
    """The report as one JSON object; `run` is the part that differs between runs."""
    return json.dumps(report_as_dict(report, run), indent=2, allow_nan=False) + "\n"


def report_as_dict(report: Report, run: Mapping[str, Any]) -> dict[str, Any]:
    """The report as the content of a JSON object."""
    return {
        "model": {
            "source": report.subject.model,
            "sha256": report.subject.sha256,
            "python": report.subject.pythons,
            "arguments": report.subject.arguments,
        },
        "data": {name: getattr(report.subject, name) for name in _DATA_FIELDS},
        "summary": _by_name(report.scores),
        "summary_of_trained_eras": _by_name(report.inflated_scores),
        "models_shown": report.models_shown,
        "summary_best_of": _by_name(report.best_of),
        "scored_eras": report.scored_eras,
        "eras_of_equal_predictions": report.equal_eras,
        "conclusion": conclusion(report),
        "overlap": report.overlap.as_entry(),
        "exposure": {
            "groups": [asdict(each) for each in report.groups],
            "largest": [asdict(each) for each in report.exposures],
            "max_of_era": asdict(report.max_exposure),
        },
        "correlations": [asdict(each) for each in report.correlations],
        "turnover": {"kind": report.turnover_kind.name.lower(), **asdict(report.turnover)},
        "eras": [
            {"era": era, "training": kind.value, **row, "rows": int(row["rows"])}
            for kind, (era, row) in zip(report.kinds, _json_rows(report.eras).items(), strict=True)
        ],
        "notes": list(report.notes),
        "run": dict(run),
    }


def json_number(value: float) -> float | None:
    """A number in JSON, which has no NaN: that is `None`."""
    return float(value) if math.isfinite(value) else None


def _by_name(scores: Mapping[str, ScoreSummary]) -> dict[str, Any]:
    return {name: asdict(each) for name, each in scores.items()}


def _json_rows(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The table's rows by index label; `None` for NaN."""
    return {
        str(name): {str(key): json_number(value) for key, value in row.items()}
        for name, row in table.astype(np.float64).to_dict("index").items()
    }
