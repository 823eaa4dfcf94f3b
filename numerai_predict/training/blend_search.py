"""The step of a training that chooses the transform of the predictions, on the scored eras."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.data.era_selection import era_name
from numerai_predict.runner.run_log import log_step, stderr_terminal
from numerai_predict.scoring.exposures import exposures
from numerai_predict.storage.progress_line import ProgressLine
from numerai_predict.training.blending.candidate_scores import (
    COLUMNS,
    BlendEra,
    CandidateScores,
    score_candidates,
)
from numerai_predict.training.blending.candidates import make_candidates
from numerai_predict.training.blending.search_report import BlendSearch, summarize_search
from numerai_predict.training.blending.settings import BlendSettings, riskiest_count
from numerai_predict.training.blending.transform import (
    NO_TRANSFORM,
    BlendTransform,
    name_of_features,
)
from numerai_predict.training.comparison import ComparisonPredictions
from numerai_predict.training.evaluation import Evaluation, Evaluator, ScoredWindow
from numerai_predict.training.predict_template import combine, has_values
from numerai_predict.training.trainers.interface import era_slices
from numerai_predict.training.training_data import TrainingData

_FORM = 1  # of stored scores
_LINE_SECONDS = 15.0


def first_transform(settings: BlendSettings, groups: Mapping[str, list[str]]) -> BlendTransform:
    """The transform of the configuration; none while the windows are needed to know it."""
    return NO_TRANSFORM if settings.needs_windows else _explicit(settings, groups)


@dataclass(frozen=True)
class ChosenBlend:
    """The transform of the predictions, and the search that chose it, if there was one."""

    transform: BlendTransform
    search: BlendSearch | None = None


def choose_blend(
    settings: BlendSettings,
    evaluator: Evaluator,
    windows: Sequence[ScoredWindow],
) -> ChosenBlend:
    """The configured transform, or the one that a search chooses on the windows' scored eras.

    The evaluator is that of the first transform, which scored the windows; the holdout is not
    looked at.

    Raises:
        BadConfiguration: no scored era has a row of the benchmark.
    """
    if not settings.needs_windows:
        return ChosenBlend(evaluator.blend)
    facts = [evaluator.facts(each.window, each.models) for each in windows]
    evaluations = [each.evaluation for each in windows]
    step = _BlendStep(settings, evaluator, {"windows": facts, "overlap": evaluator.overlap})
    if not settings.search:
        return ChosenBlend(step.explicit(evaluations))
    search = step.search(evaluations)
    return ChosenBlend(search.transform, search)


def _explicit(settings: BlendSettings, groups: Mapping[str, list[str]]) -> BlendTransform:
    own = settings.transform
    if not own.is_used:
        return NO_TRANSFORM
    name = name_of_features(own.neutralize_to) if own.share else ""
    features = tuple(groups.get(name, ()))
    return BlendTransform(name, features, own.share, own.benchmark_weight, own.scale)


@dataclass(frozen=True)
class _BlendStep:
    """Chooses a transform by the predictions of windows, never by those of the holdout.

    `facts` determine those predictions: they are a part of the checkpoints' keys.
    """

    settings: BlendSettings
    evaluator: Evaluator
    facts: dict[str, Any]

    @property
    def data(self) -> TrainingData:
        """The data of the training."""
        return self.evaluator.data

    def explicit(self, windows: Sequence[Evaluation]) -> BlendTransform:
        """The configured transform, with the riskiest features of these windows."""
        groups = {**self.data.groups, **self._riskiest(windows)}
        return _explicit(self.settings, groups)

    def search(self, windows: Sequence[Evaluation]) -> BlendSearch:
        """Score the candidates on the scored eras of these windows, and choose."""
        groups = {**self.data.groups, **self._riskiest(windows)}
        candidates = make_candidates(self.settings, groups)
        facts = {
            **self._payout_facts(),
            "candidates": [json.loads(json.dumps(asdict(each))) for each in candidates],
        }
        stored = self.evaluator.checkpoints.get("blend search", facts)
        if stored is None:
            scores = self._score(candidates, windows, groups)
            result = {"eras": list(scores.eras), "windows": list(scores.windows)}
            body = np.ascontiguousarray(scores.table).tobytes()
            stored = self.evaluator.checkpoints.put("blend search", facts, result, body)
        eras = stored.result["eras"]
        table = np.frombuffer(stored.body).reshape(len(candidates), len(eras), len(COLUMNS))
        scores = CandidateScores(
            candidates, eras, stored.result["windows"], table, self.evaluator.overlap
        )
        found = summarize_search(scores)
        log_step("blend", found.sentences()[0])
        return found

    def _score(
        self,
        candidates: Sequence[BlendTransform],
        windows: Sequence[Evaluation],
        groups: Mapping[str, Sequence[str]],
    ) -> CandidateScores:
        needed = any(each.uses_benchmark for each in candidates)
        eras = self._eras(windows, groups, needs_benchmark=needed)
        count = sum(window.predictions["era"].nunique() for window in windows)
        log_step("blend", f"{len(candidates)} candidates on {count} scored eras")
        shown = _with_progress(eras, count)
        return score_candidates(
            candidates, shown, self.settings, self.evaluator.max_exposure, self.evaluator.overlap
        )

    def _riskiest(self, windows: Sequence[Evaluation]) -> dict[str, list[str]]:
        """The features with the largest mean absolute exposure, by `riskiest:20`."""
        wanted = [
            (name, count)
            for _, name in self.settings.uses()
            if isinstance(name, str) and (count := riskiest_count(name))
        ]
        if not wanted:
            return {}
        stored = self.evaluator.checkpoints.get("blend exposures", self._key())
        if stored is None:
            means = _mean_exposures(self._eras(windows, {}, needs_benchmark=False))
            stored = self.evaluator.checkpoints.put(
                "blend exposures", self._key(), {}, means.tobytes()
            )
        order = np.argsort(-np.frombuffer(stored.body), kind="stable")
        return {name: [self.data.features[column] for column in order[:k]] for name, k in wanted}

    def _key(self) -> dict[str, Any]:
        return {"form": _FORM, "neutralize": self.evaluator.neutralize, **self.facts}

    def _payout_facts(self) -> dict[str, Any]:
        chosen = self.settings
        return {
            **self._key(),
            "payout": [chosen.payout_corr, chosen.payout_mmc, chosen.payout_factor],
            "max exposure": self.evaluator.max_exposure,
        }

    def _eras(
        self,
        windows: Sequence[Evaluation],
        groups: Mapping[str, Sequence[str]],
        *,
        needs_benchmark: bool,
    ) -> Iterator[BlendEra]:
        """The scored eras, those without the benchmark only where it is not needed."""
        comparison, left_out = ComparisonPredictions.read(self.data), []
        found = 0
        for window in windows:
            for rows in self._rows(window, groups):
                benchmark = comparison.benchmark_of(rows.ids)
                if needs_benchmark and not has_values(benchmark):
                    left_out.append(rows.era)
                    continue
                found += 1
                yield self._blend_era(window.window, rows, benchmark, comparison)
        if needs_benchmark and not found:
            raise BadConfiguration(
                f"expected benchmark rows of the scored eras for the section blend, found that "
                f"none of {len(left_out)} eras has one of {self.data.benchmark}",
                "get the files of benchmark models that belong to the data, or leave the benchmark "
                "out of the section",
            )
        if left_out:
            log_step(
                "warning",
                f"{len(left_out)} eras have no row of {self.data.benchmark}, such as "
                f"{left_out[0]}: the search leaves them out",
            )

    def _blend_era(
        self,
        window: str,
        rows: _Rows,
        benchmark: NDArray[np.float64] | None,
        comparison: ComparisonPredictions,
    ) -> BlendEra:
        def score(values: NDArray[np.float64]) -> dict[str, float]:
            predictions = pd.Series(values, rows.ids)
            found = comparison.scores(predictions, rows.targets, rows.era, None)
            return {str(name): float(value) for name, value in found.iloc[0].items()}

        base = combine(rows.outputs, benchmark, self.evaluator.neutralize)
        return BlendEra(window, rows.era, base, benchmark, rows.features, rows.neutralizers, score)

    def _rows(self, window: Evaluation, groups: Mapping[str, Sequence[str]]) -> Iterator[_Rows]:
        """The rows of each era of a window, read in slices of bounded size."""
        data = self.data
        outputs = window.predictions.drop(columns=["era", "prediction"])
        numbers = sorted({int(era) for era in window.predictions["era"].unique()})
        width = len(data.features) + sum(map(len, groups.values()))
        for mask in era_slices(data.history, data.mask(numbers), width):
            features = data.history.features(data.features, mask)
            others = {key: data.history.features(names, mask) for key, names in groups.items()}
            ids = np.asarray(data.history.ids(mask), dtype=object)
            eras, targets = data.history.eras[mask], data.targets[data.main_target][mask]
            for era in np.unique(eras):
                rows = eras == era
                known = outputs.loc[ids[rows]]
                yield _Rows(
                    era_name(int(era)),
                    ids[rows],
                    targets[rows],
                    features[rows],
                    {key: each[rows] for key, each in others.items()},
                    [known[name].to_numpy(np.float64) for name in known],
                )


@dataclass(frozen=True)
class _Rows:
    """One era with its targets, features, neutralizers, and the outputs of each model."""

    era: str
    ids: NDArray[Any]
    targets: NDArray[np.float32]
    features: NDArray[np.int8]
    neutralizers: Mapping[str, NDArray[np.int8]]
    outputs: Sequence[NDArray[np.float64]]


def _mean_exposures(eras: Iterator[BlendEra]) -> NDArray[np.float64]:
    """The mean absolute exposure to each feature; a feature that is always constant has none."""
    tables = [np.abs(exposures(pd.Series(era.predictions), era.features)) for era in eras]
    known = np.isfinite(tables)
    sums = np.where(known, tables, 0.0).sum(axis=0)
    means: NDArray[np.float64] = sums / np.maximum(known.sum(axis=0), 1)
    return means


def _with_progress(eras: Iterator[BlendEra], count: int) -> Iterator[BlendEra]:
    line = ProgressLine(lambda text: log_step("blend", text), stderr_terminal(), _LINE_SECONDS)
    try:
        for number, era in enumerate(eras):
            if line.due():
                line.show(f"era {number + 1} of {count} scored", number / count)
            yield era
    finally:
        line.end()
