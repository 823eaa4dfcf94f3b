"""The runner accepts exactly what the tournament's own validator accepts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from numerai_predict.contract.errors import InvalidPredictions
from numerai_predict.runner.child import prediction_encoder
from numerai_predict.runner.protocol import Predicted
from numerai_predict.runner.validation import predictions, submission_rules

submissions = pytest.importorskip(
    "numerai_tools.submissions", reason="numerai-tools needs Python 3.11"
)
if not hasattr(submissions, "validate_submission_numerai"):
    pytest.skip("this numerai-tools is older than the rules", allow_module_level=True)

LIVE = [f"n{number:04x}" for number in range(12)]
NEAR_BORDERS = [-1e-9, -1e-7, -1e-8, 1 + 1e-6, 1 + 1e-5, 1 + 2e-5, 0.0, -0.0, 1.0]


def decoded(frame, live_ids=LIVE):
    content, payload = prediction_encoder.encode(frame)
    return predictions.decode(Predicted(**content, seconds=0.1), payload, live_ids)


def runner_accepts(live_ids, frame):
    """The decision of the real pair of processes' code, by way of the bytes between them."""
    found = decoded(frame, live_ids)
    try:
        submission_rules.check(found)
    except InvalidPredictions:
        return False
    ordered = list(found.in_live_order())
    assert len(ordered) == len(live_ids)
    assert np.isfinite(ordered).all()
    return True


def tournament_accepts(live_ids, frame):
    submission = frame.copy()
    submission.insert(0, "id", frame.index)
    try:
        submissions.validate_submission_numerai(
            pd.Series(live_ids), submission.reset_index(drop=True)
        )
    except Exception:
        return False
    return True


def has_text_in_rows_that_are_not_live(frame):
    """The one case in which the validator, called on a frame, differs from itself on a CSV.

    It drops foreign rows before it compares values; in a file of text the whole
    column would be text. The contract asks for a numeric column.
    """
    foreign = frame[~frame.index.isin(LIVE)]
    return any(isinstance(value, str) for value in foreign["prediction"])


KINDS = (
    *("float", "float", "float", "float32", "Float64", "int", "bool"),
    *("odd", "constant", "near", "objects", "numbers"),
)

ordinary = st.floats(0, 1, width=64)
numbers = st.one_of(ordinary, ordinary, ordinary, st.sampled_from(NEAR_BORDERS))
odd_numbers = st.one_of(numbers, st.sampled_from([np.nan, np.inf, -np.inf, 1.2, -3.0, 1e300]))
anything = st.one_of(odd_numbers, st.none(), st.booleans(), st.integers(-1, 2), st.text(max_size=3))


@st.composite
def ids(draw):
    """Ids of rows: mostly all live ids, in any order, with some broken."""
    found = draw(st.permutations(LIVE)) if draw(st.booleans()) else list(LIVE)
    if draw(st.integers(0, 3)) == 0:
        found = found[: draw(st.integers(0, len(found)))]
    if draw(st.integers(0, 3)) == 0:
        found += draw(st.lists(st.sampled_from(["foreign", "n0", "", "0"]), max_size=3))
    if draw(st.integers(0, 5)) == 0:
        found += draw(st.lists(st.sampled_from([*LIVE, None, np.nan]), max_size=2))
    return draw(st.permutations(found)) if draw(st.booleans()) else found


@st.composite
def columns(draw, rows):
    """Values of a dtype: good ones, near-borders, constants and rubbish."""

    def some(values):
        return draw(st.lists(values, min_size=rows, max_size=rows))

    kind = draw(st.sampled_from(KINDS))
    event(kind)
    if kind in ("constant", "near"):
        base = draw(ordinary)
        steps = some(st.sampled_from([0.0, 1e-9, 1e-7, 1e-12] if kind == "near" else [0.0]))
        return pd.Series(base, range(rows), float) + np.array(steps, float)
    if kind == "int":
        return pd.Series(
            some(st.integers(0, 1) if draw(st.booleans()) else st.integers(-1, 2)), dtype="int64"
        )
    if kind == "bool":
        return pd.Series(some(st.booleans()), dtype=bool)
    if kind == "float32":
        return pd.Series(some(numbers), dtype="float32")
    if kind == "Float64":
        return pd.Series(some(st.one_of(ordinary, ordinary, ordinary)), dtype="Float64")
    if kind == "objects":
        return pd.Series(some(anything), dtype=object)
    if kind == "numbers":
        return pd.Series(some(st.one_of(ordinary, st.integers(0, 1), st.booleans())), dtype=object)
    return pd.Series(some(numbers if kind == "float" else odd_numbers), dtype=float)


@st.composite
def frames(draw):
    index = pd.Index(draw(ids()), name="id", dtype=object)
    return pd.DataFrame({"prediction": draw(columns(len(index))).to_numpy()}, index=index)


@pytest.mark.slow
@settings(max_examples=1500)
@given(frames())
def test_any_frame_is_decided_as_the_tournament_decides(frame):
    accepted = runner_accepts(LIVE, frame)
    event(f"accepted: {accepted}")
    if has_text_in_rows_that_are_not_live(frame):
        assert not accepted
    else:
        assert accepted == tournament_accepts(LIVE, frame)


