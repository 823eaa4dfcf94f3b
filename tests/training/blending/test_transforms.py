"""The transforms against plain references, and on eras that have little to transform."""

import numpy as np
import pandas as pd
import pytest
from numerai_tools.scoring import gaussian, neutralize

from numerai_predict.training.blending.transform import NO_TRANSFORM, BlendTransform
from numerai_predict.training.predict_template import (
    make_predict,
    predictions_by_era,
    rank_in_unit_interval,
    remaining,
    scaled,
    transform,
    whole_numbers,
)

ROWS = 400
NAMES = tuple(f"feature_{number}" for number in range(12))
TO_BENCHMARK = BlendTransform("benchmark", (), 0.5)
TO_FEATURES = BlendTransform("small", NAMES[:5], 0.5)
BLENDED = BlendTransform("", (), 0.0, 0.3)
BOTH = BlendTransform("small", NAMES[:5], 1.0, 0.3, "gaussian")
ALL = (NO_TRANSFORM, TO_BENCHMARK, TO_FEATURES, BLENDED, BOTH)


class Era:
    def __init__(self, rows=ROWS, seed=3):
        random = np.random.default_rng(seed)
        self.features = random.integers(0, 5, (rows, len(NAMES))).astype(np.int8)
        signal = self.features[:, :3].sum(axis=1) + random.normal(0, 2, rows)
        self.values = rank_in_unit_interval(signal)
        self.benchmark = signal + random.normal(0, 3, rows)

    def transformed(self, blend, rows=slice(None), **changes):
        parts = {name: changes.get(name, getattr(self, name)) for name in vars(self)}
        neutralizers = parts["features"][:, : len(blend.features)]
        arrays = (parts["values"], parts["benchmark"], neutralizers)
        return transform(*(each[rows] for each in arrays), blend.as_spec())


@pytest.fixture
def era():
    return Era()


@pytest.mark.parametrize("scale", ["rank", "gaussian"])
@pytest.mark.parametrize("share", [0.25, 1.0])
def test_what_remains_is_that_of_numerai_tools(era, scale, share):
    values = scaled(era.values, scale)
    frame = pd.DataFrame({"prediction": values / values.std()})
    columns = pd.DataFrame(era.features.astype(float))
    expected = neutralize(frame, columns, share)["prediction"].to_numpy()
    found = remaining(values, whole_numbers(era.features), share) / values.std()
    difference = (found - found.mean()) - (expected - expected.mean())
    assert np.abs(difference).max() < 1e-12


def test_collinear_and_constant_neutralizers_count_once(era):
    values = scaled(era.values, "rank")
    once = whole_numbers(era.features)
    more = np.hstack([once, once[:, :4], 4 - once[:, :2], np.full((ROWS, 2), 3.0)])
    expected = remaining(values, once, 1.0)
    found = remaining(values, more, 1.0)
    assert np.abs((found - found.mean()) - (expected - expected.mean())).max() < 1e-8


def test_the_quantiles_are_those_of_numerai_tools(era):
    found = scaled(era.values, "gaussian") / 2**20
    expected = gaussian(pd.DataFrame({"a": era.values}))["a"].to_numpy()
    assert np.abs(found - expected).max() < 1e-6


@pytest.mark.parametrize("scale", ["rank", "gaussian"])
def test_a_blend_is_a_weighted_sum(era, scale):
    found = era.transformed(BlendTransform("", (), 0.0, 0.3, scale))
    total = 0.7 * scaled(era.values, scale) + 0.3 * scaled(era.benchmark, scale)
    assert found.tolist() == rank_in_unit_interval(total).tolist()


def test_nothing_is_correlated_with_what_was_removed_completely(era):
    whole = BlendTransform("small", NAMES[:5], 1.0)
    found = era.transformed(whole)
    before = max(abs(np.corrcoef(era.values, column)[0, 1]) for column in era.features[:, :5].T)
    after = max(abs(np.corrcoef(found, column)[0, 1]) for column in era.features[:, :5].T)
    assert before > 0.3
    assert after < 0.1
    to_benchmark = era.transformed(BlendTransform("benchmark", (), 1.0))
    assert abs(pd.Series(to_benchmark).corr(pd.Series(era.benchmark), "spearman")) < 0.1


def test_no_transform_is_no_change(era):
    assert era.transformed(NO_TRANSFORM) is not None
    assert (era.transformed(NO_TRANSFORM) == era.values).all()


