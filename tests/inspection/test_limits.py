"""An inspection is bounded in time and memory, whatever the file contains."""

import bz2
import gzip
import lzma
import sys
import zipfile
from pathlib import Path

import pytest

from numerai_predict.inspection.code_objects import Code
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.limits import TimeLimit, TimeLimitExceeded
from numerai_predict.inspection.python_versions import check_code
from numerai_predict.inspection.virtual_machine.bounded_decompression import open_bounded

DIRECTORY = Path(__file__).parent
sys.path.insert(0, str(DIRECTORY))
import crafted  # noqa: E402

sys.path.remove(str(DIRECTORY))

MOST_MEGABYTES = 300

BOMBS = [name for name in crafted.PACKED if "bomb" in name or "million" in name]


@pytest.mark.process
@pytest.mark.parametrize("name", crafted.CRAFTED)
def test_a_crafted_pickle_takes_little_time_and_memory(tmp_path, name):
    path = tmp_path / name
    crafted.write(name, path)
    seconds, megabytes, result = crafted.measure(path)
    assert megabytes < MOST_MEGABYTES, result
    # CPU time, which other processes do not lengthen; a large file is read at 100 MB/s.
    assert seconds < 2.5 + path.stat().st_size / 100e6, result
    assert result.startswith(("invalid", "fully inspected", "not fully inspected: "))


def test_there_are_at_least_64_crafted_pickles():
    assert len(crafted.CRAFTED) >= 64


class CountingClock:
    """A clock that advances by one second at each look: time limits count checks."""

    def __init__(self):
        self.checks = -1

    def __call__(self):
        self.checks += 1
        return self.checks


def unpack(path, limit, chunks):
    """Unpack the whole file as the window does; adds the size of each chunk to `chunks`."""
    with open_bounded(str(path), limit) as handle:
        while chunk := handle.read(1024 * 1024):
            chunks.append(len(chunk))
            limit.check()


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_decompression_checks_the_time_limit_after_a_bounded_amount_of_work(tmp_path, name):
    path = tmp_path / name
    crafted.write(name, path)
    clock, chunks = CountingClock(), []
    with pytest.raises(TimeLimitExceeded):
        unpack(path, TimeLimit(20, clock), chunks)
    assert all(size <= 1024 * 1024 for size in chunks)
    assert len(chunks) <= 20
    assert clock.checks == 21


@pytest.mark.parametrize(
    ("suffix", "compress"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_streams_one_after_the_other_are_one_file(tmp_path, suffix, compress):
    path = tmp_path / f"model.pkl.{suffix}"
    path.write_bytes(compress(b"one") + compress(b"") + compress(b"two" * 99_999))
    data = b""
    with open_bounded(str(path), TimeLimit(60)) as handle:
        while chunk := handle.read(10_000):
            data += chunk
    assert data == b"one" + b"two" * 99_999


def test_xz_data_that_is_cut_or_corrupt_is_refused(tmp_path):
    path = tmp_path / "model.pkl.xz"
    data = lzma.compress(bytes(range(256)) * 999)
    corrupt = data[:40] + bytes(99) + data[139:]
    for wrong in (data[:-20], corrupt, b"no xz data"):
        path.write_bytes(wrong)
        with pytest.raises((EOFError, lzma.LZMAError)):
            unpack(path, TimeLimit(60), [])


def test_a_decoder_that_needs_too_much_memory_is_not_started(tmp_path):
    path = tmp_path / "model.pkl.xz"
    path.write_bytes(crafted.xz_large_dictionary())
    assert lzma.decompress(path.read_bytes()) == b"\x80\x05N."
    assert "memory limit was exceeded by the decoder" in inspect_pickle(path).partial


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_zip_archive_that_cannot_be_unpacked_within_limits_is_not_inspected(tmp_path, method):
    path = tmp_path / "model.pkl.zip"
    path.write_bytes(crafted.zip_of(method, b"\x80\x05N."))
    assert "another compression than deflate" in inspect_pickle(path).partial


def test_a_dict_of_120000_created_objects_is_inspected_to_its_end(tmp_path):
    path = tmp_path / "model.pkl"
    crafted.write("dict-of-120000-objects.pkl", path)
    assert inspect_pickle(path, 60).partial is None


def test_more_names_than_are_kept_are_reported(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"".join(b"cm%d\nf\n0" % n for n in range(3_000)) + b"N.")
    inspection = inspect_pickle(path, 60)
    assert len(inspection.references) == 2_000
    assert inspection.partial == "not fully inspected: it has more than 2,000 imported names"


def test_a_function_whose_check_exceeds_the_time_limit_is_not_checked():
    fields = dict.fromkeys(("names", "varnames", "freevars", "cellvars"), ())
    with pytest.raises(TimeLimitExceeded):
        check_code(Code(18, fields), TimeLimit(-1))


def test_a_function_of_megabytes_is_reported_as_not_inspected(tmp_path):
    path = tmp_path / "model.pkl"
    crafted.write("code-megabytes.pkl", path)
    inspection = inspect_pickle(path, 60)
    assert inspection.functions == 1
    assert inspection.pythons.legal is None
    assert "1 of 1 functions are incomplete or too large" in inspection.partial


def test_a_function_whose_names_are_bytes_is_a_faulty_one(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(crafted.HEAD + crafted.code_call(crafted.blob(b"n"), b"C\x01n") + b".")
    inspection = inspect_pickle(path, 60)
    assert "whose names are not a tuple" in inspection.pythons.corrupt
