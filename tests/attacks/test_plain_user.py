"""A hostile model that runs as the runner's own user, on kernels with and without some layers."""

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import stage
from attempts import same_user  # noqa: F401 - the tables are filled

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
USER = 54_321

NAMES = [
    name
    for table in (stage.attempts.REACHES, stage.attempts.ENDS)
    for name, attempt in table.items()
    if "same_user" in (attempt if callable(attempt) else attempt[0]).__module__
]

YOUNGER = "signal processes of its user that are younger than the model"
MEMORY = [
    "take memory by files of shared memory that have no name",
    "take memory by the buffers of sockets",
    "take memory by page tables",
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(500),  # each plays some twenty whole runs
    pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user"),
]


@pytest.fixture
def outcomes(sample):
    """Play attempts as a plain user; the outcomes by name."""
    with tempfile.TemporaryDirectory(prefix="plain-user-") as name:  # pytest's own are closed
        folder = Path(name)
        shutil.copytree(sample, folder / "sample")
        folder.chmod(0o755)
        (folder / "sample").chmod(0o755)
        os.chown(folder, USER, USER)
        yield functools.partial(_play, folder)


def _play(folder, names, *options, sandbox="auto"):
    command = [sys.executable, HERE / "plain_user.py", "--user", USER, *options]
    command += [sys.executable, HERE / "stage.py", ROOT / "predict.py", folder / "stage"]
    command += [folder / "sample", "--sandbox", sandbox, *names]
    command = list(map(str, command))
    run = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert run.returncode == 0, run.stderr
    found = [stage.Outcome(**json.loads(line)) for line in run.stdout.splitlines()]
    return {outcome.name: outcome for outcome in found}


def escaped(found):
    return {name: o.detail for name, o in found.items() if o.result == "escaped"}


@pytest.mark.parametrize(
    "options",
    [(), ("--without", "landlock"), ("--without", "namespaces")],
    ids=lambda options: " ".join(options[1::2]) or "all layers",
)
def test_a_model_reaches_no_process_of_its_own_user(outcomes, options):
    assert escaped(outcomes(NAMES, *options)) == {}


@pytest.mark.parametrize("ids", [(), ("--recycle-ids",)], ids=["rising", "recycled"])
def test_without_both_it_reaches_those_alone_that_start_during_its_run(outcomes, ids):
    """No layer is left that knows them; the record says so."""
    found = outcomes(NAMES, "--without", "landlock", "--without", "namespaces", *ids)
    assert set(escaped(found)) <= {YOUNGER}
    for outcome in found.values():
        assert "it cannot forbid signals to processes of its user" in outcome.layers["seccomp"]


@pytest.mark.parametrize("options", [(), ("--without", "namespaces")], ids=["namespaces", "none"])
def test_memory_of_every_kind_counts_where_no_control_group_does(outcomes, options):
    found = outcomes(MEMORY, *options)
    assert escaped(found) == {}
    for outcome in found.values():
        assert outcome.layers["memory"].startswith("counted by the runner")


def test_without_a_sandbox_the_same_model_reaches_them(outcomes):
    """Control: the attempts do not fail by themselves."""
    names = [name for name in NAMES if name in stage.attempts.REACHES]
    found = outcomes(names, sandbox="off")
    assert {name for name, o in found.items() if "ESCAPED" not in o.detail} == set()
