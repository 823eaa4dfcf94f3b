"""Memory that a process no longer needs goes back to the system."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

PROGRAM = """
import os
from numerai_predict.resources.memory import resident_bytes, trim_heap

blocks = [bytes(2_000) for _ in range(50_000)]
last = blocks.pop()  # what lies behind all others keeps them from going by themselves
blocks.clear()
before = resident_bytes([os.getpid()])
trim_heap()
print(before - resident_bytes([os.getpid()]))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library: nothing is done")
def test_what_was_freed_between_what_is_kept_is_handed_back():
    asked = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert int(asked.stdout) > 50_000_000
