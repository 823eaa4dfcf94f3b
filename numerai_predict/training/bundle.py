"""The bundle: `model.pkl` and `manifest.json`, put in place once the pickle has proved itself."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numerai_predict
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.contract.trained_eras import MANIFEST, PICKLE
from numerai_predict.contract.training_errors import BadConfiguration, BundleRefused
from numerai_predict.inspection.images import supported_images, supported_pythons
from numerai_predict.runner.container.engine import Engine
from numerai_predict.runner.container.target import ContainerImage, ExecutionTarget, LocalPython
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.files import PART_SUFFIX, atomic_write
from numerai_predict.training import predict_template
from numerai_predict.training.model_fitting import TrainedModel

_PACK_SECONDS = 600.0
_FOLDER = ".bundle-"
_TOLD_LINES = 3


def bundle_directory(
    python: str | None, environment: Mapping[str, str] = os.environ
) -> ExecutionTarget:
    """Where a bundle for that Python is made; `None` means the one at hand.

    Raises:
        BadConfiguration: it is another one, and there is no image of it here.
    """
    if python in (None, RUNNING_PYTHON):
        return LocalPython("the bundle is for it")
    if python not in supported_pythons():
        raise BadConfiguration(
            f"expected one of Python {', '.join(supported_pythons())}, found {python}",
            "choose one that there is an image of",
        )
    engine = Engine.detect(environment)
    if engine is None:
        raise BadConfiguration(
            f"expected a Docker engine to pack a bundle for Python {python}, found none",
            f"start one, or leave `python` out: then the bundle is for Python {RUNNING_PYTHON}",
        )
    images = [image for image in supported_images() if image.python == python]
    found = next((image for image in images if engine.has_image(image.name)), None)
    if found is None:
        raise BadConfiguration(
            f"expected an image of Python {python}, such as {images[0].name}, found none",
            f"make it: make build_slim_{python.replace('.', '_')}",
        )
    return ContainerImage(engine, found)


@dataclass(frozen=True)
class BundleSpec:
    """What the pickled function is made of."""

    kind: str
    features: Sequence[str]
    models: Sequence[TrainedModel]
    benchmark: str | None
    neutralize: float


@contextmanager
def build_bundle(recipe: BundleSpec, place: ExecutionTarget, output: Path) -> Iterator[Path]:
    """The pickle in a folder of its own beside its final place; both go when the block ends.

    Raises:
        BundleRefused: it could not be packed.
        OSError: it cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix=_FOLDER, dir=output) as name:
        folder = Path(name).absolute()  # an engine takes no other to mount
        _write_parts(recipe, folder)
        script = folder / "pack.py"
        shutil.copyfile(predict_template.__file__, script)
        pickle = folder / PICKLE
        log_step("pack", f"{len(recipe.models)} model(s) in {place}")
        arguments = [str(script), str(folder), str(pickle)]
        if isinstance(place, ContainerImage):
            ended = place.engine.run_python(place.image.name, arguments, folder, _PACK_SECONDS)
        else:
            ended = _run_local([sys.executable, "-I", *arguments])
        if ended.returncode != 0 or not pickle.is_file():
            lines = ended.stderr.decode(errors="replace").strip().splitlines()
            words = " ".join(lines[-_TOLD_LINES:]) or "no words"
            raise BundleRefused(
                f"expected {place} to pack the models, found: {words}",
                "look at the disk, and whether that Python has cloudpickle",
            )
        yield pickle


def remove_leftovers(output: Path) -> None:
    """Remove what a killed training left beside its results; the caller holds the lock."""
    for folder in output.glob(f"{_FOLDER}*"):
        shutil.rmtree(folder, ignore_errors=True)
    for part in output.glob(f".*{PART_SUFFIX}"):
        part.unlink(missing_ok=True)


def publish_bundle(pickle: Path, output: Path, manifest: dict[str, Any]) -> None:
    """Give the bundle its final names, the pickle first.

    Raises:
        OSError: it cannot be written.
    """
    with open(pickle, "rb") as file:
        os.fsync(file.fileno())
    pickle.replace(output / PICKLE)
    with atomic_write(output / MANIFEST) as handle:
        handle.write((json.dumps(manifest, indent=2) + "\n").encode())


def git_commit(folder: Path) -> str | None:
    """The commit that the folder is at; `None` where there is no repository, or no git."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        words = ["git", "-C", str(folder), "rev-parse", "HEAD"]
        asked = subprocess.run(words, capture_output=True, text=True, timeout=10)
        return asked.stdout.strip() or None
    return None


def software_versions(trainer: Mapping[str, str]) -> dict[str, str]:
    """Who made the bundle."""
    own = {"numerai-predict": numerai_predict.__version__, "python": platform.python_version()}
    return {**own, **trainer}


def _write_parts(recipe: BundleSpec, folder: Path) -> None:
    names = []
    for number, model in enumerate(recipe.models):
        names.append(f"{number}.model")
        (folder / names[-1]).write_bytes(model.stored.body)
    facts = {
        "kind": recipe.kind,
        "features": list(recipe.features),
        "benchmark": recipe.benchmark,
        "neutralize": recipe.neutralize,
        "models": names,
    }
    (folder / "bundle.json").write_text(json.dumps(facts))


def _run_local(words: list[str]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(words, capture_output=True, timeout=_PACK_SECONDS)
    except subprocess.TimeoutExpired:
        raise BundleRefused(
            f"expected to pack within {_PACK_SECONDS:.0f} s, found it still at work",
            "try again on a machine with less to do",
        ) from None
