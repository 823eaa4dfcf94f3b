"""What a model of noise scores on synthetic data, with and without a purge.

python bench/purge.py [SEEDS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import results
from numpy.typing import NDArray

from numerai_predict.data.sample_shape import SMALL_FEATURES, SampleShape
from numerai_predict.data.synthetic import write_sample
from numerai_predict.scoring.intervals import mean_interval

ERAS, TRAIN_ERAS = 150, 24
OVERLAPS = {"target_ender_20": 4, "target_ender_60": 12}


def read_eras(folder: Path, seed: int) -> list[pd.DataFrame]:
    """The eras of a sample without a signal, features and targets centred."""
    shape = SampleShape(
        1, train_eras=ERAS, validation_eras=1, features=SMALL_FEATURES, signal=0, seed=seed
    )
    write_sample(folder, shape)
    train = pd.read_parquet(folder / "train.parquet").set_index("era")
    centred = train[[*shape.feature_names, *OVERLAPS]]
    centred -= [2.0] * SMALL_FEATURES + [0.5] * len(OVERLAPS)
    return [frame for _, frame in centred.groupby(level=0)]


def walk_forward(eras: list[pd.DataFrame], target: str, purge: int) -> NDArray[np.float64]:
    """The correlation of least squares with the target of each era.

    The models learn from the 24 eras that end `purge` eras before the era they predict.
    """
    features = [frame.iloc[:, :SMALL_FEATURES].to_numpy() for frame in eras]
    targets = [frame[target].to_numpy() for frame in eras]
    squares = np.array([x.T @ x for x in features])
    products = np.array([x.T @ y for x, y in zip(features, targets, strict=True)])
    found = []
    for era in range(TRAIN_ERAS + max(OVERLAPS.values()), len(eras)):
        known = slice(era - purge - TRAIN_ERAS, era - purge)
        weights = np.linalg.solve(squares[known].sum(axis=0), products[known].sum(axis=0))
        found.append(np.corrcoef(features[era] @ weights, targets[era])[0, 1])
    return np.array(found)


def main() -> None:
    """Measure, print and store the results."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    lines = [
        f"Synthetic data without a signal, {seeds} seeds, {ERAS} weekly eras: least squares on",
        f"{TRAIN_ERAS} eras predicts the next one. Skill: how often the interval of the mean",
        "correlation lies above 0.",
        "",
        "| target | purge | correlation | skill |",
        "|---|---|---|---|",
    ]
    tables = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            tables.append(read_eras(Path(folder, "sample"), seed))
    for target, overlap in OVERLAPS.items():
        for purge in (0, overlap):
            scores = [walk_forward(eras, target, purge) for eras in tables]
            intervals = [mean_interval(each, overlap) for each in scores]
            skill = np.mean([found is not None and found.low > 0 for found in intervals])
            lines.append(f"| {target} | {purge} eras | {np.mean(scores):+.3f} | {skill:.0%} |")
    results.keep("Training on noise without a purge (`make simulations`)", lines)


if __name__ == "__main__":
    main()
