"""Requirements come from a lock that belongs to its pyproject, or not at all."""

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POETRY = str(Path(sys.executable).parent / "poetry")

requirements = pytest.importorskip("generate.requirements", reason="not run from a checkout")
pytestmark = pytest.mark.skipif(not Path(POETRY).exists(), reason="no Poetry beside this Python")


@pytest.fixture
def locked(tmp_path):
    """A directory with a lock that belongs to its pyproject."""
    for name in ("pyproject.toml", "poetry.lock"):
        shutil.copy(ROOT / "py3.12" / name, tmp_path)
    return tmp_path


@pytest.mark.process
def test_a_lock_that_belongs_to_its_pyproject_is_taken(locked):
    requirements.require_fresh_lock(POETRY, locked)
    assert "\nlightgbm==" in requirements.export(POETRY, locked)


@pytest.mark.process
def test_a_lock_of_another_pyproject_is_refused_with_what_to_do(locked):
    project = locked / "pyproject.toml"
    project.write_text(project.read_text().replace('boto3 = "1.44.5"', 'boto3 = "1.44.4"'))
    with pytest.raises(ValueError, match="does not match its pyproject: run make lock"):
        requirements.require_fresh_lock(POETRY, locked)


def test_a_missing_lock_is_reported_with_the_command_that_makes_it(locked):
    (locked / "poetry.lock").unlink()
    with pytest.raises(FileNotFoundError, match="found none: run make lock"):
        requirements.require_fresh_lock(POETRY, locked)


def test_the_libraries_of_a_gpu_are_left_out_with_their_hashes():
    text = "a==1 \\\n    --hash=sha256:1\nnvidia-nccl==2 \\\n    --hash=sha256:2\nb==3\n"
    assert requirements.without_nvidia(text) == "a==1 \\\n    --hash=sha256:1\nb==3\n"


def test_packages_to_compile_keep_their_hashes_and_get_a_build_directory():
    text = "a==1 \\\n    --hash=sha256:1\nb-c==2 ; marker \\\n    --hash=sha256:2\nb==3\n"
    assert requirements.to_compile(text, ["b-c"]) == (
        'b-c==2 ; marker \\\n    --config-settings="build-dir=/build/b-c" \\\n    --hash=sha256:2\n'
    )
