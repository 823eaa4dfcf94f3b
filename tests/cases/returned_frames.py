"""What models return."""

import datetime
import decimal
import fractions

import numpy as np
import pandas as pd
import pyarrow as pa
from case_table import CaseTable, invalid, ok, refused_hosted, warned

TABLE = CaseTable()


def ranks(live):
    """A number between 0 and 1 for each row."""
    return live.filter(like="feature_").mean(axis=1).rank(pct=True, method="first") * 0.9


def frame(live, column="prediction"):
    """A good prediction."""
    return ranks(live).to_frame(column)


def with_value(live, value):
    """One value is another."""
    returned = frame(live)
    returned.iloc[0, 0] = value
    return returned


def with_row(live, value):
    """One row more than the live data have."""
    returned = frame(live)
    returned.loc["not live"] = value
    return returned


def with_index(live, change):
    """The index is another."""
    returned = frame(live)
    returned.index = change(returned.index)
    return returned


def named(name):
    """A model that names the index."""
    return lambda live: frame(live).rename_axis(name)


def with_columns(live, columns):
    """The columns have other names."""
    returned = frame(live)
    returned.columns = columns
    return returned


def as_type(live, dtype):
    """The column is of another type."""
    return frame(live).astype(dtype)


def as_arrow(live, kind):
    """The column is of a type of Arrow."""
    return as_type(live, pd.ArrowDtype(kind))


def decimals(live):
    """The values are decimal numbers."""
    return ranks(live).map(lambda value: decimal.Decimal(str(round(value, 6))))


class Renamed(pd.DataFrame):
    """A DataFrame of another class."""

    @property
    def _constructor(self):
        return Renamed


class Annotated(pd.DataFrame):
    """A DataFrame of another class, whose results are plain."""

    _metadata = ["model"]  # noqa: RUF012


class PlainSeries(pd.Series):
    """A Series of another class."""


def add(expected, **functions):
    """Add functions of the live data under their names."""
    for name, function in functions.items():
        TABLE.add(name, lambda function=function: function, expected)


