"""What a pickle needs, beside its Python: modules, versions, features; and the image for it."""

import functools
import json
import os
import pickle
import shlex
import subprocess
import sys
import types
from pathlib import Path

import cloudpickle
import pytest

from numerai_predict.contract.container_run import BindMount
from numerai_predict.inspection import images
from numerai_predict.inspection.compatibility import (
    CompatibilityLevel,
    choose_image,
    compatibilities,
    unknown_modules,
)
from numerai_predict.inspection.data_version import describe_missing_features, probable_version
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.report import as_json, as_text

PYTHON = "{}.{}".format(*sys.version_info)
SLIM = f"numerai_predict_py_{PYTHON.replace('.', '_')}:latest-slim"
FULL = f"numerai_predict_py_{PYTHON.replace('.', '_')}:latest"


@pytest.fixture
def inspected(tmp_path):
    """The inspection of an object, or of the bytes of a pickle."""

    def inspect(thing, name="model.pkl"):
        path = tmp_path / name
        path.write_bytes(thing if isinstance(thing, bytes) else cloudpickle.dumps(thing))
        return inspect_pickle(path)

    return inspect


@pytest.fixture
def own_module(monkeypatch):
    """A function of a module that is a file of the user's."""
    module = types.ModuleType("my_helpers")
    exec("def predict(live_features):\n    return live_features", module.__dict__)
    monkeypatch.setitem(sys.modules, "my_helpers", module)
    return module


def by_image(inspection):
    return {each.image.name: each for each in compatibilities(inspection)}


def test_every_python_has_a_full_image_with_all_of_the_slim_one():
    flavours = {(each.python, each.flavour): each.packages for each in images.supported_images()}
    for python in images.supported_pythons():
        assert flavours[python, "slim"].items() < flavours[python, "full"].items()
    assert "torch" not in flavours["3.12", "slim"]
    assert "torch" in flavours["3.12", "full"]


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("sklearn", "scikit-learn"),
        ("PIL", "pillow"),
        ("yaml", "pyyaml"),
        ("dateutil", "python-dateutil"),
        ("pytorch_lightning", "pytorch-lightning"),
        ("tensorflow_decision_forests", "tensorflow-decision-forests"),
        ("typing_extensions", "typing-extensions"),
        ("no_such_module", None),
    ],
)
def test_modules_are_found_in_the_packages_that_they_come_from(module, package):
    assert images.package_of(module) == package


def test_a_function_says_its_name_and_parameters(inspected):
    def predict(live_features, live_benchmark_models=None, *rest, scale=1, **options):
        return live_features

    assert inspected(predict).holds.parameters == [
        *("live_features", "live_benchmark_models", "*rest", "scale", "**options")
    ]
    assert str(inspected(predict).holds).endswith(
        "predict(live_features, live_benchmark_models, *rest, scale, **options)"
    )


class Model:
    def predict(self, live_features):
        return live_features

    def __call__(self, live_features, live_benchmark_models):
        return live_features


def test_methods_partials_and_instances_are_described(inspected):
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    try:
        assert str(inspected(Model().predict).holds).endswith("predict(live_features)")
        assert str(inspected(Model()).holds) == "Model(live_features, live_benchmark_models)"
        assert "partial of" in str(inspected(functools.partial(Model().predict, 1)).holds)
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    assert str(inspected({"a": 1}).holds) == "a dict"
    assert str(inspected(b"cos\nsystem\n.").holds) == "posix.system" or "os.system"


def test_modules_by_reference_and_within_functions_are_told_apart(inspected):
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


def test_the_slim_image_is_chosen_where_it_is_enough(inspected):
    import pandas as pd

    assert choose_image(inspected(lambda live: pd.DataFrame(live))).image.name == SLIM


def test_the_full_image_is_chosen_for_a_library_by_reference(inspected):
    inspection = inspected(b"\x80\x04\x8c\x05torch\x8c\x06Tensor\x93.")
    assert all(
        each.reasons == ("lacks torch",) for n, each in by_image(inspection).items() if "slim" in n
    )
    assert choose_image(inspection).image.flavour == "full"


def test_a_pickle_of_another_python_is_for_its_image(corpus_pickle):
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


def test_no_image_runs_what_only_an_old_python_would(inspected):
    # def f(x): return 1 if x else 2   -- as 3.9 compiles it.
    code = b"|\x00r\x08d\x01S\x00d\x02S\x00"
    parts = (1, 0, 0, 1, 1, 67, code, (None, 1, 2), (), ("x",), "f.py", "f", 1, b"\0\1", (), ())
    data = pickle.dumps(parts)
    make = b"\x80\x04ctypes\nCodeType\n" + data[2:-1] + b"R."
    inspection = inspected(make)
    assert inspection.pythons.legal == ("3.8", "3.9")
    assert choose_image(inspection) is None
    assert "No image runs it: make the pickle with Python 3.10, 3.11, 3.12 or 3.13" in as_text(
        inspection
    )


def test_a_module_that_no_image_has_is_to_be_stored_by_value(inspected, own_module):
    inspection = inspected(own_module.predict)
    assert unknown_modules(inspection) == ["my_helpers"]
    assert "cloudpickle.register_pickle_by_value(my_helpers)" in as_text(inspection)
    assert "lacks my_helpers" in as_text(inspection)
    assert "cloudpickle stored by reference" in as_text(inspection)


def test_a_function_of_a_script_that_is_only_named_is_told_so(inspected):
    inspection = inspected(b"c__main__\npredict\n.")
    assert inspection.main_names == ("predict",)
    assert "cloudpickle.dump(predict, file)" in as_text(inspection)


