"""What hosted compute would refuse of predictions that are valid here."""

import decimal
from dataclasses import asdict

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from numerai_predict.contract.errors import InvalidPredictions
from numerai_predict.runner.child import prediction_encoder
from numerai_predict.runner.frame_schema import MalformedFrame
from numerai_predict.runner.hosted_forms import ReturnedForm
from numerai_predict.runner.protocol import Predicted
from numerai_predict.runner.validation import predictions
from numerai_predict.runner.validation.prediction_validation import require_hosted, validate

LIVE = pd.Index([f"n{number:04x}" for number in range(20)], name="id")
RANKS = pd.Series(np.linspace(0.05, 1, 20), LIVE)


def decoded(frame):
    content, payload = prediction_encoder.encode(frame)
    predicted = Predicted(**content, seconds=0.1)
    return predictions.decode(predicted, payload, list(LIVE))


def good():
    return RANKS.copy().to_frame("prediction")


def with_value(value, frame=None):
    frame = good() if frame is None else frame
    frame.iloc[0, 0] = value
    return frame


def with_row(value):
    frame = good()
    frame.loc["foreign"] = value
    return frame


class Mine(pd.DataFrame):
    """A subclass of DataFrame."""

    @property
    def _constructor(self):
        return Mine


def renamed(column):
    return RANKS.copy().to_frame(column)


def with_columns(columns):
    frame = good()
    frame.columns = columns
    return frame


def as_arrow(kind):
    return RANKS.astype(pd.ArrowDtype(kind)).to_frame("prediction")


def in_decimals():
    return RANKS.map(lambda value: decimal.Decimal(str(round(value, 6))))


def with_era_first():
    frame = good()
    frame.insert(0, "era", "0001")
    return frame


def named(name):
    return good().rename_axis(name)


REFUSED = {
    "index_named_otherwise": (lambda: named("ids"), "an index named 'ids'"),
    "index_without_name": (lambda: named(None), "an index without a name"),
    "index_named_by_a_number": (lambda: named(0), "an index named '0'"),
    "index_name_in_capitals": (lambda: named("ID"), "an index named 'ID'"),
    "reset_and_set_index": (
        lambda: good().reset_index(names="row").set_index("row"),
        "an index named 'row'",
    ),
    "capital_prediction": (lambda: renamed("Prediction"), "a column named 'Prediction'"),
    "column_named_target": (lambda: renamed("target"), "a column named 'target'"),
    "prediction_with_space": (lambda: renamed("prediction "), "a column named 'prediction '"),
    "int_column_name": (lambda: renamed(0), "a column named '0'"),
    "float_column_name": (lambda: renamed(1.5), "a column named '1.5'"),
    "column_without_name": (lambda: pd.DataFrame(RANKS.to_numpy(), LIVE), "a column named '0'"),
    "multiindex_columns": (
        lambda: with_columns(pd.MultiIndex.from_tuples([("lgbm", "prediction")])),
        "a column named",
    ),
    "column_named_predictions": (lambda: renamed("predictions"), "a column named 'predictions'"),
    "dataframe_subclass": (lambda: Mine(good()), "which is a subclass of DataFrame"),
    "arrow_double": (lambda: as_arrow(pa.float64()), "dtype double[pyarrow]"),
    "arrow_halffloat": (lambda: as_arrow(pa.float32()), "dtype float[pyarrow]"),
    "arrow_decimal": (
        lambda: in_decimals().astype(pd.ArrowDtype(pa.decimal128(10, 6))).to_frame("prediction"),
        "dtype decimal128(10, 6)[pyarrow]",
    ),
    "arrow_integers": (
        lambda: RANKS.round().astype("int64[pyarrow]").to_frame("prediction"),
        "dtype int64[pyarrow]",
    ),
    "era_first_then_prediction": (with_era_first, "1 other column(s)"),
    "two_columns": (lambda: good().assign(raw=0.5), "1 other column(s)"),
    "second_column_with_nan": (lambda: good().assign(raw=np.nan), "with NaN in them"),
    "column_of_none": (lambda: good().assign(raw=None), "with NaN in them"),
    "prediction_and_probability": (
        lambda: good().assign(probability=0.5),
        "1 other column(s)",
    ),
    "extra_column_out_of_range_first": (
        lambda: good().assign(raw=5.0)[["raw", "prediction"]],
        "which is not the first",
    ),
    "extra_row_nan": (lambda: with_row(np.nan), "1 dropped row(s) with NaN"),
    "extra_row_infinite": (lambda: with_row(np.inf), "1 dropped row(s) with NaN"),
    "extra_row_out_of_range": (lambda: with_row(7.0), "1 dropped row(s) with NaN"),
    "float_overshoot": (lambda: with_value(1 + 2.3e-16), "outside 0 to 1 by a rounding error"),
    "float_undershoot": (lambda: with_value(-1e-17), "outside 0 to 1 by a rounding error"),
    "undershoot_at_the_limit": (lambda: with_value(-1e-9), "by a rounding error, clipped here"),
    "overshoot_1e6": (lambda: with_value(1.000005), "1 prediction(s) outside 0 to 1"),
}

