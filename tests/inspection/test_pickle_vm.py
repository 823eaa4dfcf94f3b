"""The walk over a pickle: as an unpickler reads it, within bounds, and nothing else."""

import io
import pickle
import pickletools
import random
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import cloudpickle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerai_predict.contract.errors import InvalidPickle
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.report import as_text
from numerai_predict.inspection.virtual_machine.container_opcodes import unknown_opcode
from numerai_predict.inspection.virtual_machine.opcodes import OPERATIONS

DIRECTORY = Path(__file__).parent
ROOT = DIRECTORY.parents[1]
sys.path.insert(0, str(DIRECTORY))
import fuzz  # noqa: E402

sys.path.remove(str(DIRECTORY))


def test_every_opcode_that_there_is_is_followed():
    known = {each.code.encode("latin-1")[0] for each in pickletools.opcodes}
    assert {byte for byte, each in enumerate(OPERATIONS) if each is not unknown_opcode} == known


THINGS = [
    *(None, True, 7, -7, 300, 70_000, 2**40, -(2**90), 2**4000, 1.5, "text", "ü" * 999, b"bytes"),
    *([], (), {}, set(), [1, [2]], (1,), (1, 2), (1, 2, 3), tuple(range(9)), {"a": {"b": 1}}),
    *({1, 2}, frozenset({3}), bytearray(b"abc"), range(4), 1j, "x" * 70_000, b"y" * 70_000),
    *([0.5] * 5_000, [7] * 5_000, [300] * 40, [70_000] * 40, list(range(300)), ["a"] * 2_000),
    *(io.StringIO, len, {n: n / 3 for n in range(3_000)}, [{"n": n} for n in range(2_000)]),
]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_whatever_pickle_writes_is_read_to_its_end(tmp_path, protocol):
    path = tmp_path / "model.pkl"
    for thing in [*THINGS, THINGS]:
        path.write_bytes(pickle.dumps(thing, protocol) + b"left over")
        assert inspect_pickle(path).partial is None


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_ends_early_is_a_broken_one_wherever_it_ends(tmp_path, protocol):
    path = tmp_path / "model.pkl"
    data = pickle.dumps([1, "two", 3.5, {"four": (5, b"six")}, io.StringIO, -(2**70)], protocol)
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(InvalidPickle):
            inspect_pickle(path)


def hostile(name):
    """Small files that would take much time or memory if they were believed."""
    million = 1_000_000
    return {
        "a memo bomb": b"\x80\x05)\x94" + b"h\x00h\x00\x86\x94" + b"2\x86\x94" * 9_999 + b".",
        "a deeply nested tuple": b"\x80\x05)" + b"\x85" * million + b".",
        "deeply nested lists": b"\x80\x05" + b"]" * million + b"a" * (million - 1) + b".",
        "a million marks": b"\x80\x05" + b"(" * million + b".",
        "a gigabyte of bytes declared": b"\x80\x05B" + struct.pack("<I", 2**30) + b"x" * 1_000,
        "an exabyte of text declared": b"\x80\x05\x8d" + struct.pack("<Q", 2**60) + b"x" * 1_000,
        "a gigabyte of frame declared": b"\x80\x05\x95" + struct.pack("<Q", 2**30) + b"N.",
        "a far memo": b"\x80\x05Nr\xff\xff\xff\x7fj\xff\xff\xff\x7f.",
        "rows of numbers without end": b"\x80\x05(" + b"K\x01" * (3 * million) + b"t.",
        "a long number": b"I" + b"9" * 500_000 + b"\n.",
        "a line without end": b"c" + b"x" * (3 * million),
    }[name]


HOSTILE = (
    "a memo bomb",
    "a deeply nested tuple",
    "deeply nested lists",
    "a million marks",
    "a gigabyte of bytes declared",
    "an exabyte of text declared",
    "a gigabyte of frame declared",
    "a far memo",
    "rows of numbers without end",
    "a long number",
    "a line without end",
)

# Prints the megabytes that the inspection took beyond what was there before.
_MEASURED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from numerai_predict.contract.errors import InvalidPickle
from numerai_predict.inspection.inspect import inspect_pickle
def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024
before = peak()
try:
    inspect_pickle(sys.argv[2], 3.0)
except InvalidPickle:
    pass
