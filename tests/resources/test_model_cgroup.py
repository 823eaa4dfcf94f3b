"""A model's control group: where it is made, what it limits, and that it is removed."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from control_groups import write_groups

from numerai_predict.contract.limits import Limits
from numerai_predict.resources import cgroups, model_cgroup
from numerai_predict.resources.cgroups import CgroupUnavailable, writable_parent
from numerai_predict.resources.model_cgroup import ModelCgroup, create_model_cgroup, describe

MIB = 1024**2
LIMITS = Limits(memory_bytes=200 * MIB, processes=10)
TAKES = "import sys\nheld = bytearray(int(sys.argv[1]))\nprint('held', flush=True)\ninput()\n"


@pytest.fixture
def tree(tmp_path):
    """A tree of control groups, of which this process is in `members`."""

    def write(own, members, files=None):
        processes = {f"{members}/cgroup.procs": f"{os.getpid()}\n"}
        return write_groups(tmp_path, own, {**processes, **(files or {})})

    return write


def test_version_1_makes_groups_below_the_own_one(tree):
    mount, own = tree("4:memory:/box\n0::/\n", "memory/box")
    assert writable_parent("memory", mount, own) == mount / "memory/box"


def test_in_a_container_of_version_1_the_mount_is_the_own_group(tree):
    mount, own = tree("4:memory:/docker/abc\n", "memory")
    assert writable_parent("memory", mount, own) == mount / "memory"


def test_version_2_makes_groups_beside_the_own_one_if_that_is_delegated(tree):
    delegated = {"app/cgroup.subtree_control": "memory pids\n"}
    own_files = {"app/run/cgroup.controllers": "memory pids\n"}
    mount, own = tree("0::/app/run\n", "app/run", delegated | own_files)
    assert writable_parent("memory", mount, own) == mount / "app"


def test_version_2_without_delegation_is_refused_with_the_reason(tree):
    mount, own = tree("0::/app\n", "app", {"app/cgroup.controllers": "memory\n"})
    with pytest.raises(CgroupUnavailable, match="memory is not delegated"):
        writable_parent("memory", mount, own)


def test_no_group_is_a_reason_too(tree):
    mount, own = tree("0::/app\n", "elsewhere")
    with pytest.raises(CgroupUnavailable, match="no control group of memory is mounted"):
        writable_parent("memory", mount, own)


@pytest.fixture
def started():
    """A process of a model that takes memory in its own group."""
    try:
        writable_parent("memory")
    except CgroupUnavailable as reason:
        pytest.skip(f"this machine allows no group: {reason}")
    running = []

    def start(size):
        command = [sys.executable, "-c", TAKES, str(size)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        group = create_model_cgroup(LIMITS, 1, process.pid)
        running.append((process, group))
        return process, group

    yield start
    for process, group in running:
        process.kill()
        process.communicate()
        group.remove()
        assert [each for each in group.groups.values() if each.exists()] == []


@pytest.mark.process
def test_the_kernel_ends_a_model_that_exceeds_its_memory(started):
    process, group = started(400 * MIB)
    assert process.wait(30) == -9
    assert group.memory_kills() >= 1
    assert group.peak_bytes() >= 150 * MIB


@pytest.mark.process
def test_a_model_within_its_limit_runs_and_is_measured(started):
    process, group = started(50 * MIB)
    assert process.stdout.readline() == b"held\n"
    assert (group.memory_kills(), process.poll()) == (0, None)
    assert "the kernel counts all memory and limits it to 200.0 MiB" in describe(group, LIMITS)
    for name in ("memory", "pids"):
        assert str(process.pid) in (group.groups[name] / "cgroup.procs").read_text().split()


@pytest.mark.process
def test_groups_of_supervisors_that_were_killed_are_removed(started):
    left = writable_parent("memory") / f"numerai-model-{2**22 + 1}-{secrets.token_hex(4)}"
    left.mkdir()
    started(MIB)
    assert not left.exists()


def test_where_none_can_be_made_the_reason_is_recorded(monkeypatch):
    monkeypatch.setattr(cgroups, "_own_group", lambda *_: None)
    group = create_model_cgroup(LIMITS, 1, os.getpid())
    assert (group.groups, group.memory_kills(), group.peak_bytes()) == ({}, 0, 0)
    assert describe(group, LIMITS).startswith("counted by the runner, 200.0 MiB")
    assert "no control group of memory is mounted" in describe(group, LIMITS)


@pytest.mark.parametrize(
    ("controller", "expected"),
    [
        ("memory", {"memory.max": str(200 * MIB), "memory.swap.max": "0", "memory.oom.group": "1"}),
        ("pids", {"pids.max": "74"}),
        ("cpu", {"cpu.max": "200000 100000"}),
    ],
)
def test_version_2_gets_the_same_limits(tmp_path, controller, expected):
    for name in expected:
        (tmp_path / name).write_text("max" + " " * 20)
    model_cgroup._set_limits(tmp_path, controller, LIMITS, 2)
    for name, text in expected.items():
        assert (tmp_path / name).read_text().startswith(text)


def test_a_missing_group_has_no_kills():
    assert ModelCgroup({"memory": Path("/nonexistent")}).memory_kills() == 0
