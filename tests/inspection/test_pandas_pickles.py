"""Whether a version of pandas can read the objects of another one, found without unpickling."""

import pickle
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from numerai_predict.inspection.compatibility import CompatibilityLevel, compatibilities
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.library_metadata import unreadable_kinds

ARCHIVE = Path(__file__).with_name("pandas_pickles.zip")
with zipfile.ZipFile(ARCHIVE) as pickles:
    PICKLES = {name: pickles.read(name) for name in pickles.namelist()}

NO_PANDAS_3 = {
    "index of categories",
    "index of periods",
    "NaT",
    "series of bins",
    "series of categories",
}


@pytest.fixture
def inspected_pickle(tmp_path):
    """The inspection of a pickle in the archive."""

    def inspect(name):
        path = tmp_path / "model.pkl"
        path.write_bytes(PICKLES[name])
        return inspect_pickle(path)

    return inspect


@pytest.mark.parametrize("name", PICKLES)
def test_what_the_inspection_says_of_this_pandas_is_what_happens(inspected_pickle, name):
    if unreadable_kinds(inspected_pickle(name).pandas_kinds, pd.__version__):
        with pytest.raises((NotImplementedError, TypeError, AttributeError)):
            repr(pickle.loads(PICKLES[name]))
    else:
        repr(pickle.loads(PICKLES[name]))


@pytest.mark.parametrize("name", [name for name in PICKLES if "frame" in name or "index" in name])
def test_the_pandas_that_made_a_pickle_is_found(inspected_pickle, name):
    made_with = name.removeprefix("pandas ").partition(".")[0]
    assert inspected_pickle(name).versions["pandas"] == made_with


def test_pandas_2_reads_all_of_pandas_3_but_these(inspected_pickle):
    found = {
        Path(name).stem
        for name in PICKLES
        if name.startswith("pandas 3")
        and unreadable_kinds(inspected_pickle(name).pandas_kinds, "2.3.3")
    }
    assert found == NO_PANDAS_3


def test_pandas_3_reads_all_of_pandas_2_but_these(inspected_pickle):
    found = {
        Path(name).stem
        for name in PICKLES
        if name.startswith("pandas 2")
        and unreadable_kinds(inspected_pickle(name).pandas_kinds, "3.0.5")
    }
    assert found == {"NaT"}


def test_pandas_before_2_3_does_not_read_the_strings_of_pandas_3(inspected_pickle):
    kinds = inspected_pickle("pandas 3.0.5/frame with named columns.pkl").pandas_kinds
    assert unreadable_kinds(kinds, "2.2.1") == ["strings of pandas 3"]
    assert unreadable_kinds(kinds, "2.3.0") == unreadable_kinds(kinds, "3.1.0rc1") == []


def test_an_image_whose_pandas_cannot_read_an_object_is_not_suitable(inspected_pickle):
    found = compatibilities(inspected_pickle("pandas 3.0.5/series of categories.pkl"))
    for each in found:
        if each.image.version("pandas") < "3":
            assert each.level == CompatibilityLevel.LACKS
            assert "which cannot read categories of pandas 3" in "; ".join(each.reasons)
        else:
            assert each.level < CompatibilityLevel.LACKS


def test_an_image_of_another_pandas_that_can_read_an_object_may_run_it(inspected_pickle):
    found = compatibilities(inspected_pickle("pandas 3.0.5/frame of numbers.pkl"))
    assert {each.level for each in found} <= {
        CompatibilityLevel.MAY_RUN,
        CompatibilityLevel.RUNS,
    }
    newest_of_2 = [each for each in found if each.image.version("pandas") == "2.3.3"]
    assert all("pickled with 3, image has 2.3.3" in each.reasons[0] for each in newest_of_2)


def test_a_class_of_pandas_in_a_function_is_no_object(inspected):
    array, times = pd.Categorical, pd.date_range("2020-01-01", periods=2)

    def predict(live_features):
        return array(live_features["era"]), times, pd.NaT, pd.StringDtype

    assert inspected(predict).pandas_kinds == ()
