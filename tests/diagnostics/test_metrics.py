"""The metrics of eras say how far their targets overlap, whatever the target is called."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from numerai_predict.diagnostics.charts import report_charts
from numerai_predict.diagnostics.era_predictions import PredictedEra
from numerai_predict.diagnostics.metrics import EraMetrics
from numerai_predict.diagnostics.report_from_metrics import make_report
from numerai_predict.diagnostics.report_json import report_as_dict
from numerai_predict.diagnostics.training_overlap import EraKind
from numerai_predict.diagnostics.validation_data import EraRows
from numerai_predict.scoring.overlap_estimate import OverlapFinding
from numerai_predict.scoring.target_overlap import OverlapSource, decide_overlap

pytestmark = pytest.mark.unit

ERAS, ROWS, FEATURES = 90, 60, 16


@pytest.fixture(scope="module")
def metrics():
    """The metrics of each overlap of the targets, computed once."""
    known = {}

    def of(overlap):
        if overlap not in known:
            known[overlap] = _measure(overlap)
        return known[overlap]

    return of


def _measure(overlap):
    random = np.random.default_rng(11)
    weeks = random.standard_normal((ERAS + overlap, FEATURES))
    found = EraMetrics([f"feature_{n}" for n in range(FEATURES)], None, [])
    for era in range(ERAS):
        features = random.integers(0, 5, (ROWS, FEATURES)).astype(np.int8)
        returns = features @ weeks[era : era + overlap].sum(axis=0)
        target = pd.Series(returns).rank(pct=True).to_numpy()
        target[0] = np.nan
        ids = [f"n{era}_{row}" for row in range(ROWS)]
        rows = EraRows(f"{era + 1:04d}", pa.array(ids), features, target)
        predictions = pd.Series(features[:, 0] + random.random(ROWS), ids)
        found.add(PredictedEra(rows, predictions, pd.DataFrame(index=ids), None))
    return found


def model_of(metrics, subject, kinds, overlap):
    return SimpleNamespace(
        metrics=metrics,
        subject=subject,
        kinds=kinds,
        overlap=overlap,
        equal_eras=[],
        feature_sets=SimpleNamespace(sets={"all": ["feature_0", "feature_1"]}),
    )


def test_trained_eras_are_no_part_of_exposures_turnover_and_correlations(metrics, subject):
    overlap = decide_overlap("target", metrics(1).overlap_estimate)
    kinds = [EraKind.TRAINED] * 30 + [EraKind.CLEAN] * (ERAS - 30)
    report = make_report(model_of(metrics(1), subject(), kinds, overlap), 1, [])
    assert report.max_exposure.eras == ERAS - 30
    assert report.exposures[0].eras == ERAS - 30
    assert report.turnover.eras == ERAS - 30
    clean = metrics(1).exposures.iloc[30:].abs()
    assert report.max_exposure.mean == pytest.approx(clean.max(axis=1).mean())
    assert report.groups[0].largest == pytest.approx(clean.iloc[:, :2].max().max())
    all_trained = make_report(
        model_of(metrics(1), subject(), [EraKind.TRAINED] * ERAS, overlap), 1, []
    )
    assert all_trained.max_exposure.eras == ERAS


def test_a_60_day_target_named_1_is_judged_by_its_data(metrics, subject):
    overlap = decide_overlap("target_mine_1", metrics(12).overlap_estimate)
    assert overlap.source is OverlapSource.DATA
    assert overlap.eras in (11, 12)
    kinds = [EraKind.CLEAN] * ERAS
    report = make_report(model_of(metrics(12), subject(), kinds, overlap), 1, [])
    assert report.scores["corr"].effective_eras == pytest.approx(ERAS / overlap.eras)
    assert report_as_dict(report, {})["overlap"]["eras"] == overlap.eras
    assert report_charts(report)


def test_a_name_of_the_tournament_is_corrected_by_the_data_too(metrics):
    assert decide_overlap("target_ender_20", metrics(12).overlap_estimate).eras > 4
    assert decide_overlap("target_ender_20", metrics(1).overlap_estimate).eras == 4


def test_independent_eras_show_no_overlap(metrics):
    assert metrics(1).overlap_estimate.finding is OverlapFinding.NONE_SHOWN
