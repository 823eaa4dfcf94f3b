"""The charts of a training: scores and exposures of its windows, and learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import pandas as pd

from numerai_predict.pages.era_chart import EraChart, EraSeries
from numerai_predict.pages.palette import COLOURS, SCORE_COLOURS
from numerai_predict.pages.svg import Chart
from numerai_predict.scoring.bands import cumulative_sum
from numerai_predict.training.evaluation import EXPOSURE, ScoredWindow

_NO_CURVES = "No evaluation on stopping eras was recorded."


def training_charts(windows: Sequence[ScoredWindow]) -> list[Chart]:
    """All charts, in the order of the page."""
    scores = pd.concat([each.evaluation.scores for each in windows])
    return [
        _cumulative(scores),
        _each_era(scores),
        _learning_curves(windows),
        _exposures(scores),
    ]


def _cumulative(scores: pd.DataFrame) -> Chart:
    series = [
        EraSeries(name.upper(), colour, cumulative_sum(scores[name].to_numpy(np.float64)))
        for name, colour in SCORE_COLOURS.items()
        if name in scores and scores[name].notna().any()
    ]
    caption = "Cumulative sum of the scores over the scored eras of all windows."
    return _chart("Cumulative scores", caption, scores, series)


def _each_era(scores: pd.DataFrame) -> Chart:
    series = [EraSeries("CORR", "c1", scores["corr"].to_numpy(np.float64))]
    caption = "One bar per era; the dashed line is the mean."
    return _chart("CORR of each era", caption, scores, series, bars=True)


def _exposures(scores: pd.DataFrame) -> Chart:
    series = [EraSeries("Exposure", "c4", scores[EXPOSURE].to_numpy(np.float64))]
    caption = "The largest absolute correlation of an era's predictions with one feature."
    return _chart("Largest exposure of each era", caption, scores, series)


def _chart(
    title: str, caption: str, scores: pd.DataFrame, series: Sequence[EraSeries], bars: bool = False
) -> Chart:
    if not any(np.isfinite(each.values).any() for each in series):
        return Chart(title, caption, None, "No era has a value.")
    eras = [str(era) for era in scores.index]
    return EraChart(eras, series, [False] * len(eras), bars).as_chart(title, caption)


def _learning_curves(windows: Sequence[ScoredWindow]) -> Chart:
    """CORR of the stopping eras by boosting rounds, a line for each of the newest windows."""
    title = "Learning curves"
    shown = windows[-len(COLOURS) :]
    curves = {each.window.name: _learning_curve(each) for each in shown}
    rounds = sorted(set(chain.from_iterable(curves.values())))
    caption = (
        "CORR of the stopping eras after so many boosting rounds, mean of a window's models; the "
        "best number of rounds is kept."
    )
    if len(shown) < len(windows):
        caption += f" The newest {len(shown)} of {len(windows)} windows."
    if not rounds:
        return Chart(title, caption, None, _NO_CURVES)
    series = [
        EraSeries(name, colour, np.array([curve.get(each, np.nan) for each in rounds]))
        for (name, curve), colour in zip(curves.items(), COLOURS, strict=False)
    ]
    labels = [f"{each:,}" for each in rounds]
    return Chart(title, caption, EraChart(labels, series, [False] * len(labels)).svg(title))


def _learning_curve(window: ScoredWindow) -> dict[int, float]:
    """The mean CORR of the window's models by rounds."""
    found: dict[int, list[float]] = {}
    for model in window.models:
        for look in model.stored.result["looks"]:
            if look["corr"] is not None:
                found.setdefault(int(look["rounds"]), []).append(float(look["corr"]))
    return {rounds: float(np.mean(values)) for rounds, values in found.items()}
