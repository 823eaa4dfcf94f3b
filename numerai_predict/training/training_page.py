"""The page of a training: scores with intervals, windows, learning curves, members, settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import yaml

from numerai_predict.pages.chart_page import chart_page
from numerai_predict.pages.page import render_page
from numerai_predict.scoring.glossary import GLOSSARY
from numerai_predict.scoring.score_summary import (
    QuantitySummary,
    ScoreSummary,
    beside_best_of,
)
from numerai_predict.training.blending.search_report import BlendSearch
from numerai_predict.training.bundle_verification import Trial
from numerai_predict.training.evaluation import EXPOSURE, ScoredWindow
from numerai_predict.training.reports import TrainingReport
from numerai_predict.training.training_charts import training_charts
from numerai_predict.training.validation_plan import ValidationWindow, describe_spans

PAGE = "training.html"

_TEMPLATE = "training/page.html.j2"
_MAX_MEMBERS = 12


@dataclass(frozen=True)
class WindowRow:
    """A row of the table of windows: spans of eras as text, the rounds kept, and its CORR."""

    name: str
    training: str
    stopping: str
    scored: str
    rounds: str
    corr: ScoreSummary


@dataclass(frozen=True)
class MemberTable:
    """Spearman's correlations of the models' outputs within an era, mean over the scored eras.

    `values` has shape (members, members).
    """

    names: Sequence[str]
    values: Sequence[Sequence[float]]


def render_training(
    report: TrainingReport,
    windows: Sequence[ScoredWindow],
    trial: Trial,
    absent: Sequence[str],
    search: BlendSearch | None = None,
) -> str:
    """Render the page; the same training gives the same bytes.

    `absent` says which scores there are not, and why; `search` is that for a blend.
    """
    charts = training_charts(windows)
    eras = [era for each in windows for era in each.evaluation.scores.index]
    summaries = report.scores["windows"]
    return render_page(
        _TEMPLATE,
        chart_page("Training", eras, charts),
        report=report,
        glossary=GLOSSARY,
        scores=_scores(summaries),
        holdout_scores=_holdout_scores(report),
        exposure=QuantitySummary(**summaries[EXPOSURE]),
        windows=[_window_row(each) for each in windows],
        eras=len(eras),
        charts=charts,
        members=member_correlations(windows),
        most_members=_MAX_MEMBERS,
        search=search,
        trial=trial,
        absent=absent,
        settings=yaml.safe_dump(report.config.model_dump(mode="json"), sort_keys=False),
        facts=dict(_facts(report)),
    )


def _scores(summaries: Mapping[str, Any]) -> dict[str, ScoreSummary]:
    return {
        name.upper(): ScoreSummary(**facts) for name, facts in summaries.items() if name != EXPOSURE
    }


def _holdout_scores(report: TrainingReport) -> dict[str, ScoreSummary]:
    """The scores of a revealed holdout, each with its value corrected for selection."""
    shown = _scores(report.scores["holdout"] or {})
    best_of = _scores(report.scores["holdout_best_of"] or {})
    return beside_best_of(shown, best_of, report.holdout.models_shown)


def _window_row(scored: ScoredWindow) -> WindowRow:
    window = scored.window
    rounds = sorted({model.rounds for model in scored.models})
    return WindowRow(
        window.name,
        _span(window, window.training),
        _span(window, window.stopping),
        _span(window, window.scored),
        " to ".join(f"{each:,}" for each in dict.fromkeys((rounds[0], rounds[-1]))),
        ScoreSummary(**scored.evaluation.summary()["corr"]),
    )


def _span(window: ValidationWindow, part: Sequence[int]) -> str:
    return describe_spans(part, [*window.training, *window.stopping, *window.scored])


def member_correlations(windows: Sequence[ScoredWindow]) -> MemberTable | None:
    """How alike the models of an ensemble predict; `None` for one model.

    The first models alone, if there are many.
    """
    predictions = pd.concat([each.evaluation.predictions for each in windows])
    names = [str(name) for name in predictions.columns if name not in ("era", "prediction")]
    if len(names) < 2:
        return None
    names = names[:_MAX_MEMBERS]
    each_era = [
        rows[names].corr(method="spearman").to_numpy(np.float64)
        for _, rows in predictions.groupby("era", sort=False)
    ]
    return MemberTable(names, np.nanmean(each_era, axis=0).tolist())


def _facts(report: TrainingReport) -> Iterator[tuple[str, object]]:
    """What was trained on what, by label."""
    trainer, data = report.trainer.facts(), report.data
    yield "Trainer", f"{report.trainer.name} on the {trainer['device'].upper()}"
    yield "Targets", ", ".join(report.config.targets)
    yield "Features", f"{len(data.features):,}"
    yield "Data version", data.version
    yield "Data of the server", data.server
    for name, digest in data.hashes.items():
        yield f"sha256 of {name}", digest
    for name, version in trainer["versions"].items():
        yield f"Version of {name}", version
