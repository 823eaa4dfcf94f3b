"""Write a pickle of each kind of pandas object, with the pandas that runs this.

    python tests/inspection/pandas_shapes.py

adds them to tests/inspection/pandas_pickles.zip, in a directory of that pandas.
"""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

ARCHIVE = Path(__file__).with_name("pandas_pickles.zip")
# Protocol 5 gets numpy's module names, which numpy 1 lacks, in the way of what is measured.
_PROTOCOL = 4


def shapes() -> dict[str, object]:
    """An object of each kind by name."""
    names, times = ["a", "b"], pd.date_range("2020-01-01", periods=2)
    return {
        "frame of numbers": pd.DataFrame(np.zeros((2, 2))),
        "frame with named columns": pd.DataFrame({"a": [1.0, 2.0], "b": [1, 2]}),
        "frame of strings": pd.DataFrame({"a": names}),
        "frame with an index of ids": pd.DataFrame({"f": np.int8([1, 2])}, index=names),
        "series of numbers": pd.Series([1.0, 2.0]),
        "series of strings": pd.Series(names),
        "series of objects": pd.Series(["a", 1], dtype=object),
        "series of integers or nothing": pd.Series([1, None], dtype="Int64"),
        "series of booleans or nothing": pd.Series([True, None], dtype="boolean"),
        "series of string dtype": pd.Series(names, dtype="string"),
        "series of Arrow integers": pd.Series([1, 2], dtype="int64[pyarrow]"),
        "series of Arrow strings": pd.Series(names, dtype="string[pyarrow]"),
        "series of categories": pd.Series(names, dtype="category"),
        "series of bins": pd.cut(pd.Series([1.0, 2.0, 3.0]), 2),
        "series of times": pd.Series(times),
        "series of times in UTC": pd.Series(times.tz_localize("UTC")),
        "sparse series": pd.Series(pd.arrays.SparseArray([0, 1, 0])),
        "index of strings": pd.Index(names),
        "index of objects": pd.Index(names, dtype=object),
        "index of numbers": pd.Index([1, 2]),
        "index of a range": pd.RangeIndex(3),
        "index of times": times,
        "index of time differences": pd.to_timedelta([1, 2], unit="s"),
        "index of periods": pd.period_range("2020-01", periods=2, freq="M"),
        "index of intervals": pd.interval_range(0, 3),
        "index of categories": pd.CategoricalIndex(names),
        "index of pairs": pd.MultiIndex.from_product([names, [1, 2]]),
        "dtype of categories": pd.CategoricalDtype(names),
        "time": pd.Timestamp("2020-01-01"),
        "period": pd.Period("2020-01"),
        "NA": pd.NA,
        "NaT": pd.NaT,
        "class of frames": pd.DataFrame,
        "function": pd.concat,
    }


def main() -> None:
    """Add the pickles to the archive."""
    with zipfile.ZipFile(ARCHIVE, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, value in shapes().items():
            data = pickle.dumps(value, protocol=_PROTOCOL)
            archive.writestr(f"pandas {pd.__version__}/{name}.pkl", data)


if __name__ == "__main__":
    main()
