"""The Dockerfile of a Python has a stage that compiles what no wheel exists of, or none."""

import pytest

files = pytest.importorskip("generate.files", reason="not run from a checkout")
versions = pytest.importorskip("generate.versions", reason="not run from a checkout")

TEMPLATE = "FROM python:@VERSION@\n@compiled@RUN compile\nRUN pip install @CACHE@ py_@TAG@\n"


def test_a_python_with_wheels_for_all_packages_compiles_nothing():
    text = files.dockerfile(TEMPLATE, versions.SupportedPython("3.12"))
    lines = ["FROM python:3.12", "RUN pip install --no-cache-dir py_3_12"]
    assert text.splitlines()[1:] == lines


def test_what_has_no_wheel_is_compiled_in_a_stage_of_its_own():
    text = files.dockerfile(TEMPLATE, versions.SupportedPython("3.14", ["scikit-learn"]))
    assert text.splitlines()[2:] == ["RUN compile", "RUN pip install --cache-dir /wheels py_3_14"]


def test_the_list_of_pythons_says_what_is_compiled_and_what_is_left_out(tmp_path):
    entry = '[[python]]\nversion = "3.14"\ncompiled = ["a"]\nleft_out = { m = "p" }\n'
    (tmp_path / "versions.toml").write_text('[[python]]\nversion = "3.9"\n' + entry)
    old, new = versions.supported_pythons(tmp_path)
    assert (old.compiled, old.left_out) == ([], {})
    assert (new.version, new.compiled, new.left_out) == ("3.14", ["a"], {"m": "p"})
