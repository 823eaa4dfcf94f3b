"""Whether a searched transform earns more on eras that it was not chosen on, and none on noise.

python bench/blending.py [SEEDS]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
import results
from numpy.typing import NDArray

from numerai_predict.scoring.per_era import era_scores
from numerai_predict.training.blending.candidate_scores import (
    PAYOUT,
    BlendEra,
    score_candidates,
)
from numerai_predict.training.blending.candidates import make_candidates
from numerai_predict.training.blending.search_report import BlendSearch, summarize_search
from numerai_predict.training.blending.settings import BlendSettings
from numerai_predict.training.blending.transform import NO_TRANSFORM
from numerai_predict.training.predict_template import rank_in_unit_interval

ROWS, FEATURES, ERAS, UNTOUCHED, OVERLAP, WINDOWS = 200, 12, 80, 60, 4, 4
MAX_EXPOSURE = 0.9
BET, INFORMATIVE = 0, slice(1, 5)
GROUP = "bet"
SETTINGS = BlendSettings(
    search=True,
    neutralize_to=("benchmark", GROUP),
    shares=(0.5, 1.0),
    benchmark_weights=(0.0, 0.3),
    scales=("rank",),
    payout_factor=0.1,
)


@dataclass(frozen=True)
class Simulation:
    """Eras of a market, and a model that bets on a feature whose returns have a mean of 0.

    With a `signal` the returns of four other features have a positive mean, which the model knows.
    Targets are sums of the returns of four weeks, so that neighbouring eras share time.
    """

    seed: int
    signal: float

    def eras(self) -> Iterator[BlendEra]:
        """The searched eras, then an embargo that is left out, then the untouched ones."""
        random = np.random.default_rng([self.seed, int(self.signal * 1000)])
        count = ERAS + OVERLAP + UNTOUCHED
        returns = random.normal(0, 0.01, (count + OVERLAP - 1, FEATURES))
        returns[:, INFORMATIVE] += self.signal
        for number in range(count):
            total = returns[number : number + OVERLAP].sum(axis=0)
            if not ERAS <= number < ERAS + OVERLAP:
                yield self._era(random, number, total)

    def _era(
        self, random: np.random.Generator, number: int, returns: NDArray[np.float64]
    ) -> BlendEra:
        features = random.integers(0, 5, (ROWS, FEATURES)).astype(np.int8)
        ids = pd.Index([f"{number}-{row}" for row in range(ROWS)])
        known = features[:, INFORMATIVE].sum(axis=1).astype(np.float64)
        raw = (features - 2) @ returns + random.normal(0, 1, ROWS)
        target = pd.Series(np.digitize(raw, np.quantile(raw, (0.05, 0.25, 0.75, 0.95))) / 4, ids)
        model = known + 2 * features[:, BET] + random.normal(0, 2, ROWS)
        benchmark = pd.Series(known + random.normal(0, 6, ROWS), ids)
        meta = pd.Series(known + random.normal(0, 6, ROWS), ids)
        name = f"{number + 1:04d}"

        def score(values: NDArray[np.float64]) -> dict[str, float]:
            found = era_scores(
                pd.Series(values, ids),
                target,
                pd.Series(name, ids),
                meta_model=meta,
                benchmark=benchmark,
            )
            return {str(key): float(value) for key, value in found.iloc[0].items()}

        return BlendEra(
            f"window-{number * WINDOWS // ERAS + 1}",
            name,
            rank_in_unit_interval(model),
            benchmark.to_numpy(),
            features,
            {GROUP: features[:, BET : BET + 1]},
            score,
        )


def search(simulation: Simulation) -> tuple[BlendSearch, float]:
    """The search, and how much more than none its choice earns on the untouched eras."""
    candidates = make_candidates(SETTINGS, {GROUP: ["feature_bet"]})
    eras = simulation.eras()
    searched = score_candidates(candidates, islice(eras, ERAS), SETTINGS, MAX_EXPOSURE, OVERLAP)
    found = summarize_search(searched)
    if not found.chosen:
        return found, 0.0
    pair = [NO_TRANSFORM, found.transform]
    untouched = score_candidates(pair, eras, SETTINGS, MAX_EXPOSURE, OVERLAP).of(PAYOUT)
    return found, float((untouched[1] - untouched[0]).mean())


def lines(seeds: int) -> Iterator[str]:
    """The counts of both markets, as the lines of a table."""
    yield f"{seeds} markets each of {ERAS} searched and {UNTOUCHED} untouched eras of {ROWS} rows;"
    yield f"{OVERLAP} neighbouring eras overlap. The model bets on a feature that earns nothing."
    yield "Claimed: the corrected interval of the improvement lies above 0. Better, worse: whether"
    yield "the choice earns more or less than no transform on the untouched eras. Nested: the mean"
    yield "improvement per era that the search estimates without its selection. Untouched: there."
    yield ""
    yield "| market | claimed | transform chosen | better | worse | nested | untouched |"
    yield "|---|---|---|---|---|---|---|"
    for name, signal in (("signal", 0.03), ("noise", 0.0)):
        found = [search(Simulation(seed, signal)) for seed in range(seeds)]
        claimed = sum(each.candidates[each.chosen].improvement.is_shown for each, _ in found)
        gains = np.array([gain for _, gain in found])
        chosen = sum(each.chosen != 0 for each, _ in found)
        nested = [each.nested.improvement.mean or 0.0 for each, _ in found if each.nested]
        yield (
            f"| {name} | {claimed} of {seeds} | {chosen} | {int((gains > 0).sum())} | "
            f"{int((gains < 0).sum())} | {np.mean(nested):.5f} | {gains.mean():.5f} |"
        )


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    results.keep("A blend chosen by payout (`make blending`)", list(lines(count)))
