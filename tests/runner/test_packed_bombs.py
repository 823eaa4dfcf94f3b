"""A packed pickle that unpacks to more than the memory limit ends the model, not the machine."""

import gzip
import lzma
import struct
import zipfile

import pytest
import zstandard

CHUNK = bytes(16 * 1024**2)
CHUNKS = 64
# A callable, then a gigabyte that is dropped again.
HEAD = b"\x80\x05\x8c\x08builtins\x8c\x03len\x93\x8e" + struct.pack("<Q", len(CHUNK) * CHUNKS)
TAIL = b"0."


def streams(compress):
    """One compressed stream after the other; all but the first and the last are the same."""
    return compress(HEAD) + compress(CHUNK) * CHUNKS + compress(TAIL)


def zst_frame(path):
    with zstandard.open(path, "wb") as file:
        for part in (HEAD, *[CHUNK] * CHUNKS, TAIL):
            file.write(part)


def zip_archive(path):
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("model.pkl", "w", force_zip64=True) as file,
    ):
        for part in (HEAD, *[CHUNK] * CHUNKS, TAIL):
            file.write(part)


PACKED = {
    "gz": lambda path: path.write_bytes(streams(lambda data: gzip.compress(data, 1))),
    "xz": lambda path: path.write_bytes(streams(lambda data: lzma.compress(data, preset=0))),
    "zst": zst_frame,
    "zip": zip_archive,
}


@pytest.mark.parametrize("suffix", PACKED)
def test_the_model_process_that_unpacks_a_bomb_is_out_of_memory(run_model, tmp_path, suffix):
    path = tmp_path / f"bomb.pkl.{suffix}"
    PACKED[suffix](path)
    assert path.stat().st_size < 20_000_000
    run = run_model(path, "--memory", "400m", "--timeout", "60", timeout=100)
    run.fails_as("out_of_memory", "400.0 MiB")


def test_the_deadline_of_a_run_ends_the_inspection_and_the_load_of_a_bomb(run_model, tmp_path):
    path = tmp_path / "bomb.pkl.xz"
    path.write_bytes(streams(lambda data: lzma.compress(data, preset=0)) * 200)
    run = run_model(path, "--memory", "none", "--deadline", "8", timeout=100)
    # 30: a fast machine loads the first of the pickles in time, and it predicts a number.
    assert run.exit_code in (11, 14, 20, 22, 30, 50), run.text
    assert run.record["seconds"]["total"] < 60
