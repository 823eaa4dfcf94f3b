"""A ruleset uses the rights that each ABI version of Landlock supports, and no others."""

import subprocess
import sys

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
