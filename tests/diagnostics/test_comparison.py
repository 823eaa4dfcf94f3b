"""Two models are compared era by era, and the words say no more than the differences support."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from page_text import is_inert
from test_hostile_text import HOSTILE

from numerai_predict.diagnostics.comparison import Judgement, compare_models
from numerai_predict.diagnostics.comparison_conclusion import conclude, names_of
from numerai_predict.diagnostics.comparison_report import comparison_as_json, render_comparison
from numerai_predict.diagnostics.measured_models import PredictedEras
from numerai_predict.diagnostics.promotion_rule import PromotionRule
from numerai_predict.diagnostics.training_overlap import EraKind
from numerai_predict.scoring.overlap_estimate import (
    TOO_FEW_ERAS,
    OverlapEstimate,
    OverlapFinding,
)
from numerai_predict.scoring.score_summary import summarize
from numerai_predict.scoring.target_overlap import decide_overlap

ERAS = 120


@pytest.fixture
def measured(subject):
    """A measured model whose CORR and MMC are noise around these means; target of 20 days."""

    def make(corr=0.0, mmc=0.0, seed=1, kinds=None, eras=ERAS, name="model.pkl", noise=0.02,
             estimate=TOO_FEW_ERAS):  # fmt: skip
        random = np.random.default_rng(seed)
        index = [f"{number:04d}" for number in range(1, eras + 1)]
        means = {"corr": corr, "mmc": mmc}
        columns = {
            score: mean + random.normal(0, noise, eras)
            for score, mean in means.items()
            if mean is not None
        }
        metrics = SimpleNamespace(
            rows=dict.fromkeys(index, 100),
            scores=pd.DataFrame(columns, index),
            exposures=pd.DataFrame({"feature_a": random.normal(0, 0.1, eras)}, index),
            turnover=SimpleNamespace(per_era=pd.Series(0.5, index)),
        )
        return SimpleNamespace(
            subject=subject(model=name, sha256=f"{seed:08x}" * 8, target="target_x_20"),
            metrics=metrics,
            overlap=decide_overlap("target_x_20", estimate),
            kinds=kinds or [EraKind.CLEAN] * eras,
            usage=SimpleNamespace(peak_bytes=0, load_seconds=0.1, slowest_seconds=0.2),
        )

    return make


def compared(first, second):
    random = np.random.default_rng(9)
    ids = [f"n{number}" for number in range(50)]
    return compare_models(
        *(
            PredictedEras(
                model, {era: pd.Series(random.random(50), ids) for era in model.metrics.rows}
            )
            for model in (first, second)
        )
    )


def test_a_model_with_a_higher_payout_is_better_and_the_other_one_worse(measured):
    good, bad = measured(0.03, 0.02, seed=1, name="good.pkl"), measured(seed=2, name="bad.pkl")
    found = compared(good, bad)
    assert found.differences["payout"].judgement is Judgement.BETTER
    assert conclude(found)[0].startswith("good.pkl is better than bad.pkl: mean difference of pay")
    assert compared(bad, good).differences["payout"].judgement is Judgement.WORSE


def test_equal_skill_is_undecided_and_the_eras_that_would_decide_are_counted(measured):
    found = compared(measured(0.02, seed=1), measured(0.018, seed=2))
    corr = found.differences["corr"]
    assert corr.judgement is Judgement.UNDECIDED
    assert corr.eras_to_decide > 0
    assert "further eras" in conclude(found)[0]


def test_a_model_compared_with_itself_differs_in_nothing(measured):
    model = measured(0.02)
    found = compared(model, model)
    assert found.differences["corr"].difference.mean == 0
    assert found.differences["corr"].judgement is Judgement.UNDECIDED
    assert found.differences["corr"].eras_to_decide is None


def test_models_without_skill_are_rarely_called_better_or_worse(measured):
    judgements = [
        compared(measured(seed=seed), measured(seed=seed + 1000)).differences["corr"].judgement
        for seed in range(60)
    ]
    assert sum(each is not Judgement.UNDECIDED for each in judgements) <= 7  # 5 % of 60 are 3


def test_eras_that_one_of_the_models_was_trained_on_are_left_out(measured):
    kinds = [EraKind.TRAINED] * 20 + [EraKind.OVERLAPPING] * 4 + [EraKind.CLEAN] * (ERAS - 24)
    found = compared(measured(0.02, seed=1, kinds=kinds), measured(0.02, seed=2))
    assert found.left_out == 24
    assert len(found.eras) == ERAS - 24
    assert any("24 eras that one of the models" in sentence for sentence in conclude(found))


def test_unknown_training_eras_are_said(measured):
    found = compared(measured(0.02, kinds=[EraKind.UNKNOWN] * ERAS), measured(0.01, seed=2))
    assert found.unknown
    assert any(
        "training eras of at least one model are unknown" in each for each in conclude(found)
    )


def test_without_a_meta_model_corr_decides(measured):
    found = compared(measured(0.03, None, seed=1), measured(0.0, None, seed=2))
    assert found.decisive == "corr"
    assert any("CORR decides in place of the payout" in each for each in conclude(found))


def test_the_overlap_that_the_data_show_widens_every_interval(measured):
    shown = OverlapEstimate(OverlapFinding.FOUND, 12, 12)
    wide = compared(measured(estimate=shown), measured(seed=2, estimate=shown))
    usual = compared(measured(), measured(seed=2))
    assert (usual.overlap.eras, wide.overlap.eras) == (4, 12)
    for comparison in (usual, wide):
        for score, found in comparison.differences.items():
            expected = summarize(comparison.eras[score], comparison.overlap.eras)
            assert found.difference.mean_interval == expected.mean_interval
    assert any(
        "12 neighbouring eras count as overlapping, by the data" in s for s in conclude(wide)
    )
    assert json.loads(comparison_as_json(wide))["overlap"]["source"] == "data"
    assert render_comparison(wide) != render_comparison(usual)
    intervals = [PromotionRule(confidence=0.9).judge(each)[1] for each in (usual, wide)]
    assert intervals[0] != intervals[1]


def test_few_eras_decide_nothing(measured):
    found = compared(measured(0.03, eras=8), measured(0.0, seed=2, eras=8))
    assert "too few for an interval" in conclude(found)[0]
    assert found.differences["corr"].judgement is Judgement.UNDECIDED


def test_without_a_clean_era_nothing_is_said_and_nothing_is_drawn(measured):
    trained = measured(0.02, kinds=[EraKind.TRAINED] * ERAS)
    found = compared(trained, measured(0.01, seed=2))
    assert conclude(found)[0].endswith(" cannot be compared: no era has scores of both.")
    assert "No era has scores of both models" in render_comparison(found)
    assert json.loads(comparison_as_json(found))["eras"] == []


def test_models_of_equal_names_are_distinguished_by_their_hashes(measured):
    first, second = names_of(compared(measured(seed=10), measured(seed=11)))
    assert (first, second) == ("model.pkl (0000000a)", "model.pkl (0000000b)")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text_on_the_page(measured, text):
    found = compared(measured(name=text), measured(seed=2, name=text))
    page = render_comparison(found)
    assert "<script>alert" not in page
    assert is_inert(page)
    json.loads(comparison_as_json(found))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("case", ["usual", "one era", "no score", "hostile"])
def test_the_layout_holds_and_is_accessible(measured, chromium, tmp_path, case, width, scheme):
    names = (" ".join(HOSTILE), "\u0645\u0631\u062d" * 60) if case == "hostile" else ("a", "b")
    eras = 1 if case == "one era" else ERAS
    scores = {"corr": np.nan, "mmc": np.nan} if case == "no score" else {}
    pair = [measured(**scores, eras=eras, seed=n, name=name) for n, name in enumerate(names, 1)]
    path = tmp_path / "compare.html"
    path.write_text(render_comparison(compared(*pair)))
    chromium.require_readable(path, width, scheme)
