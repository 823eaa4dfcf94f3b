"""Checks of training data that names alone cannot guarantee: overlap of targets, and leaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from numerai_predict.scoring.exposures import OVERLAP_FEATURES, exposures, target_loadings
from numerai_predict.scoring.overlap_estimate import (
    OverlapEstimate,
    OverlapFinding,
    estimate_overlap,
)
from numerai_predict.training.checkpoints import Checkpoints
from numerai_predict.training.trainers.interface import era_slices
from numerai_predict.training.training_data import TrainingData
from numerai_predict.training.validation_plan import describe_eras

# Real features correlate with a target by less than 0.1.
_LEAK = 0.5
_MOST_ERAS_APART = 12
_CHECKED_ERAS = 8
_SHARED_IDS = 0.5
# To be raised when the checks change: what an older version found is then computed again.
_VERSION = 2
_LABEL = "data checks"


@dataclass(frozen=True)
class FeatureLeak:
    """A feature that is a target: its mean correlation with that of eras so many eras later."""

    feature: str
    target: str
    eras_later: int
    correlation: float

    def __str__(self) -> str:
        era = "the same era"
        if self.eras_later:
            era = f"era {'+' if self.eras_later > 0 else '-'} {abs(self.eras_later)}"
        return (
            f"feature {self.feature} correlates {self.correlation:.2f} with {self.target} of "
            f"{era}: it may contain what is unknown while an era is live"
        )


@dataclass(frozen=True)
class DataFindings:
    """What the checks found: the overlap that the data show, by target, and leaks."""

    overlaps: dict[str, OverlapEstimate]
    leaks: list[FeatureLeak]


def check_data(data: TrainingData, checkpoints: Checkpoints) -> DataFindings:
    """Check the data, or return what the checkpoint of an earlier check says.

    Raises:
        OSError: the checkpoint cannot be written.
    """
    facts = {
        **data.facts(),
        "checks": _VERSION,
        "targets": list(data.targets),
        "eras": describe_eras(data.eras),
    }
    stored = checkpoints.get(_LABEL, facts)
    if stored is None:
        found = DataFindings(estimated_overlaps(data), find_leaks(data))
        stored = checkpoints.put(_LABEL, facts, asdict(found), b"")
    leaks = [FeatureLeak(**leak) for leak in stored.result["leaks"]]
    overlaps = {
        target: OverlapEstimate(**{**each, "finding": OverlapFinding(each["finding"])})
        for target, each in stored.result["overlaps"].items()
    }
    return DataFindings(overlaps, leaks)


def estimated_overlaps(data: TrainingData) -> dict[str, OverlapEstimate]:
    """How many neighbouring eras share time, as the data show it, by target; see `scoring`."""
    names = data.features[:OVERLAP_FEATURES]
    loadings: dict[str, list[NDArray[np.float64]]] = {target: [] for target in data.targets}
    for mask in era_slices(data.history, data.mask(data.eras), len(names)):
        features, row_eras = data.history.features(names, mask), data.history.eras[mask]
        for era in np.unique(row_eras):
            rows = row_eras == era
            for target, values in data.targets.items():
                loadings[target].append(
                    target_loadings(values[mask][rows].astype(np.float64), features[rows])
                )
    return {
        target: estimate_overlap(data.eras, np.array(found)) for target, found in loadings.items()
    }


def find_leaks(data: TrainingData) -> list[FeatureLeak]:
    """Features that correlate with a target, of the same or a near era, more than features can.

    Rows of two eras are compared by id where most ids are in both, else in their order.
    """
    checked = _spread(data.eras)
    apart = range(-_MOST_ERAS_APART, _MOST_ERAS_APART + 1)
    near = sorted({era + distance for era in checked for distance in apart} & set(data.eras))
    ids, features = _ids_by_era(data, near), _features_by_era(data, checked)
    found: dict[int, list[NDArray[np.float64]]] = {}
    for era, distance in product(checked, apart):
        if (other := era + distance) in ids:
            own, theirs = _pairs(ids[era], ids[other])
            values = data.targets[data.main_target][data.mask([other])][theirs]
            found.setdefault(distance, []).append(_correlations(values, features[era][own]))
    means = {distance: _mean(each) for distance, each in found.items()}
    return list(_leaks(data.features, data.main_target, means))


def _ids_by_era(data: TrainingData, eras: Sequence[int]) -> dict[int, NDArray[np.str_]]:
    """The ids of each era, read at once: each reading goes through the whole files."""
    mask = data.mask(eras)
    ids, row_eras = np.asarray(data.history.ids(mask), dtype=np.str_), data.history.eras[mask]
    return {era: ids[row_eras == era] for era in eras}


def _features_by_era(data: TrainingData, eras: Sequence[int]) -> dict[int, NDArray[np.int8]]:
    mask = data.mask(eras)
    features, row_eras = data.history.features(data.features, mask), data.history.eras[mask]
    return {era: features[row_eras == era] for era in eras}


def _leaks(
    features: Sequence[str], target: str, means: dict[int, NDArray[np.float64]]
) -> Iterator[FeatureLeak]:
    """Each feature that leaks, at the distance with the largest correlation."""
    distances = list(means)
    table = np.array([means[distance] for distance in distances])
    for column, feature in enumerate(features):
        row = int(np.argmax(np.abs(table[:, column])))
        correlation = float(table[row, column])
        if abs(correlation) >= _LEAK:
            yield FeatureLeak(feature, target, distances[row], correlation)


def _mean(correlations: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The mean over eras, shape (features,); an undefined correlation is none."""
    mean: NDArray[np.float64] = np.nan_to_num(np.array(correlations)).mean(axis=0)
    return mean


def _correlations(values: NDArray[np.float32], features: NDArray[np.int8]) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    return exposures(pd.Series(values[known]), features[known])


def _pairs(
    own: NDArray[np.str_], theirs: NDArray[np.str_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows of two eras to compare: positions in each."""
    common, own_rows, their_rows = np.intersect1d(own, theirs, return_indices=True)
    if len(common) >= _SHARED_IDS * min(len(own), len(theirs)):
        return own_rows, their_rows
    in_order = np.arange(min(len(own), len(theirs)))
    return in_order, in_order


def _spread(eras: Sequence[int]) -> Sequence[int]:
    step = max(1, len(eras) // _CHECKED_ERAS)
    return eras[::step][:_CHECKED_ERAS]