@pytest.mark.slow
def test_the_frames_that_are_tried_are_of_both_kinds():
    decisions = []

    @settings(max_examples=300)
    @given(frames())
    def decide(frame):
        decisions.append(tournament_accepts(LIVE, frame))

    decide()
    assert decisions.count(True) > 50
    assert decisions.count(False) > 50


GOOD = pd.Series(np.linspace(0.1, 0.9, len(LIVE)), LIVE)


def with_value(value, position=0, dtype=float):
    series = GOOD.astype(dtype)
    series.iloc[position] = value
    return series


PICKED = [
    pytest.param(GOOD, True, id="good"),
    pytest.param(GOOD.iloc[::-1], True, id="reversed"),
    pytest.param(GOOD.astype("float32"), True, id="float32"),
    pytest.param(GOOD.astype("float16"), True, id="float16"),
    pytest.param(GOOD.astype("Float64"), True, id="Float64"),
    pytest.param(GOOD.astype(object), True, id="objects"),
    pytest.param((GOOD > 0.5).astype(int), True, id="0 and 1"),
    pytest.param(GOOD > 0.5, True, id="bool"),
    pytest.param(with_value(0.0), True, id="0"),
    pytest.param(with_value(1.0), True, id="1"),
    pytest.param(with_value(-1e-9), True, id="just below 0"),
    pytest.param(with_value(-1e-7), False, id="below 0"),
    pytest.param(with_value(1 + 1e-6), True, id="just above 1"),
    pytest.param(with_value(1 + 2e-5), False, id="above 1"),
    pytest.param(with_value(-1e-9, 3).where(GOOD < 0.9, 1 + 1e-6), True, id="both borders"),
    pytest.param(with_value(np.nan), False, id="NaN"),
    pytest.param(with_value(np.inf), False, id="inf"),
    pytest.param(with_value(-np.inf), False, id="-inf"),
    pytest.param(with_value(1e300), False, id="a number whose square is none"),
    pytest.param(GOOD * 0 + 0.3, False, id="constant"),
    pytest.param(GOOD * 1e-9 + 0.3, False, id="nearly constant"),
    pytest.param(GOOD * 1e-6 + 0.3, True, id="hardly different"),
    pytest.param(GOOD.astype(str), False, id="text"),
    pytest.param(with_value("x", dtype=object), False, id="one text"),
    pytest.param(with_value(None, dtype=object), False, id="one None"),
    pytest.param(GOOD.iloc[1:], False, id="a missing id"),
    pytest.param(pd.concat([GOOD, GOOD.iloc[:1]]), False, id="a repeated id"),
    pytest.param(pd.concat([GOOD, pd.Series([9.0, np.nan], ["x", "x"])]), True, id="foreign ids"),
    pytest.param(pd.concat([GOOD, pd.Series([0.5], [None])]), False, id="no id"),
    pytest.param(GOOD.iloc[:0], False, id="empty"),
    pytest.param(GOOD.set_axis(range(len(GOOD))), False, id="numbers as ids"),
]


@pytest.mark.parametrize(("series", "accepted"), PICKED)
def test_a_frame_picked_by_hand_is_decided_as_the_tournament_decides(series, accepted):
    frame = series.rename("prediction").to_frame()
    assert tournament_accepts(LIVE, frame) is accepted
    assert runner_accepts(LIVE, frame) is accepted


@pytest.mark.parametrize("rows", [1, 2])
def test_few_live_rows_are_decided_as_the_tournament_decides(rows):
    for values in ([0.5, 0.5], [0.5, 0.6]):
        frame = pd.DataFrame({"prediction": values[:rows]}, index=LIVE[:rows])
        assert runner_accepts(LIVE[:rows], frame) == tournament_accepts(LIVE[:rows], frame)


def test_accepted_predictions_come_in_the_order_of_the_live_data():
    content, payload = prediction_encoder.encode(
        GOOD.sample(frac=1, random_state=5).to_frame("prediction")
    )
    decoded = predictions.decode(Predicted(**content, seconds=0.1), payload, LIVE)
    np.testing.assert_array_equal(decoded.in_live_order(), GOOD.to_numpy())


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([f"c{number}" for number in range(100_000)], "100,000 columns (c0, c1,"),
        (["prediction"] * 300, "100 or more columns named prediction"),
        (["a", "b"], "2 columns (a, b)"),
    ],
)
def test_all_columns_of_a_wide_frame_are_counted(names, found):
    frame = pd.DataFrame(np.zeros((len(LIVE), len(names))), pd.Index(LIVE, name="id"), names)
    with pytest.raises(InvalidPredictions) as refused:
        submission_rules.check(decoded(frame))
    assert found in refused.value.message


def test_all_dropped_columns_of_a_wide_frame_are_counted():
    names = ["prediction", *(f"c{number}" for number in range(1_500))]
    frame = pd.DataFrame(np.zeros((len(LIVE), len(names))), pd.Index(LIVE, name="id"), names)
    assert submission_rules.warnings(decoded(frame)) == [
        "dropped 1,500 other column(s); kept 'prediction'"
    ]
