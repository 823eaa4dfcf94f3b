"""What the section `blend` needs of the data, checked before any work."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.data.feature_sets import FeatureSets
from numerai_predict.training.blending.settings import (
    BENCHMARK,
    BlendSettings,
    riskiest_count,
)
from numerai_predict.training.blending.transform import name_of_features


def blend_groups(
    settings: BlendSettings, sets: FeatureSets, columns: Collection[str]
) -> dict[str, list[str]]:
    """The features that the transforms neutralize to, by what the configuration calls them.

    `columns` are those of the data. The benchmark and the riskiest features are none of them.

    Raises:
        BadConfiguration: there is no such feature set, or no such feature in the data.
    """
    groups: dict[str, list[str]] = {}
    for key, features in settings.uses():
        if features == BENCHMARK or (isinstance(features, str) and riskiest_count(features)):
            continue
        if isinstance(features, str) and features not in sets.sets:
            raise BadConfiguration(
                f"expected benchmark, riskiest:20 or a feature set for {key}, found {features!r}; "
                f"there are {', '.join(sets.sets)}",
                "choose one of them",
            )
        names = list(sets.choose(features))
        if missing := [name for name in names if name not in columns]:
            raise BadConfiguration(
                f"expected features of the data for {key}, found {len(missing)} of {len(names)} "
                f"missing, such as {missing[0]}",
                "choose others, or get the data version that has them",
            )
        groups[name_of_features(features)] = names
    return groups


def check_blend_inputs(settings: BlendSettings, benchmark: str | None, meta_model: Path) -> None:
    """Require the files that the transforms and the payouts need.

    Raises:
        BadConfiguration: there is no benchmark to use, or no meta model for MMC.
    """
    keys = [key for key, features in settings.uses() if features == BENCHMARK]
    if keys and benchmark is None:
        raise BadConfiguration(
            f"expected a benchmark model for {' and '.join(keys)}, found no file of benchmark "
            "models",
            "get it with `numerai-predict data get validation_benchmark_models`, or leave the "
            "benchmark out: neutralize_to without it, and benchmark_weights [0]",
        )
    if settings.search and settings.payout_mmc and not meta_model.is_file():
        raise BadConfiguration(
            f"expected {meta_model} for the payout of MMC, found nothing there",
            "get it with `numerai-predict data get meta_model`, or set blend.payout_mmc: 0",
        )
