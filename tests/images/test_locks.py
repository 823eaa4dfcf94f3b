"""The locks pin the hosted versions, two flavours of one set, and nothing for a GPU."""

import re
from pathlib import Path

import pytest
import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
VERSIONS = [
    python["version"] for python in tomllib.loads((ROOT / "versions.toml").read_text())["python"]
]

pytestmark = pytest.mark.parametrize("version", VERSIONS)


def locked(version):
    lock = tomllib.loads((ROOT / f"py{version}" / "poetry.lock").read_text())
    return {canonicalize_name(package["name"]): package["version"] for package in lock["package"]}


def required(version, flavour):
    text = (ROOT / f"py{version}" / f"requirements{flavour}.txt").read_text()
    needs = [Requirement(line.rstrip(" \\")) for line in text.splitlines() if line[:1].isalnum()]
    return {canonicalize_name(need.name): str(need.specifier) for need in needs}


def left_out(version):
    """The modules that only the hosted environment of the Python has."""
    listed = tomllib.loads((ROOT / "versions.toml").read_text())["python"]
    return next(python for python in listed if python["version"] == version).get("left_out", {})


def hosted(version, marker):
    lines = (ROOT / f"py{version}" / "hosted.txt").read_text().splitlines()
    pairs = [line.split()[0].split("==") for line in lines if "==" in line and marker in line]
    return {canonicalize_name(name): at for name, at in pairs}


def test_every_package_that_the_hosted_environment_declares_is_locked_at_its_version(version):
    direct = hosted(version, "# direct")
    assert len(direct) > 80
    lock = locked(version)
    assert {name: lock.get(name) for name in direct} == direct


def test_the_packages_that_came_in_through_those_have_their_versions_too(version):
    lock = locked(version)
    every = hosted(version, "")
    assert {name: lock.get(name) for name in every} == every


def test_the_runner_finds_what_it_needs_in_both_flavours(version):
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for flavour in ("", "-slim"):
        pinned = required(version, flavour)
        for need in map(Requirement, needs):
            assert need.specifier.contains(pinned[canonicalize_name(need.name)][2:]), need
        assert "boto3" in pinned


def test_slim_is_a_part_of_full_at_the_same_versions(version):
    slim, full = required(version, "-slim"), required(version, "")
    assert slim.items() < full.items()


def test_slim_is_without_deep_learning_and_without_a_gpu(version):
    slim, full = required(version, "-slim"), required(version, "")
    deep = {"torch", "tensorflow", "keras", "jax", "pytorch-lightning", "tabpfn", "skorch"}
    assert deep - full.keys() == left_out(version).keys()
    assert not deep & slim.keys()
    assert not [name for name in slim if name.startswith("nvidia-")]
    trees = {"lightgbm", "xgboost", "catboost", "scikit-learn", "polars", "numba", "onnx"}
    assert trees <= slim.keys()


def test_every_requirement_has_hashes_and_none_names_a_server(version):
    for flavour in ("", "-slim"):
        text = (ROOT / f"py{version}" / f"requirements{flavour}.txt").read_text()
        assert "://" not in text
        for block in re.split(r"\n(?=\w)", text)[1:]:
            assert "--hash=sha256:" in block