print(peak() - before)
"""


@pytest.mark.process
@pytest.mark.parametrize("suffix", ["pkl", "pkl.gz"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_takes_little_time_and_memory(tmp_path, name, suffix):
    import gzip

    path = tmp_path / f"model.{suffix}"
    data = hostile(name)
    path.write_bytes(gzip.compress(data, 1) if suffix.endswith("gz") else data)
    started = time.monotonic()
    command = [sys.executable, "-c", _MEASURED, str(ROOT), str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) < 150
    assert time.monotonic() - started < 10


def test_a_function_behind_many_payloads_of_a_compressed_pickle_is_found(tmp_path):
    import gzip

    path = tmp_path / "model.pkl.gz"
    payloads = [bytes([n % 256]) * 100_000 for n in range(400)]
    path.write_bytes(gzip.compress(cloudpickle.dumps([payloads, lambda live: live]), 1))
    assert "{}.{}".format(*sys.version_info) in inspect_pickle(path).pythons.legal


def test_a_walk_ends_when_its_time_is_over_and_says_so(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(cloudpickle.dumps([{"a": [n]} for n in range(200_000)]))
    started = time.monotonic()
    partial = inspect_pickle(path, 0.05).partial
    assert time.monotonic() - started < 5
    assert partial.startswith("not fully inspected: the time limit of 0.038 s was exceeded after ")
    assert "not fully inspected: " in as_text(inspect_pickle(path, 0.05))


@pytest.mark.parametrize("seed", range(4))
def test_mutated_pickles_raise_nothing_but_the_inspections_own(tmp_path, seed):
    chance, pickles, path = random.Random(seed), fuzz.seeds(), tmp_path / "fuzz.pkl"
    for _ in range(200):
        data = fuzz.mutate(chance.choice(pickles), chance.choice(pickles), chance)
        _, wrong = fuzz.inspect_mutation(data, path)
        assert wrong is None


def test_what_the_long_fuzzing_kept_ends_well(tmp_path):
    path, count = tmp_path / "fuzz.pkl", 0
    with zipfile.ZipFile(fuzz.KEPT) as archive:
        for name in archive.namelist():
            _, wrong = fuzz.inspect_mutation(archive.read(name), path)
            assert wrong is None, name
            count += 1
    assert count > 50


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    path = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/tmp") / "inspection-fuzz.pkl"
    _, wrong = fuzz.inspect_mutation(b"\x80\x05" + data, path)
    path.unlink()
    assert wrong is None


# Unpickling any of these does what its name says; looking at it must not.
_DANGEROUS = {
    "writes a file": (b"c__builtin__\nopen\n(V{target}\nVw\ntR.", "open"),
    "imports a module": (b"cmodule_that_does_not_exist\nname\n.", "import"),
    "imports a module of the standard library": (b"cthis\nd\n.", "import"),
    "runs a program": (b"cos\nsystem\n(Vtouch {target}\ntR.", "os.system"),
    "opens a socket": (b"csocket\ncreate_connection\n((V127.0.0.1\nI9\nttR.", "socket"),
    "runs code": (b"c__builtin__\nexec\n(Vopen('{target}', 'w')\ntR.", "exec"),
}
_LISTENING = """
import sys
sys.path.insert(0, sys.argv[1])
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.report import as_json, as_text
import pickle
def look():
    as_text(inspect_pickle(sys.argv[2])), as_json(inspect_pickle(sys.argv[2]))
def unpickle():
    with open(sys.argv[2], "rb") as file:
        pickle.load(file)
if sys.argv[3] == "look":
    import shutil
    mine, sys.argv[2] = sys.argv[2], sys.argv[4]
    look()  # what is read once - tables, codecs - is read now
    sys.argv[2] = mine
heard = []
def hear(event, arguments):
    if event != "open" or str(arguments[0]) != sys.argv[2]:
        heard.append(event)
sys.addaudithook(hear)
try:
    look() if sys.argv[3] == "look" else unpickle()
except Exception:
    pass
print(*heard)
"""


@pytest.mark.process
@pytest.mark.parametrize("name", _DANGEROUS)
def test_an_inspection_does_nothing_of_what_a_pickle_would_do(tmp_path, corpus_pickle, name):
    data, event = _DANGEROUS[name]
    path, target = tmp_path / "model.pkl", tmp_path / "target"
    path.write_bytes(data.replace(b"{target}", str(target).encode()))

    def heard(what):
        other = corpus_pickle("3.11", "a_lambda")
        command = [sys.executable, "-c", _LISTENING, ROOT, path, what, other]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    events = set(heard("look"))
    assert events <= {"mmap.__new__", "builtins.id"}, "it did more than read the file"
    assert not target.exists()
    assert any(each.startswith(event) for each in heard("unpickle")), "the listener is deaf"
