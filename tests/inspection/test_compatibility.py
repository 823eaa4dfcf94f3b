"""Which images can run a pickle, and which one is chosen."""

import pickle
import sys

from numerai_predict.inspection.compatibility import (
    CompatibilityLevel,
    choose_image,
    compatibilities,
)
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.report import as_text

PYTHON = "{}.{}".format(*sys.version_info)
SLIM = f"numerai_predict_py_{PYTHON.replace('.', '_')}:latest-slim"
FULL = f"numerai_predict_py_{PYTHON.replace('.', '_')}:latest"


def by_image(inspection):
    return {each.image.name: each for each in compatibilities(inspection)}


def test_references_and_imports_within_functions_are_distinguished(inspected):
    import pandas as pd

    def predict(live_features):
        import torch

        return pd.DataFrame(torch.zeros(3))

    inspection = inspected(predict)
    assert "pandas" in inspection.references
    assert "torch" not in inspection.references
    assert list(inspection.imports) == ["torch"]
    (reason,) = by_image(inspection)[SLIM].reasons
    assert reason.startswith("lacks torch, which ")
    assert reason.endswith("predict imports")
    assert by_image(inspection)[SLIM].level == CompatibilityLevel.MAY_RUN
    assert choose_image(inspection).image.name == FULL


def test_the_slim_image_is_chosen_if_it_has_all_modules(inspected):
    import pandas as pd

    assert choose_image(inspected(lambda live: pd.DataFrame(live))).image.name == SLIM


def test_the_full_image_is_chosen_for_a_library_by_reference(inspected):
    inspection = inspected(b"\x80\x04\x8c\x05torch\x8c\x06Tensor\x93.")
    assert all(
        each.reasons == ("lacks torch",) for n, each in by_image(inspection).items() if "slim" in n
    )
    assert choose_image(inspection).image.flavour == "full"


def test_a_pickle_of_another_python_runs_in_that_pythons_images(corpus_pickle):
    inspection = inspect_pickle(corpus_pickle("3.12", "loops"))
    assert {
        n for n, each in by_image(inspection).items() if each.level == CompatibilityLevel.RUNS
    } == {
        "numerai_predict_py_3_12:latest-slim",
        "numerai_predict_py_3_12:latest",
    }
    reasons = by_image(inspection)["numerai_predict_py_3_13:latest"].reasons
    assert reasons == ("made by another Python (3.12)",)
    text = as_text(inspection)
    assert "docker run --rm" in text
    assert "numerai_predict_py_3_12:latest-slim --model" in text


def test_no_image_runs_code_of_an_old_python(inspected):
    # def f(x): return 1 if x else 2   -- as 3.9 compiles it.
    code = b"|\x00r\x08d\x01S\x00d\x02S\x00"
    parts = (1, 0, 0, 1, 1, 67, code, (None, 1, 2), (), ("x",), "f.py", "f", 1, b"\0\1", (), ())
    data = pickle.dumps(parts)
    make = b"\x80\x04ctypes\nCodeType\n" + data[2:-1] + b"R."
    inspection = inspected(make)
    assert inspection.pythons.legal == ("3.8", "3.9")
    assert choose_image(inspection) is None
    assert (
        "No image can run it: make the pickle with Python 3.10, 3.11, 3.12, 3.13 or 3.14"
        in as_text(inspection)
    )


def test_a_different_library_version_may_run(inspected):
    inspection = inspected({"_sklearn_version": "0.24.2"})
    result = by_image(inspection)[SLIM]
    assert result.level == CompatibilityLevel.MAY_RUN
    assert result.reasons[0].startswith(
        "different version of sklearn: pickled with 0.24.2, image has 1."
    )
    assert by_image(inspected({"_sklearn_version": "1.6.9"}))[SLIM].level == CompatibilityLevel.RUNS
    assert inspected({"_sklearn_version": "none", "schema_version": 3}).versions == {}


def not_fully_inspected(tmp_path, head=b""):
    """The inspection of a pickle that ends at a limit after its head."""
    path = tmp_path / "large.pkl"
    path.write_bytes(head + b"(" * 200_000 + b".")
    return inspect_pickle(path)


def test_what_was_not_fully_inspected_is_unknown_neither_fine_nor_bad(tmp_path):
    inspection = not_fully_inspected(tmp_path)
    for each in compatibilities(inspection):
        assert each.level is CompatibilityLevel.MAY_RUN
        assert each.reasons == ("not fully inspected",)
    assert "not fully inspected: the memory limit was exceeded" in as_text(inspection)


def test_the_larger_image_is_chosen_for_a_pickle_that_was_not_fully_inspected(tmp_path):
    assert choose_image(not_fully_inspected(tmp_path)).image.flavour == "full"


def test_what_the_inspected_part_lacks_is_still_lacking(tmp_path):
    inspection = not_fully_inspected(tmp_path, b"cno_such_module\nname\n0")
    assert {each.level for each in compatibilities(inspection)} == {CompatibilityLevel.LACKS}
