import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

APPLY = """
import json, resource, sys
from numerai_predict.contract.limits import Limits
from numerai_predict.sandbox.rlimits import apply_rlimits
if sys.argv[1:]:
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]),) * 2)
description = apply_rlimits(Limits(open_files=99, scratch_bytes=4096, processes=7))
kinds = ("CORE", "NOFILE", "FSIZE", "NPROC", "RTPRIO", "NICE", "MSGQUEUE")
limits = {kind: resource.getrlimit(getattr(resource, "RLIMIT_" + kind)) for kind in kinds}
print(json.dumps([description, limits, open("/proc/self/oom_score_adj").read().strip()]))
"""


@pytest.fixture
def apply():
    """Apply limits in a process of their own; what it reports, its limits and its OOM score."""

    def apply(*arguments):
        command = [sys.executable, "-c", APPLY, *map(str, arguments)]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(ended.stdout)

    return apply


def test_soft_and_hard_limits_are_set_and_described(apply):
    description, limits, score = apply()
    assert description == (
        "7 processes and threads, 99 open files, 4.0 KiB of scratch files, no core dumps"
    )
    for kind in ("CORE", "RTPRIO", "NICE", "MSGQUEUE"):
        assert limits[kind] == [0, 0]
    assert limits["NOFILE"] == [99, 99]
    assert limits["FSIZE"] == [4096, 4096]
    assert limits["NPROC"][1] >= 7
    assert score == "1000"


def test_a_lower_limit_of_the_machine_is_not_raised(apply):
    _, limits, _ = apply(50)
    assert limits["NOFILE"] == [50, 50]