def test_libraries_leave_their_versions_and_features(corpus_pickle):
    found = inspect_pickle(corpus_pickle("3.12", "model_of_scikit_learn"))
    assert (found.versions["sklearn"], found.versions["numpy"]) == ("1.6.1", "2")
    found = inspect_pickle(corpus_pickle("3.12", "model_of_xgboost"))
    assert found.versions["xgboost"] == "3.0.5"
    for model in ("lightgbm", "xgboost", "scikit_learn"):
        names = inspect_pickle(corpus_pickle("3.12", f"model_of_{model}")).features
        assert set(names) == {f"feature_sample_{number:04}" for number in range(3)}


def test_another_version_of_a_library_is_a_maybe(inspected):
    inspection = inspected({"_sklearn_version": "0.24.2"})
    outcome = by_image(inspection)[SLIM]
    assert outcome.level == CompatibilityLevel.MAY_RUN
    assert outcome.reasons[0].startswith("other version of sklearn: made with 0.24.2, here 1.")
    assert by_image(inspected({"_sklearn_version": "1.6.9"}))[SLIM].level == CompatibilityLevel.RUNS
    assert inspected({"_sklearn_version": "none", "schema_version": 3}).versions == {}


def test_numpy_1_and_2_are_told_apart(inspected):
    old = inspected(b"cnumpy.core.multiarray\n_reconstruct\n.")
    new = inspected(b"cnumpy._core.multiarray\n_reconstruct\n.")
    assert (old.versions["numpy"], new.versions["numpy"]) == ("1", "2")


def test_names_that_moved_since_python_2_are_those_of_today(inspected):
    assert inspected(b"c__builtin__\nxrange\n.").references == ("builtins",)
    assert inspected(b"ccPickle\nloads\n.").references == ("pickle",)


@pytest.mark.parametrize(
    ("features", "named", "version"),
    [
        (["feature_intelligence1", "feature_wisdom12"], [], "v2"),
        ([f"feature_a_b_c{n}" for n in range(1191)], [], "v4,"),
        ([f"feature_a_b_c{n}" for n in range(2376)], [], "v4.3 or v5.0"),
        (["feature_a_b_c"], ["v4.1"], "v4.1, which its own code names"),
    ],
)
def test_the_version_of_the_data_is_guessed_from_the_features(features, named, version):
    assert probable_version(features, named).startswith(version)
    words = describe_missing_features(features, named, {"feature_of_today"})
    assert "probably made for the data of v" in words
    assert f"names {len(features):,} of {len(features):,} features" in words


def test_nothing_is_said_of_features_that_are_there_or_tell_nothing():
    assert describe_missing_features(["feature_a_b_c"], [], {"feature_a_b_c", "id"}) is None
    assert probable_version(["feature_a_b_c"], []) is None
    assert "probably" not in describe_missing_features(["feature_a_b_c"], [], {"id"})


def test_the_data_version_that_the_code_names_is_found(inspected):
    def predict(live_features):
        return live_features["v4.3/live.parquet"]

    assert inspected(predict).data_versions == ("v4.3",)


def test_abilities_are_told_for_information_and_change_no_mark(inspected):
    def predict(live_features):
        import subprocess

        import requests

        return requests.get(open("file").read(), subprocess)

    inspection = inspected(predict)
    assert inspection.abilities["network"] == ["requests"]
    assert inspection.abilities["processes"] == ["subprocess"]
    assert inspection.abilities["files"] == ["open"]
    assert by_image(inspection)[FULL].level == CompatibilityLevel.RUNS
    assert "for your information, most models do" in as_text(inspection)


def test_a_plain_model_has_no_abilities_worth_a_word(corpus_pickle):
    assert inspect_pickle(corpus_pickle("3.12", "model_of_lightgbm")).abilities == {}
    assert "may use" not in as_text(inspect_pickle(corpus_pickle("3.12", "loops")))


def test_the_json_says_all_that_the_text_says(corpus_pickle):
    facts = json.loads(
        json.dumps(as_json(inspect_pickle(corpus_pickle("3.12", "model_of_xgboost"))))
    )
    assert facts["pythons"]["legal"] == ["3.12"]
    assert facts["image"] == "numerai_predict_py_3_12:latest-slim"
    assert facts["command"].startswith("docker run")
    assert {each["mark"] for each in facts["images"]} <= {"runs", "may_run", "wrong_python"}


@pytest.mark.parametrize(
    ("model", "folder"),
    [
        ("my model.pkl", None),
        ("inner/m.pkl", None),
        ("https://host/m.pkl", None),
        ("/elsewhere/m.pkl", "/elsewhere"),
        ("/a b/m.pkl", "/a b"),
        ("../beside/m.pkl", "{parent}/beside"),
    ],
)
def test_the_line_to_run_it_with_mounts_what_it_needs_and_is_safe_in_a_shell(model, folder):
    words = shlex.split(images.supported_images()[0].command(model))
    assert words[words.index("--model") + 1] == model
    mounts = [word for word in words if word.endswith(",readonly")]
    folder = folder and folder.format(parent=Path.cwd().parent)
    expected = f"type=bind,source={folder},target={folder},readonly"
    assert mounts == ([expected] if folder else [])


@pytest.mark.parametrize("name", ["plain", "a b", "a:b", "a,b", 'a"b', "a'b", "$(touch no)"])
def test_the_line_mounts_the_directory_that_it_is_run_in(tmp_path, monkeypatch, name):
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    line = images.supported_images()[0].command("m.pkl")
    script = f'docker() {{ printf "%s\\0" "$@"; }}; {line}'
    words = subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout.split("\0")
    assert words[words.index("--mount") + 1] == BindMount(folder, read_only=False).option()
    assert words[words.index("--workdir") + 1] == str(folder)
    assert words[words.index("--output_dir") + 1] == str(folder)
    assert words[words.index("--user") + 1] == f"{os.getuid()}:{os.getgid()}"
