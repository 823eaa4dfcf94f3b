"""Memory that a process has freed is returned to the system."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

PROGRAM = """
import os
from numerai_predict.resources.memory import resident_bytes, trim_heap

blocks = [bytes(2_000) for _ in range(50_000)]
last = blocks.pop()  # the topmost block keeps the others from being returned by free()
blocks.clear()
before = resident_bytes([os.getpid()])
trim_heap()
print(before - resident_bytes([os.getpid()]))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="does nothing with another C library")
def test_fragmented_free_memory_is_returned():
    asked = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert int(asked.stdout) > 50_000_000
