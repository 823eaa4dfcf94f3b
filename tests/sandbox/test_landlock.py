"""A ruleset uses the rights that each ABI version of Landlock supports, and no others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from numerai_predict.sandbox import landlock

HERE = landlock.abi()
SIGNALS = "signals to other processes and their abstract sockets"
needs_landlock = pytest.mark.skipif(not HERE, reason="this kernel has no Landlock")

TRY = """
import sys
from pathlib import Path
from numerai_predict.sandbox import capabilities, landlock

rules = landlock.Ruleset(int(sys.argv[1]))
rules.allow([Path(sys.argv[2])], landlock.SCRATCH)
rules.allow([Path("/no/such/place")], landlock.READ)
capabilities.set_no_new_privs()
rules.enforce()
Path(sys.argv[2], "inside").write_text("in")
print(rules.rule_count, Path(sys.argv[2], "inside").read_text())
try:
    Path(sys.argv[3]).read_text()
except PermissionError:
    print("denied")
"""


@pytest.mark.process
@needs_landlock
@pytest.mark.parametrize("version", range(1, HERE + 1))
def test_every_version_up_to_this_kernels_is_enforced(tmp_path, version):
    outside = tmp_path / "outside"
    outside.write_text("out")
    inside = tmp_path / "folder"
    inside.mkdir()
    run = subprocess.run(
        [sys.executable, "-c", TRY, str(version), inside, outside], capture_output=True, text=True
    )
    assert run.stdout.splitlines() == ["1 in", "denied"], run.stderr
    assert [path.name for path in inside.iterdir()] == ["inside"]


OWN_PROCESS = """
import os, sys
from pathlib import Path
from numerai_predict.sandbox import access_rules, capabilities, landlock

rules = landlock.Ruleset(landlock.abi())
rules.allow(access_rules.own_process(private_network=sys.argv[1] == "private"), landlock.READ)
rules.allow([access_rules.SELF], landlock.LIST)
capabilities.set_no_new_privs()
rules.enforce()
for time in ("first", "later"):
    read = []
    for name in ("status", "maps", "net/tcp", f"task/{os.getpid()}/net/tcp"):
        try:
            Path("/proc/self", name).read_bytes()
            read.append(name.replace(str(os.getpid()), "PID"))
        except PermissionError:
            continue
    print(time, *read, flush=True)
    os.listdir("/proc/self/task"), os.listdir("/proc/self/fd")
    sys.stdin.readline()
"""


@pytest.fixture
def read_own_process(tmp_path):
    """What a process reads of its own in /proc, also after the kernel has dropped its entries."""

    def read(network):
        command = [sys.executable, "-c", OWN_PROCESS, network]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, **pipes) as process:
            first = process.stdout.readline()
            if os.getuid() == 0:
                Path("/proc/sys/vm/drop_caches").write_text("2")  # unused inodes and entries
            later, _ = process.communicate("\n\n", timeout=60)
            assert process.returncode == 0
        return first, later

    return read


@pytest.mark.process
@needs_landlock
def test_its_own_process_is_readable_but_not_the_machines_connections(read_own_process):
    names = "status maps\n"
    assert read_own_process("shared") == (f"first {names}", f"later {names}")


@pytest.mark.process
@needs_landlock
def test_its_own_network_is_readable(read_own_process):
    names = "status maps net/tcp task/PID/net/tcp\n"
    assert read_own_process("private") == (f"first {names}", f"later {names}")


@pytest.mark.parametrize(
    ("version", "gaps"),
    [
        (2, f"; it cannot forbid truncating files, {SIGNALS}"),
        (5, f"; it cannot forbid {SIGNALS}"),
        (6, ""),
        (99, ""),
    ],
)
def test_what_a_version_cannot_forbid_is_reported(version, gaps):
    assert landlock.unsupported_rights(version) == gaps