ACCEPTED = {
    "probability": lambda: renamed("probability"),
    "float16": lambda: good().astype("float16"),
    "float32": lambda: good().astype("float32"),
    "nullable_float": lambda: good().convert_dtypes(),
    "integers": lambda: good().round().astype(int),
    "booleans": lambda: good() > 0.5,
    "object_floats": lambda: good().astype(object),
    "sparse": lambda: good().astype(pd.SparseDtype("float64", 0.0)),
    "row_order_changed": lambda: good().sample(frac=1, random_state=1),
    "categorical_index": lambda: good().set_index(pd.CategoricalIndex(LIVE, name="id")),
    "arrow_string_index": lambda: good().set_index(LIVE.astype("string[pyarrow]")),
    "extra_rows": lambda: with_row(0.3),
    "zero_and_one": lambda: with_value(1.0, with_value(0.0)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_form_that_hosted_compute_refuses_is_accepted_with_one_warning(name):
    make, reason = REFUSED[name]
    validated = validate(decoded(make()))
    (found,) = validated.hosted_reasons
    assert reason in found
    assert f"hosted compute would refuse this: {found}" in validated.warnings
    with pytest.raises(InvalidPredictions, match="hosted compute accepts") as refused:
        require_hosted(validated)
    assert found in refused.value.message


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_form_that_hosted_compute_accepts_has_no_such_warning(name):
    validated = validate(decoded(ACCEPTED[name]()))
    assert validated.hosted_reasons == ()
    require_hosted(validated)


@pytest.mark.parametrize("value", [1 + 2.3e-16, 1 + 1e-9, -1e-17, -1e-9])
def test_a_rounding_error_is_clipped(value):
    assert validate(decoded(with_value(value))).values[0] == round(value)


def test_more_than_a_rounding_error_is_not_clipped():
    assert validate(decoded(with_value(1.000005))).values[0] == 1.000005


def test_each_difference_has_a_warning_of_its_own():
    frame = Mine(with_value(-1e-12, renamed("target").rename_axis(None)))
    assert len(validate(decoded(frame)).hosted_reasons) == 4


INVALID = {
    "id_as_column": (lambda: good().reset_index(), "in the column `id`", 'set_index("id")'),
    "bytes_index": (
        lambda: good().set_index(LIVE.map(str.encode)),
        "the index holds bytes, expected str",
        "map(bytes.decode)",
    ),
    "multiindex": (
        lambda: good().assign(era="0001").set_index("era", append=True),
        "the index is a MultiIndex of id, era",
        'get_level_values("id")',
    ),
    "category": (lambda: good().astype("category"), "dtype category, expected float64", "astype"),
    "complex_numbers": (lambda: good().astype(complex), "dtype complex128, expected", "astype"),
    "arrow_bool": (
        lambda: (good() > 0.5).astype("bool[pyarrow]"),
        "dtype bool[pyarrow], expected float64",
        "astype",
    ),
    "decimals": (
        lambda: in_decimals().to_frame("prediction"),
        "dtype object (decimal.Decimal), expected float64",
        "astype",
    ),
    "dates": (
        lambda: pd.to_datetime(RANKS, unit="s").to_frame("prediction"),
        "dtype datetime64[ns], expected float64",
        "astype",
    ),
    "object_arrays": (
        lambda: pd.DataFrame({"prediction": [np.array([value]) for value in RANKS]}, LIVE),
        "dtype object (numpy.ndarray), expected float64",
        "astype",
    ),
    "strings": (lambda: good().astype(str), "values that are not numbers", "astype(float)"),
    "nearly_constant": (
        lambda: with_value(0.5 + 1e-8, pd.DataFrame({"prediction": 0.5}, LIVE)),
        "standard deviation, 2.24e-09, is practically zero",
        "rank",
    ),
    "constant": (
        lambda: pd.DataFrame({"prediction": 0.5}, LIVE),
        "the same value, 0.5, in every row",
        "untrained",
    ),
    "duplicated_prediction_column": (
        lambda: pd.concat([good(), good()], axis=1),
        "2 columns named prediction",
        "duplicated",
    ),
    "three_probability_columns": (
        lambda: pd.concat([renamed("probability")] * 3, axis=1),
        "3 columns named probability",
        "duplicated",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_a_refused_form_is_named_for_what_it_is(name):
    make, found, remedy = INVALID[name]
    with pytest.raises(InvalidPredictions) as refused:
        validate(decoded(make()))
    assert found in refused.value.message
    assert remedy in refused.value.remedy


@pytest.mark.parametrize("content", [[], {"position": "first"}, {"other": 1}, "text"])
def test_a_form_that_breaks_the_schema_is_refused(content):
    with pytest.raises(MalformedFrame):
        ReturnedForm.parse(content)


def test_each_field_of_a_form_has_its_type():
    good_form = asdict(ReturnedForm())
    assert ReturnedForm.parse(good_form) == ReturnedForm()
    for name, value in good_form.items():
        with pytest.raises(MalformedFrame):
            ReturnedForm.parse({**good_form, name: [value]})