add(
    refused_hosted("by a rounding error, clipped here"),
    float_overshoot=lambda live: with_value(live, 1 + 2.3e-16),
    float_undershoot=lambda live: with_value(live, -1e-17),
    undershoot_at_the_limit=lambda live: with_value(live, -1e-9),
    overshoot_at_the_limit=lambda live: with_value(live, 1 + 9e-10),
    undershoot_of_float32=lambda live: with_value(live, -1e-10).astype("float32"),
)
add(
    refused_hosted("1 prediction(s) outside 0 to 1"),
    overshoot_1e6=lambda live: with_value(live, 1.000005),
)
add(
    invalid("1 prediction(s) outside 0 to 1"),
    overshoot_beyond_the_tolerance=lambda live: with_value(live, 1.0001),
    percent=lambda live: with_value(live, 55.0),
)
add(
    refused_hosted("an index without a name"),
    index_without_name=lambda live: pd.DataFrame(
        {"prediction": ranks(live).to_numpy()}, index=list(live.index)
    ),
    index_after_concatenation=lambda live: pd.concat(
        [with_index(live.iloc[:9], lambda index: index.rename("a")), frame(live.iloc[9:])]
    ),
)
add(refused_hosted("an index named 'ids'"), index_named_ids=named("ids"))
add(refused_hosted("an index named 'ID'"), index_named_in_capitals=named("ID"))
add(refused_hosted("an index named 'index'"), index_named_index=named("index"))
add(refused_hosted("an index named '0'"), index_named_by_a_number=named(0))
add(refused_hosted("an index named 'id "), index_name_with_space=named("id "))
add(
    refused_hosted("an index named"),
    index_named_otherwise=lambda live: ranks(live).rename_axis("row").to_frame("prediction"),
)
add(
    refused_hosted("a column named"),
    capital_prediction=lambda live: frame(live, "Prediction"),
    column_named_target=lambda live: frame(live, "target"),
    column_named_after_the_model=lambda live: frame(live, "prediction_lgbm_ender20"),
    prediction_with_space=lambda live: frame(live, "prediction "),
    prediction_with_line_break=lambda live: frame(live, "prediction\nsecond"),
    int_column_name=lambda live: frame(live, 0),
    tuple_column_name=lambda live: with_columns(live, pd.Index([("a", 1)], tupleize_cols=False)),
    missing_column_name=lambda live: with_columns(live, [np.nan]),
    date_column_name=lambda live: with_columns(live, [datetime.date(2026, 1, 2)]),
    column_without_name=lambda live: pd.DataFrame(ranks(live).to_numpy(), index=live.index),
    multiindex_columns=lambda live: with_columns(
        live, pd.MultiIndex.from_tuples([("lgbm", "prediction")])
    ),
)
add(
    refused_hosted("a subclass of DataFrame"),
    dataframe_subclass=lambda live: Renamed(frame(live)),
    dataframe_subclass_of_plain_results=lambda live: Annotated(frame(live)),
)
add(
    refused_hosted("[pyarrow], not of NumPy floats"),
    arrow_double=lambda live: as_arrow(live, pa.float64()),
    arrow_halffloat=lambda live: as_type(live, "float32").astype(pd.ArrowDtype(pa.float32())),
    arrow_decimal=lambda live: (
        decimals(live).astype(pd.ArrowDtype(pa.decimal128(10, 6))).to_frame("prediction")
    ),
    arrow_integers=lambda live: frame(live).round().astype(pd.ArrowDtype(pa.uint8())),
    arrow_by_conversion=lambda live: frame(live).convert_dtypes(dtype_backend="pyarrow"),
)
add(
    refused_hosted("other column(s) beside the prediction column", "dropped 1 other column(s)"),
    two_columns=lambda live: frame(live).assign(raw=0.5),
    era_first_then_prediction=lambda live: live[["era"]].assign(prediction=ranks(live)),
    extra_column_out_of_range_first=lambda live: frame(live, "raw").assign(prediction=ranks(live)),
    prediction_and_probability=lambda live: frame(live).assign(probability=0.5),
    extra_column_of_dates=lambda live: frame(live).assign(at=pd.Timestamp(2026, 1, 2)),
    extra_column_of_lists=lambda live: frame(live).assign(names=[["a"]] * len(live)),
)
add(
    refused_hosted("with NaN in them", "dropped 1 other column(s)"),
    second_column_with_nan=lambda live: frame(live).assign(raw=np.nan),
    column_of_none=lambda live: frame(live).assign(raw=None),
    column_with_one_missing_text=lambda live: frame(live).assign(
        raw=["a", *[pd.NA] * 2, *live.index[3:]]
    ),
)
add(
    refused_hosted("1 dropped row(s) with NaN", "dropped 1 row(s) that are not live"),
    extra_row_nan=lambda live: with_row(live, np.nan),
    extra_row_infinite=lambda live: with_row(live, np.inf),
    extra_row_out_of_range=lambda live: with_row(live, 7.0),
)
add(
    warned("dropped 1 row(s) that are not live"),
    extra_rows=lambda live: with_row(live, 0.3),
)
add(
    ok(),
    zero_and_one=lambda live: with_value(live, 1.0) * 1.0,
    float16=lambda live: as_type(live, "float16"),
    float32=lambda live: as_type(live, "float32"),
    big_endian=lambda live: as_type(live, ">f8"),
    long_double=lambda live: as_type(live, "longdouble"),
    nullable_float=lambda live: frame(live).convert_dtypes(),
    nullable_int=lambda live: frame(live).round().astype("Int64"),
    nullable_bool=lambda live: (frame(live) > 0.5).astype("boolean"),
    integers01=lambda live: frame(live).round().astype(int),
    small_integers=lambda live: frame(live).round().astype("uint8"),
    booleans=lambda live: frame(live) > 0.5,
    object_floats=lambda live: as_type(live, object),
    object_mixed=lambda live: pd.DataFrame(
        {"prediction": [0, np.float32(0.5), np.int8(1), *ranks(live).iloc[3:]]},
        live.index,
        dtype=object,
    ),
    sparse=lambda live: as_type(live, pd.SparseDtype("float64", 0.0)),
    row_order_changed=lambda live: frame(live).sort_values("prediction"),
    rows_reversed=lambda live: frame(live)[::-1],
    categorical_index=lambda live: with_index(
        live, lambda index: pd.CategoricalIndex(index, name="id")
    ),
    categories_unused=lambda live: with_index(
        live, lambda index: pd.CategoricalIndex(index, [*index, "other"], name="id")
    ),
    arrow_string_index=lambda live: with_index(live, lambda index: index.astype("string[pyarrow]")),
    index_of_numpy_text=lambda live: with_index(
        live, lambda index: pd.Index([*map(np.str_, index)], dtype=object, name="id")
    ),
    ranked_with_ties=lambda live: (
        live.iloc[:, -1:]
        .set_axis(["prediction"], axis=1)
        .assign(prediction=live.filter(like="feature_").iloc[:, 0].rank(pct=True, method="min"))
    ),
    probability_column=lambda live: frame(live, "probability"),
    negative_zero=lambda live: with_value(live, -0.0),
    smallest_number=lambda live: with_value(live, 5e-324),
    read_only_values=lambda live: pd.DataFrame(
        np.frombuffer(ranks(live).to_numpy().tobytes()), live.index, ["prediction"], copy=False
    ),
    fragment_of_a_larger_frame=lambda live: live.assign(prediction=ranks(live))[["prediction"]],
)
add(
    invalid("in the column `id`", 'set_index("id")'),
    id_as_column=lambda live: frame(live).reset_index(),
    id_as_last_column=lambda live: frame(live).reset_index().iloc[:, ::-1],
)
add(
    invalid("the index holds bytes, expected str", "bytes.decode"),
    bytes_index=lambda live: with_index(live, lambda index: index.map(str.encode)),
)
add(
    invalid("the index is a MultiIndex of", "get_level_values"),
    multiindex=lambda live: frame(live).set_index(live["era"], append=True),
    multiindex_era_first=lambda live: frame(live).set_index(
        pd.MultiIndex.from_arrays([live["era"], live.index])
    ),
)
add(
    invalid("none of the", "keep the index of live_features"),
    row_numbers=lambda live: frame(live).reset_index(drop=True),
    ids_in_capitals=lambda live: with_index(live, lambda index: index.str.upper() + "!"),
    dates_index=lambda live: with_index(
        live, lambda index: pd.date_range("2026-01-01", periods=len(index))
    ),
    interval_index=lambda live: with_index(
        live, lambda index: pd.interval_range(0, len(index), name="id")
    ),
)
for name, dtype, make in (
    ("category", "category", lambda live: frame(live).round(2).astype("category")),
    ("complex_numbers", "complex128", lambda live: as_type(live, complex)),
    ("arrow_bool", "bool[pyarrow]", lambda live: (frame(live) > 0.5).astype("bool[pyarrow]")),
    ("decimals", "object (decimal.Decimal)", lambda live: decimals(live).to_frame("prediction")),
    (
        "fractions",
        "object (fractions.Fraction)",
        lambda live: ranks(live).map(fractions.Fraction).to_frame("prediction"),
    ),
    (
        "object_arrays",
        "object (numpy.ndarray)",
        lambda live: pd.DataFrame(
            {"prediction": [np.array([value]) for value in ranks(live)]}, live.index
        ),
    ),
    (
        "object_lists",
        "object (list)",
        lambda live: ranks(live).map(lambda value: [value]).to_frame("prediction"),
    ),
    (
        "timedelta",
        "timedelta64[ns]",
        lambda live: pd.to_timedelta(ranks(live), unit="s").to_frame("prediction"),
    ),
    (
        "dates",
        "datetime64[ns]",
        lambda live: pd.to_datetime(ranks(live), unit="s").to_frame("prediction"),
    ),
    (
        "intervals",
        "interval",
        lambda live: pd.DataFrame(
            {"prediction": pd.interval_range(0, len(live))}, index=live.index
        ),
    ),
):
    add(invalid(f"a column of dtype {dtype}", "expected float64", "astype"), **{name: make})
