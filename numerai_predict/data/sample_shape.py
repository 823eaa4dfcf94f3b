"""Size, signal and files of a sample data set. Imports no pandas: the command line uses it."""

from __future__ import annotations

from dataclasses import dataclass

SMALL_FEATURES = 42
FILES = (
    "features.json",
    "live.parquet",
    "live_benchmark_models.parquet",
    "meta_model.parquet",
    "train.parquet",
    "train_benchmark_models.parquet",
    "validation.parquet",
    "validation_benchmark_models.parquet",
)


@dataclass(frozen=True)
class SampleShape:
    """Size and signal of a sample.

    `signal` is about the correlation of the best possible prediction with the continuous return
    that the targets are binned from; regimes make it up to one half weaker or stronger. `quantum`
    is the number of features in the set of that name, and makes the sample one of v5.3, with its
    benchmark models; with 0 there is no such set.
    """

    live_rows: int = 1000
    rows: int = 200
    train_eras: int = 48
    validation_eras: int = 24
    features: int = 310
    signal: float = 0.2
    seed: int = 42
    quantum: int = 0

    def __post_init__(self) -> None:
        if self.features < SMALL_FEATURES:
            raise ValueError(f"expected at least {SMALL_FEATURES} features, found {self.features}")
        if min(self.live_rows, self.rows, self.train_eras, self.validation_eras) < 1:
            raise ValueError("expected at least one row and one era of each kind")
        if not 0 <= self.quantum <= self.features:
            raise ValueError(
                f"expected 0 to {self.features} quantum features, found {self.quantum}"
            )
        if not 0 <= self.signal < 1:
            raise ValueError(f"expected a signal from 0 to below 1, found {self.signal}")

    @property
    def feature_names(self) -> list[str]:
        """Names of all features; the small and the medium set are the first of them."""
        return [f"feature_sample_{number:04d}" for number in range(self.features)]


DEFAULT_SHAPE = SampleShape()
