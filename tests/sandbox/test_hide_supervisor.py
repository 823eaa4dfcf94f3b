"""The supervisor is hidden from other processes of its user."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

HIDE = """
import os, sys
from pathlib import Path
from numerai_predict.sandbox.hide_supervisor import harden_supervisor

harden_supervisor()
print(Path("/proc/self/cmdline").read_bytes().rstrip(b"\\0").split(b"\\0")[3:])
print(repr(sys.argv[1:]) == os.environ["WORDS"])
"""


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--post_data", "key=1&policy=SECRET"], ["--post_data", "***"]),
        (["--post_data=policy=SECRET"], ["--post_data=***"]),
        (["--post-data", "key=1&policy=SECRET"], ["--post-data", "***"]),
        (["--post-data=policy=SECRET"], ["--post-data=***"]),
        (
            ["--model", "https://me:SECRET@s3/m.pkl?X-Amz-Signature=SECRET", "--debug"],
            ["--model", "https://s3/m.pkl", "--debug"],
        ),
        (["--post_url=https://s3/?SECRET"], ["--post_url=https://s3/"]),
        (["--model", "mödel.pkl"], ["--model", "mödel.pkl"]),
        (["--post_data", "x"], ["--post_data", "*"]),
        ([], []),
    ],
)
def test_the_command_line_shows_no_secret_and_the_program_keeps_it(words, shown):
    run = subprocess.run(
        [sys.executable, "-c", HIDE, *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "WORDS": repr(words)},
    )
    seen, kept = run.stdout.splitlines()
    assert seen == repr([word.encode() for word in shown])
    assert kept == "True"


def test_the_process_is_closed_to_others():
    code = HIDE + "\nimport os, resource\nprint(os.stat('/proc/self/environ').st_uid, "
    code += "resource.getrlimit(resource.RLIMIT_CORE)[0])\n"
    code += "import ctypes\nprint(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    environment = {**os.environ, "WORDS": ""}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert run.stdout.splitlines()[-2:] == ["0 0", "0"]
    assert Path("/proc/self/environ").exists()