add(
    invalid("values that are not numbers", "astype(float)"),
    strings=lambda live: as_type(live, str),
    strings_of_arrow=lambda live: as_type(live, "string[pyarrow]"),
)
add(
    invalid("standard deviation", "practically zero"),
    nearly_constant=lambda live: pd.DataFrame(
        {"prediction": [0.5 + 1e-8, *[0.5] * (len(live) - 1)]}, live.index
    ),
)
add(
    invalid("the same value, 0.5, in every row"),
    constant=lambda live: pd.DataFrame({"prediction": 0.5}, index=live.index),
)
add(
    invalid("2 columns named prediction", "duplicated"),
    duplicated_prediction_column=lambda live: pd.concat([frame(live), frame(live)], axis=1),
    duplicated_beside_others=lambda live: pd.concat(
        [frame(live), frame(live, "era"), frame(live)], axis=1
    ),
)
for name, kind, make in (
    ("numpy_array", "ndarray", lambda live: ranks(live).to_numpy()),
    ("series", "Series", lambda live: ranks(live)),
    ("series_subclass", "PlainSeries", lambda live: PlainSeries(ranks(live))),
    ("list_of_values", "list", lambda live: list(ranks(live))),
    ("tuple_of_a_frame", "tuple", lambda live: (frame(live),)),
    ("dictionary", "dict", lambda live: {"prediction": ranks(live)}),
    ("nothing", "None", lambda live: None),
    ("number", "float", lambda live: 0.5),
    ("arrow_table", "Table", lambda live: pa.Table.from_pandas(frame(live))),
    ("iterator", "map", lambda live: map(float, ranks(live))),
):
    add(invalid(kind, "instead of a DataFrame", "return a DataFrame"), **{name: make})
