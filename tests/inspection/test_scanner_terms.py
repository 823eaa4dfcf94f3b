"""The imports of a pickle in the terms of picklescan and fickling."""

import pickle

import pytest

from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.report import as_json, as_text


def importing(module, name):
    return b"c" + f"{module}\n{name}\n.".encode()


@pytest.fixture
def terms_of(tmp_path):
    """The terms for a pickle that imports one name."""

    def terms_of(module, name):
        path = tmp_path / "model.pkl"
        path.write_bytes(importing(module, name))
        return set(inspect_pickle(path).scanner_terms)

    return terms_of


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("os.path", "join"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("subprocess", "Popen"),
        ("functools", "partial"),
        ("operator", "attrgetter"),
        ("torch.serialization", "load"),
        ("numpy.f2py.crackfortran", "myeval"),
        ("trace", "Trace.run"),
    ],
)
def test_a_dangerous_import_is_named_in_both_terms(terms_of, module, name):
    expected = {"picklescan dangerous"}
    if module != "torch.serialization":  # picklescan alone has it
        expected.add("fickling unsafe import")
    assert terms_of(module, name) == expected


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("collections", "OrderedDict", {"picklescan innocuous"}),
        ("numpy", "dtype", {"picklescan innocuous"}),
        ("functools", "part", {"picklescan suspicious", "fickling unsafe import"}),
        ("pandas", "DataFrame", {"picklescan suspicious"}),
        ("builtins", "set", {"picklescan suspicious"}),
        ("sklearn.linear_model._base", "LinearRegression", {"picklescan suspicious"}),
        ("torch.storage", "_load_from_bytes", {"picklescan suspicious", "fickling unsafe import"}),
        ("unknown_library", "x", {"picklescan dangerous"}),
    ],
)
def test_another_import_is_named_in_the_terms_of_each(terms_of, module, name, expected):
    assert terms_of(module, name) == expected


def test_a_name_of_python_2_counts_as_that_of_python_3(terms_of):
    assert terms_of("__builtin__", "eval") == terms_of("builtins", "eval")


def test_a_hostile_name_with_many_parts_takes_no_time_to_rate(terms_of):
    assert terms_of("a." * 400 + "b", "c") == {"picklescan suspicious"}


def test_the_report_lists_the_terms_without_judging(corpus_pickle):
    inspection = inspect_pickle(corpus_pickle("3.12", "model_of_lightgbm"))
    dangerous = as_json(inspection)["scanner_terms"]["picklescan dangerous"]
    assert "cloudpickle.cloudpickle._make_function" in dangerous
    (line,) = (line for line in as_text(inspection).splitlines() if line.startswith("scanners"))
    assert "picklescan dangerous: " in line
    assert "fickling unsafe import: " in line
    assert line.endswith("their terms, for information only")


def test_a_pickle_of_plain_data_shows_no_terms(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps([1, 2, 3]))
    inspection = inspect_pickle(path)
    assert inspection.scanner_terms == {}
    assert "scanners" not in as_text(inspection)
