"""The transforms that a search scores, and which of them are neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from numerai_predict.training.blending.settings import BENCHMARK, BlendSettings
from numerai_predict.training.blending.transform import NO_TRANSFORM, BlendTransform


def make_candidates(
    settings: BlendSettings, features: Mapping[str, Sequence[str]]
) -> list[BlendTransform]:
    """All combinations of the settings with `no transform`, the simplest first.

    `features` has the names that each of `neutralize_to` stands for. The benchmark is either
    blended with or neutralized to.
    """
    found = {NO_TRANSFORM}
    for scale in settings.scales:
        for weight in {0.0, *settings.benchmark_weights}:
            for share in {0.0, *settings.shares}:
                for name in settings.neutralize_to:
                    if (not weight and not share) or (weight and share and name == BENCHMARK):
                        continue
                    to = (name, tuple(features.get(name, ()))) if share else ("", ())
                    found.add(BlendTransform(*to, share, weight, scale))
    return sorted(found, key=lambda each: each.complexity)


def neighbours(chosen: BlendTransform, candidates: Sequence[BlendTransform]) -> list[int]:
    """The positions of the candidates that differ from the chosen one by one step of the grid."""
    shares = sorted({each.share for each in candidates})
    weights = sorted({each.benchmark_weight for each in candidates})

    def steps(other: BlendTransform) -> int:
        count = abs(shares.index(chosen.share) - shares.index(other.share))
        count += abs(weights.index(chosen.benchmark_weight) - weights.index(other.benchmark_weight))
        both_neutral = bool(chosen.share and other.share)
        count += both_neutral and chosen.neutralize_to != other.neutralize_to
        neither_plain = not (chosen.changes_nothing or other.changes_nothing)
        return count + (neither_plain and chosen.scale != other.scale)

    return [number for number, each in enumerate(candidates) if steps(each) == 1]
