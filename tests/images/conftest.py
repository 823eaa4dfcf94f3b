"""Containers of the images that `make` built and named in NUMERAI_PREDICT_TEST_IMAGES."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomllib
from fleets import PROGRAM
from predict_runs import clean_variables

from numerai_predict.contract.container_run import BindMount, ContainerRun

ROOT = Path(__file__).parents[2]
DOCKER = os.environ.get("DOCKER", "docker")
FLAVOURS = ("slim", "full")


@dataclass(frozen=True)
class Image:
    """One image: a Python and a flavour, like 3.12 and slim."""

    version: str
    flavour: str

    @property
    def reference(self) -> str:
        suffix = "" if self.flavour == "full" else f"-{self.flavour}"
        return f"numerai_predict_py_{self.version.replace('.', '_')}:latest{suffix}"

    @property
    def requirements(self) -> Path:
        suffix = "" if self.flavour == "full" else f"-{self.flavour}"
        return ROOT / f"py{self.version}" / f"requirements{suffix}.txt"

    def run(self, *command, options=(), entrypoint="python", timeout=300, **fields):
        """Run a command in a fresh container without network; its result.

        `fields` are those of `ContainerRun`. `options` are further ones of `docker run`, which a
        test is about.
        """
        container = ContainerRun(
            self.reference, tuple(map(str, command)), entrypoint=entrypoint, **fields
        )
        return run_container(container, options, timeout)

    def other_flavour(self):
        """The same Python's other image."""
        return Image(self.version, "slim" if self.flavour == "full" else "full")

    def is_built(self):
        """Whether the engine has the image."""
        command = [DOCKER, "image", "inspect", self.reference]
        return subprocess.run(command, capture_output=True).returncode == 0

    def inspect(self):
        """The image's configuration, as the engine reports it."""
        command = [DOCKER, "image", "inspect", self.reference]
        (facts,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        return facts


def run_container(container, options, timeout):
    """Run a container, with further options of `docker run`; its result."""
    engine, command, *argv = container.argv(DOCKER)
    return subprocess.run(
        [engine, command, *options, *argv], capture_output=True, text=True, timeout=timeout
    )


def pytest_generate_tests(metafunc):
    """A test that takes `image` runs once for each image in NUMERAI_PREDICT_TEST_IMAGES."""
    if "image" not in metafunc.fixturenames:
        return
    names = os.environ.get("NUMERAI_PREDICT_TEST_IMAGES", "").split()
    images = [Image(*name.split("-")) for name in names]
    if not images:
        reason = "no images are named: `make test_images`, or `make test_3_12` for one Python"
        images = [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    metafunc.parametrize("image", images, ids=names or str, scope="session")


@pytest.fixture
def output(tmp_path):
    """A directory that every user may write to."""
    folder = tmp_path / "output"
    folder.mkdir()
    folder.chmod(0o777)
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:3]:
        if parent.stat().st_uid == os.getuid() and parent != Path("/tmp"):
            parent.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    """Sample live data, readable by every user."""
    from numerai_predict.data.synthetic import SampleShape, write_sample

    folder = tmp_path_factory.mktemp("images") / "sample"
    write_sample(folder, SampleShape(live_rows=300, rows=20, train_eras=1, validation_eras=1))
    for path in (folder, folder.parent, folder.parent.parent):
        path.chmod(0o755)
    return folder


@pytest.fixture
def predict(image, inputs, output):
    """Run a model through the image's own entrypoint, as `docker run IMAGE --model ...`."""

    def run(model: Path, *arguments, options=("--network", "none"), of=image):
        shutil.copy(model, output.parent / "model.pkl")
        words = ["--model", output.parent / "model.pkl", "--dataset", inputs / "live.parquet"]
        words += ["--benchmarks", inputs / "live_benchmark_models.parquet"]
        container = ContainerRun(
            of.reference,
            tuple(map(str, [*words, "--output_dir", output, *arguments])),
            mounts=(BindMount(inputs), BindMount(output.parent, read_only=False)),
            network=True,  # `options` decide
        )
        return run_container(container, options, timeout=300)

    return run


@pytest.fixture
def example(image):
    """Path of an example pickle that this image's Python made."""
    return lambda name: ROOT / "tests" / "models" / f"py{image.version}" / f"{name}.pkl"


@pytest.fixture(scope="session")
def supported_versions():
    listed = tomllib.loads((ROOT / "versions.toml").read_text())["python"]
    return [python["version"] for python in listed]


@pytest.fixture
def fleet(inputs, tmp_path):
    """Run a fleet over a directory of pickles in the images that the engine has."""

    def run(folder, *options, timeout=300):
        output = tmp_path / "fleet-output"
        output.mkdir()
        command = [sys.executable, "-c", PROGRAM, "fleet", "run", folder, "--output-dir", output]
        command += ["--dataset", inputs / "live.parquet", "--concurrency", "2"]
        command += ["--benchmarks", inputs / "live_benchmark_models.parquet", *options]
        kept = {name: os.environ[name] for name in ("DOCKER",) if name in os.environ}
        ended = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**clean_variables(tmp_path), **kept, "TMPDIR": "/tmp"},
        )
        return ended, output

    return run
