"""The search: what it chooses where a transform helps, on noise, and under the exposure limit."""

import numpy as np
import pandas as pd
import pytest

from numerai_predict.scoring.exposures import GATE_EXPOSURE
from numerai_predict.scoring.payouts import CORR_MULTIPLIER, MMC_MULTIPLIER
from numerai_predict.tournament.gate_limits import GateLimits
from numerai_predict.training.blending.candidate_scores import (
    COLUMNS,
    BlendEra,
    CandidateScores,
    predict_era,
    score_candidates,
)
from numerai_predict.training.blending.candidates import make_candidates, neighbours
from numerai_predict.training.blending.search_report import summarize_search
from numerai_predict.training.blending.selection import choose, nested_estimate
from numerai_predict.training.blending.settings import BlendSettings
from numerai_predict.training.blending.transform import NO_TRANSFORM, BlendTransform
from numerai_predict.training.predict_template import rank_in_unit_interval

ROWS, ERAS, OVERLAP = 120, 64, 4
GROUP = {"bet": ["feature_0"]}
SEARCH = BlendSettings(
    search=True,
    neutralize_to=("bet",),
    shares=(0.5, 1.0),
    benchmark_weights=(0.0,),
    scales=("rank",),
    payout_factor=0.1,
)


def market(seed, signal):
    """Eras whose model bets on a feature that earns nothing; with `signal` it also knows others."""
    random = np.random.default_rng(seed)
    returns = random.normal(0, 0.01, (ERAS + OVERLAP - 1, 8))
    returns[:, 1:5] += signal
    for number in range(ERAS):
        features = random.integers(0, 5, (ROWS, 8)).astype(np.int8)
        week = returns[number : number + OVERLAP].sum(axis=0)
        target = (features - 2) @ week + random.normal(0, 1, ROWS)
        known = features[:, 1:5].sum(axis=1)
        model = known + 2 * features[:, 0] + random.normal(0, 1, ROWS)

        def score(values, target=target):
            corr = np.corrcoef(values, target)[0, 1]
            return {"corr": corr, "mmc": corr / 4, "bmc": corr / 4}

        yield BlendEra(
            f"window-{number // 16 + 1}",
            f"{number + 1:04d}",
            rank_in_unit_interval(model),
            known.astype(float),
            features,
            {"bet": features[:, :1]},
            score,
        )


def searched(eras, settings=SEARCH, max_exposure=0.95):
    candidates = make_candidates(settings, GROUP)
    return score_candidates(candidates, eras, settings, max_exposure, OVERLAP)


def table(payouts, excess=None):
    """Scores with these payouts, shape (candidates, eras); the first is no transform."""
    count, eras = np.shape(payouts)
    values = np.zeros((count, eras, len(COLUMNS)))
    values[:, :, 0] = payouts
    values[:, :, -1] = -1 if excess is None else excess
    candidates = [NO_TRANSFORM]
    candidates += [BlendTransform("bet", ("a",), share / 10) for share in range(1, count)]
    names = [f"{era + 1:04d}" for era in range(eras)]
    windows = [f"window-{era * 2 // eras + 1}" for era in range(eras)]
    return CandidateScores(candidates, names, windows, values, 1)


def test_a_transform_that_helps_is_chosen_and_claimed():
    found = summarize_search(searched(market(1, 0.03)))
    assert found.transform.neutralize_to == "bet"
    assert "an improvement is shown" in found.sentences()[0]
    assert "expect less" in found.sentences()[-1]
    assert found.as_entry()["improvement_is_shown"]


def test_noise_claims_no_improvement():
    found = [summarize_search(searched(market(seed, 0.0))) for seed in range(5)]
    assert [each.transform for each in found] == [NO_TRANSFORM] * 5
    for each in found:
        assert "no improvement is shown" in each.sentences()[0]
        assert "stay as they are" in each.sentences()[0]


def test_scores_are_those_of_the_transformed_predictions():
    eras = list(market(2, 0.02))[:3]
    scores = searched(eras)
    for place, candidate in enumerate(scores.candidates):
        for number, era in enumerate(eras):
            values = predict_era(candidate, era, 0.95)
            corr = era.score(values)["corr"]
            payout = 0.1 * (CORR_MULTIPLIER * corr + MMC_MULTIPLIER * corr / 4)
            largest = max(
                abs(pd.Series(values).rank().corr(pd.Series(column))) for column in era.features.T
            )
            expected = [payout, corr, corr / 4, corr / 4, largest, largest - 0.95]
            assert np.allclose(scores.table[place, number], expected, rtol=0, atol=1e-12)


def test_payouts_are_clipped_as_the_tournament_clips_them():
    settings = SEARCH.model_copy(update={"payout_factor": 1000.0})
    payouts = searched(list(market(2, 0.02))[:4], settings).of("payout")
    assert set(np.abs(payouts).ravel()) == {0.05}


def test_the_simplest_within_one_standard_error_is_chosen():
    random = np.random.default_rng(1)
    base = random.normal(0, 0.01, 200)
    noise = random.normal(0, 0.01, (3, 200))
    payouts = np.stack([base, base + 0.0101 + noise[0], base + 0.0105 + noise[1], base - 0.01])
    choice = choose(table(payouts))
    best = choice.improvements[choice.best]
    near = [
        place for place in range(4) if choice.improvements[place].mean >= best.mean - best.error
    ]
    assert choice.chosen == near[0]
    assert choice.improvements[choice.chosen].is_shown