@pytest.mark.parametrize("blend", ALL)
def test_the_order_of_rows_and_other_eras_change_no_bit(blend):
    eras = [Era(seed=1), Era(seed=2)]
    names = np.repeat(["0001", "0002"], ROWS)
    parts = [np.concatenate([getattr(each, name) for each in eras]) for name in vars(eras[0])]
    features, values, benchmark = parts
    spec = {"neutralize": 0.0, "blend": blend.as_spec(), "max_exposure": 0.2}
    alone = [
        predictions_by_era(
            np.repeat("X", ROWS),
            [each.values],
            each.benchmark,
            each.features[:, : len(blend.features)],
            each.features,
            spec,
        )
        for each in eras
    ]
    order = np.random.default_rng(4).permutation(2 * ROWS)
    neutralizers = features[:, : len(blend.features)]
    mixed = predictions_by_era(
        names[order], [values[order]], benchmark[order], neutralizers[order], features[order], spec
    )
    assert mixed.tolist() == np.concatenate(alone)[order].tolist()


@pytest.mark.parametrize("blend", ALL)
def test_equal_rows_stay_equal(era, blend):
    twice = np.repeat(np.arange(ROWS // 2), 2)
    found = era.transformed(blend, twice)
    assert found[::2].tolist() == found[1::2].tolist()


@pytest.mark.parametrize("blend", ALL)
@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_eras_of_few_rows_are_predicted(blend, rows):
    found = Era(rows).transformed(blend)
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize("blend", [TO_BENCHMARK, BLENDED, BOTH])
def test_rows_without_a_benchmark_count_as_its_middle(era, blend):
    gaps = np.where(np.arange(ROWS) % 3, era.benchmark, np.nan)
    found = era.transformed(blend, benchmark=gaps)
    assert ((found > 0) & (found < 1)).all()
    middle = np.where(np.isnan(gaps), np.nanmedian(gaps), gaps)
    assert np.corrcoef(found, era.transformed(blend, benchmark=middle))[0, 1] > 0.99
    order = np.random.default_rng(1).permutation(ROWS)
    assert era.transformed(blend, order, benchmark=gaps).tolist() == found[order].tolist()


@pytest.mark.parametrize("blend", [TO_BENCHMARK, BLENDED, BOTH])
def test_an_era_without_any_benchmark_is_refused(era, blend):
    with pytest.raises(ValueError, match="found an era without"):
        era.transformed(blend, benchmark=np.full(ROWS, np.nan))


def test_a_constant_benchmark_with_gaps_removes_nothing(era):
    constant = np.where(np.arange(ROWS) % 3, 0.1, np.nan)
    assert era.transformed(TO_BENCHMARK, benchmark=constant).tolist() == era.values.tolist()


def test_constant_features_remove_nothing(era):
    constant = np.full_like(era.features, 2)
    assert era.transformed(TO_FEATURES, features=constant).tolist() == era.values.tolist()


def test_predictions_that_the_neutralizers_explain_completely_stay(era):
    single = BlendTransform("small", NAMES[:1], 1.0)
    explained = rank_in_unit_interval(era.features[:, 0] > 2)
    two = (era.features > 2).astype(np.int8)
    assert era.transformed(single, values=explained, features=two).tolist() == explained.tolist()


@pytest.mark.parametrize("unknown", [np.nan, np.inf, -np.inf])
def test_unknown_values_of_neutralizers_count_as_the_mean(era, unknown):
    features = era.features.astype(np.float32)
    features[::7, 1] = unknown
    features[:, 2] = unknown
    found = era.transformed(TO_FEATURES, features=features)
    assert ((found > 0) & (found < 1)).all()
    assert np.corrcoef(found, era.transformed(TO_FEATURES))[0, 1] > 0.9


@pytest.mark.parametrize("blend", ALL)
@pytest.mark.parametrize("neutral", [0.0, 0.5])
def test_the_function_takes_the_benchmark_only_where_it_uses_it(blend, neutral):
    spec = {
        "features": list(NAMES),
        "kind": "lightgbm",
        "benchmark": "b",
        "neutralize": neutral,
        "max_exposure": None,
        "blend": blend.as_spec(),
    }
    function = make_predict(spec, [])
    expected = 2 if neutral or blend.uses_benchmark else 1
    assert function.__code__.co_argcount == expected


def test_a_missing_neutralizer_is_named():
    blend = BlendTransform("other", ("feature_other",), 0.5)
    spec = {
        "features": list(NAMES),
        "kind": "lightgbm",
        "benchmark": None,
        "neutralize": 0.0,
        "max_exposure": None,
        "blend": blend.as_spec(),
    }
    with pytest.raises(ValueError, match=r"expected 13 features.*such as feature_other"):
        make_predict(spec, [])(pd.DataFrame(Era().features, columns=NAMES))
