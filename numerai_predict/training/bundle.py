"""The model bundle: `model.pkl` and `manifest.json`, published after verification."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numerai_predict
from numerai_predict.contract.bootstrap import script_argv
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.contract.trained_eras import MANIFEST, PICKLE
from numerai_predict.contract.training_errors import BadConfiguration, BundleRefused
from numerai_predict.inspection.images import supported_images, supported_pythons
from numerai_predict.runner.container.engine import Engine
from numerai_predict.runner.container.target import ContainerImage, ExecutionTarget, LocalPython
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.files import PART_SUFFIX, atomic_write
from numerai_predict.training import predict_template
from numerai_predict.training.blending.transform import NO_TRANSFORM, BlendTransform
from numerai_predict.training.model_fitting import TrainedModel

_PACK_SECONDS = 600.0
_DIRECTORY_PREFIX = ".bundle-"
_TEMPLATE = "predict_template.py"
# By this name alone: the path of the directory would be in the pickle, and no two would be equal.
_PACK_PROGRAM = f"""import pathlib, sys
source = pathlib.Path(sys.argv[1], "{_TEMPLATE}").read_text()
__file__ = "{_TEMPLATE}"
exec(compile(source, __file__, "exec"))
"""
_SHOWN_LINES = 3


def bundle_environment(
    python: str | None, environment: Mapping[str, str] = os.environ
) -> ExecutionTarget:
    """The environment that packs and runs a bundle for a Python version.

    `None` means the running Python.

    Raises:
        BadConfiguration: the version is another one, and no image of it is available.
    """
    if python in (None, RUNNING_PYTHON):
        return LocalPython("the bundle is for this Python")
    if python not in supported_pythons():
        raise BadConfiguration(
            f"expected one of Python {', '.join(supported_pythons())}, found {python}",
            "choose one of these",
        )
    engine = Engine.detect(environment)
    if engine is None:
        raise BadConfiguration(
            f"expected a container engine to pack a bundle for Python {python}, found none",
            f"start one, or leave `python` out: then the bundle is for Python {RUNNING_PYTHON}",
        )
    images = [image for image in supported_images() if image.python == python]
    found = next((image for image in images if engine.has_image(image.name)), None)
    if found is None:
        raise BadConfiguration(
            f"expected an image of Python {python}, such as {images[0].name}, found none",
            f"build it: {images[0].build_command}",
        )
    return ContainerImage(engine, found)


@dataclass(frozen=True)
class BundleSpec:
    """The content of the pickled function.

    `kind` is the name of the trainer; `neutralize` is the share of `benchmark` to remove, `blend`
    the transform after it, `max_exposure` the highest correlation with a feature.
    """

    kind: str
    features: Sequence[str]
    models: Sequence[TrainedModel]
    benchmark: str | None
    neutralize: float
    max_exposure: float | None = None
    blend: BlendTransform = NO_TRANSFORM

    @property
    def uses_benchmark(self) -> bool:
        """Whether the function takes the benchmark models as its second argument."""
        return bool(self.neutralize) or self.blend.uses_benchmark

    def prediction_spec(self) -> dict[str, Any]:
        """What the function does with the predictions of the models."""
        return {
            "neutralize": self.neutralize,
            "blend": self.blend.as_spec(),
            "max_exposure": self.max_exposure,
        }


@contextmanager
def build_bundle(spec: BundleSpec, environment: ExecutionTarget, output: Path) -> Iterator[Path]:
    """Pack the pickle into a temporary directory in `output`, which is removed at the end.

    Raises:
        BundleRefused: the pickle could not be packed.
        OSError: a file cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix=_DIRECTORY_PREFIX, dir=output) as name:
        directory = Path(name).absolute()  # container engines mount absolute paths only
        _write_parts(spec, directory)
        (directory / _TEMPLATE).write_text(inspect.getsource(predict_template))
        script = directory / "pack.py"
        script.write_text(_PACK_PROGRAM)
        pickle = directory / PICKLE
        log_step("pack", f"{len(spec.models)} model(s) in {environment}")
        arguments = (str(script), str(directory), str(pickle))
        if isinstance(environment, ContainerImage):
            ended = environment.engine.run_script(
                environment.image.name, arguments, directory, _PACK_SECONDS
            )
        else:
            ended = _run_local(script_argv(*arguments))
        if ended.returncode != 0 or not pickle.is_file():
            lines = ended.stderr.decode(errors="replace").strip().splitlines()
            output_tail = " ".join(lines[-_SHOWN_LINES:]) or "no output"
            raise BundleRefused(
                f"expected {environment} to pack the models, found: {output_tail}",
                "check the free disk space, and whether that Python has cloudpickle",
            )
        yield pickle


def remove_leftovers(output: Path) -> None:
    """Remove temporary files of a killed training; the caller holds the lock."""
    for directory in output.glob(f"{_DIRECTORY_PREFIX}*"):
        shutil.rmtree(directory, ignore_errors=True)
    for part in output.glob(f".*{PART_SUFFIX}"):
        part.unlink(missing_ok=True)


def publish_bundle(pickle: Path, output: Path, manifest: dict[str, Any]) -> None:
    """Move the bundle to its final names, the pickle first.

    Raises:
        OSError: a file cannot be written.
    """
    with open(pickle, "rb") as file:
        os.fsync(file.fileno())
    pickle.replace(output / PICKLE)
    with atomic_write(output / MANIFEST) as handle:
        handle.write((json.dumps(manifest, indent=2) + "\n").encode())


def git_commit(directory: Path) -> str | None:
    """The commit that is checked out in the directory; `None` without a repository or git."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        command = ["git", "-C", str(directory), "rev-parse", "HEAD"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=10)
        return ended.stdout.strip() or None
    return None


def software_versions(trainer: Mapping[str, str]) -> dict[str, str]:
    """Versions of this package, Python and the trainer's libraries."""
    own = {"numerai-predict": numerai_predict.__version__, "python": platform.python_version()}
    return {**own, **trainer}


def _write_parts(spec: BundleSpec, directory: Path) -> None:
    names = []
    for number, model in enumerate(spec.models):
        names.append(f"{number}.model")
        (directory / names[-1]).write_bytes(model.stored.body)
    content = {
        "kind": spec.kind,
        "features": list(spec.features),
        "benchmark": spec.benchmark,
        **spec.prediction_spec(),
        "models": names,
    }
    (directory / "bundle.json").write_text(json.dumps(content))


def _run_local(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, capture_output=True, timeout=_PACK_SECONDS)
    except subprocess.TimeoutExpired:
        raise BundleRefused(
            f"expected to pack within {_PACK_SECONDS:.0f} s, found it unfinished",
            "try again on a machine with less load",
        ) from None