def test_a_better_one_far_from_the_simplest_is_chosen():
    random = np.random.default_rng(1)
    base = random.normal(0, 0.01, 200)
    payouts = np.stack([base, base + 0.001, base + 0.02 + random.normal(0, 0.01, 200)])
    assert choose(table(payouts)).chosen == 2


def test_the_interval_is_wider_for_more_candidates():
    random = np.random.default_rng(3)
    payouts = random.normal(0, 0.01, (9, 100))
    few, many = choose(table(payouts[:2])), choose(table(payouts))
    widths = [np.ptp(each.improvements[1].interval) for each in (few, many)]
    assert widths[1] > 1.3 * widths[0]


def test_candidates_above_the_exposure_limit_are_not_chosen():
    base = np.random.default_rng(1).normal(0, 0.01, 100)
    noise = np.random.default_rng(2).normal(0, 0.001, (2, 100))
    payouts = np.stack([base, base + 0.02 + noise[0], base + 0.01 + noise[1]])
    excess = np.full((3, 100), -0.1)
    excess[1, 7] = 0.01
    choice = choose(table(payouts, excess))
    assert choice.chosen == 2
    assert choice.allowed == [True, False, True]


def test_an_exposure_that_only_a_transform_reduces_is_the_reason_to_use_it():
    noise = np.random.default_rng(1).normal(0, 0.01, (3, 100))
    excess = np.full((3, 100), -0.1)
    excess[0] = 0.2
    found = summarize_search(table(noise, excess))
    assert found.transform != NO_TRANSFORM
    assert "is used because without a transform the exposure" in found.sentences()[0]


def test_without_any_allowed_candidate_the_predictions_stay():
    noise = np.random.default_rng(1).normal(0, 0.01, (3, 100))
    found = summarize_search(table(noise, np.full((3, 100), 0.1)))
    assert found.transform == NO_TRANSFORM
    assert "set max_exposure" in found.sentences()[0]


def test_the_limit_without_a_setting_is_that_of_the_gate():
    assert GateLimits().max_abs_exposure == GATE_EXPOSURE
    eras = list(market(2, 0.02))[:3]
    scores = searched(eras, max_exposure=None)
    chance = scores.of("exposure") - scores.of("excess")
    assert (chance >= GATE_EXPOSURE).all()
    assert not any(choose(scores).allowed)


@pytest.mark.parametrize("eras", [2, 12])
def test_too_few_eras_show_nothing(eras):
    payouts = np.random.default_rng(1).normal(0, 0.01, (3, eras)) + np.arange(3)[:, None]
    scores = table(payouts)
    few = CandidateScores(scores.candidates, scores.eras, scores.windows, scores.table, 4)
    found = summarize_search(few)
    assert found.transform == NO_TRANSFORM
    assert "too few eras" in found.sentences()[0]


def test_eras_without_a_payout_are_left_out():
    payouts = np.random.default_rng(1).normal(0, 0.01, (3, 60))
    payouts[:, :20] = np.nan
    assert summarize_search(table(payouts)).eras == 40
    none = summarize_search(table(np.full((3, 60), np.nan)))
    assert none.transform == NO_TRANSFORM
    assert "no era has a payout" in none.sentences()[0]
    partly = payouts.copy()
    partly[2] = np.nan
    assert choose(table(partly)).allowed == [True, True, False]


def test_the_nested_estimate_never_looks_at_its_own_window():
    random = np.random.default_rng(1)
    base = random.normal(0, 0.01, 120)
    gain = np.where(np.arange(120) < 60, 0.05, -0.05) + random.normal(0, 0.001, 120)
    scores = table(np.stack([base, base + gain]))
    nested = nested_estimate(scores)
    assert nested.choices == {"window-1": 0, "window-2": 1}
    assert nested.improvement.mean == pytest.approx(-0.025, abs=0.001)
    changed = scores.table.copy()
    changed[1, 60:] += 1
    other = CandidateScores(scores.candidates, scores.eras, scores.windows, changed, 1)
    assert nested_estimate(other).choices["window-2"] == nested.choices["window-2"]


def test_one_window_has_no_nested_estimate():
    scores = table(np.random.default_rng(1).normal(0, 0.01, (2, 40)))
    alone = CandidateScores(scores.candidates, scores.eras, ["w"] * 40, scores.table, 1)
    assert nested_estimate(alone) is None


def test_candidates_are_all_combinations_but_both_uses_of_the_benchmark():
    settings = BlendSettings(search=True)
    features = {"riskiest:20": [f"f{number}" for number in range(20)]}
    candidates = make_candidates(settings, features)
    assert candidates[0] == NO_TRANSFORM
    assert len(candidates) == len(set(candidates)) == 21
    assert len(candidates) <= settings.combinations
    assert not any(each.to_benchmark and each.benchmark_weight for each in candidates)
    assert all(len(each.features) == 20 for each in candidates if "riskiest" in each.neutralize_to)


def test_neighbours_are_one_step_away():
    candidates = make_candidates(BlendSettings(search=True), {})
    chosen = BlendTransform("riskiest:20", (), 0.5, 0.2, "rank")
    found = {str(candidates[number]) for number in neighbours(chosen, candidates)}
    assert found == {
        "0.2 benchmark",
        "0.2 benchmark, 1 neutral to riskiest:20",
        "0.4 benchmark, 0.5 neutral to riskiest:20",
        "0.5 neutral to riskiest:20",
        "0.2 benchmark, 0.5 neutral to riskiest:20, gaussian",
    }
