"""The Makefile: a dry run changes and starts nothing, and the help names what there is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lanes import ROOT

pytestmark = pytest.mark.process

TEXT = (ROOT / "Makefile").read_text()
_RULE = re.compile(r"^([a-z_0-9%]+(?: [a-z_0-9%]+)*):(?!=)", re.MULTILINE)
PYTHONS = re.findall(r'^version = "(.*)"', (ROOT / "versions.toml").read_text(), re.MULTILINE)


def all_targets() -> list[str]:
    """Every target that the Makefile has a rule for, the pattern rules for Python 3.12."""
    names = dict.fromkeys(name for found in _RULE.findall(TEXT) for name in found.split())
    stems = {"build_3%": "_12", "test_3%": "_12"}
    return [name.replace("%", stems.get(name, "3_12")) for name in names]


def listed_targets(printed: str) -> list[str]:
    """The targets that the help shows: `make NAME`, several in a line."""
    lines = [line for line in printed.splitlines() if line.startswith("  make ")]
    return [name for line in lines for name in _named_in(line)]


def _named_in(line: str) -> list[str]:
    table = re.fullmatch(r"(?:\s+make \w+)+", line)
    return re.findall(r"make (\w+)", line) if table else [line.split()[1]]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone without an environment, with the Makefile as it is here."""
    folder = tmp_path_factory.mktemp("clone") / "checkout"
    subprocess.run(["git", "clone", "-q", "--shared", ROOT, folder], check=True)
    shutil.copy(ROOT / "Makefile", folder)
    return folder


@pytest.fixture
def make(clone, tmp_path):
    """Run make in the clone; returns how it ended and the command lines that it started."""
    log = tmp_path / "started"
    shell = tmp_path / "shell"
    shell.write_text(f'#!/bin/bash\nprintf "%s\\n" "${{@: -1}}" >>{log}\nexec /bin/bash "$@"\n')
    shell.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}

    def run(*words: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
        log.write_text("")
        ended = subprocess.run(
            ["make", f"SHELL={shell}", "REGISTRY=host.invalid/us", "VERSION=3.12", *words],
            cwd=clone,
            env={**environment, "DOCKER": "false"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return ended, log.read_text().splitlines()

    return run


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of everything in a directory."""
    found = {str(path.relative_to(folder)): path.lstat() for path in folder.rglob("*")}
    return {name: (facts.st_size, facts.st_mtime_ns) for name, facts in found.items()}


def test_a_dry_run_of_any_target_changes_and_starts_nothing(make, clone):
    _, while_reading = make("-n", "--eval=nothing:", "nothing")
    assert while_reading  # the shell records what `$(shell ...)` starts
    listed = listed_targets(make("help")[0].stdout)
    assert len(listed) > 40
    before = contents(clone)
    for target in dict.fromkeys([*all_targets(), *listed]):
        ended, started = make("-n", target)
        assert ended.returncode == 0, f"{target}: {ended.stderr}"
        assert started == while_reading, target
    assert contents(clone) == before


def test_a_dry_run_shows_what_would_run(make):
    ended, _ = make("-n", "test_3_12")
    assert "images/build 3.12 slim" in ended.stdout or "build_slim_3_12" in ended.stdout
    assert "test_built IMAGES=" in ended.stdout


def test_the_record_of_started_commands_shows_a_recipe_that_runs(make):
    """The dry run's test can fail: a recipe that names MAKE itself is recorded."""
    line = "faulty: ; echo made; $(MAKE) --version"
    ended, started = make("-n", f"--eval={line}", "faulty")
    assert ended.returncode == 0
    assert any("echo made" in each for each in started)


def test_the_help_lists_build_test_and_push_of_each_python(make):
    listed = listed_targets(make("help")[0].stdout)
    tags = [version.replace(".", "_") for version in PYTHONS]
    wanted = [
        f"{action}_{tag}"
        for tag in tags
        for action in ("build", "test", "push_latest", "push_stable")
    ]
    assert [name for name in wanted if name not in listed] == []


def test_a_build_reads_its_dockerfile_itself(tmp_path):
    """BuildKit confuses files of the same size and time in different directories."""
    engine, received = tmp_path / "engine", tmp_path / "received"
    engine.write_text(f'#!/bin/sh\n[ "$1" = build ] && cat >{received}\necho 1500000000\n')
    engine.chmod(0o755)
    for version in PYTHONS:
        subprocess.run(
            ["images/build", version, "slim"],
            cwd=ROOT,
            env={**os.environ, "DOCKER": str(engine)},
            check=True,
            capture_output=True,
        )
        assert received.read_bytes() == (ROOT / f"py{version}/Dockerfile").read_bytes()


def test_a_build_shows_its_step_from_time_to_time_and_leaves_no_process(tmp_path):
    engine = tmp_path / "engine"
    engine.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        '    build) echo "#7 [2/4] RUN pip install x"; sleep 2 ;;\n'
        "    image) echo 1500000000 ;;\n"
        "esac\n"
    )
    engine.chmod(0o755)
    environment = {**os.environ, "DOCKER": str(engine), "BUILD_PROGRESS_SECONDS": "1"}
    # Its output ends when the last process that has the pipe does.
    ended = subprocess.run(
        ["images/build", "3.12", "slim"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=10,
    )
    first, *steps, last = ended.stdout.splitlines()
    assert first == "Building numerai_predict_py_3_12:latest-slim"
    assert steps[0].endswith("s: #7 [2/4] RUN pip install x")
    assert last == "Built numerai_predict_py_3_12:latest-slim, 1.50 GB"