add(
    invalid("3 prediction(s) infinite", "rank(pct=True)"),
    inf_values=lambda live: frame(live).mask(np.arange(len(live))[:, None] < 3, np.inf),
)
add(
    invalid("3 prediction(s) NaN", "fillna"),
    nan_values=lambda live: frame(live).mask(np.arange(len(live))[:, None] < 3),
    missing_values=lambda live: (
        frame(live).convert_dtypes().mask(np.arange(len(live))[:, None] < 3)
    ),
    values_of_none=lambda live: as_type(live, object).mask(np.arange(len(live))[:, None] < 3, None),
)
add(invalid("a DataFrame without rows"), no_rows=lambda live: frame(live).iloc[:0])
add(invalid("0 columns"), no_columns=lambda live: frame(live).iloc[:, :0])
add(
    invalid("live id(s) more than once"),
    repeated_rows=lambda live: pd.concat([frame(live), frame(live).iloc[:3]]),
)
add(
    invalid("live ids missing", "drop none"),
    half_of_the_rows=lambda live: frame(live).iloc[::2],
)


@TABLE.model(invalid("Styler instead of a DataFrame"), modules=("jinja2",))
def style_of_frame(live):
    """The frame with its looks."""
    return frame(live).style


@TABLE.model(invalid("instead of a DataFrame"), modules=("polars",))
def polars_frame(live):
    """A frame of another library."""
    import polars

    return polars.DataFrame({"id": list(live.index), "prediction": ranks(live).to_numpy()})
