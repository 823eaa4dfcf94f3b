"""Crafted pickles that would take much time or memory if they were believed.

Each is a function that writes one file; `CRAFTED` has them by file name. They are small, or of
300 MB and then sparse where their content allows it.
"""

from __future__ import annotations

import bz2
import dis
import gzip
import io
import lzma
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

MEGABYTE = 10**6
MILLION = 10**6
_INSPECT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from numerai_predict.contract.errors import InvalidPickle
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.report import as_json, as_text
started = time.process_time()
try:
    inspection = inspect_pickle(sys.argv[2])
    as_text(inspection), as_json(inspection)
    result = inspection.partial or "fully inspected"
except InvalidPickle as error:
    result = "invalid"
seconds = time.process_time() - started
peak = open("/proc/self/status").read().split("VmHWM:")[1].split()[0]
print(seconds, int(peak) // 1024, result)
"""
HEAD = b"\x80\x05"
LARGE = 300 * MEGABYTE
STOP = b"."

U4 = struct.Struct("<I")
U8 = struct.Struct("<Q")


def text(value):
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def code_call(code_blob, names=b")", count=1, version=sys.version_info):
    """`count` calls of `CodeType` on the same memoized arguments."""
    fields = [b"K\x00", b"K\x00", b"K\x00", b"K\x00", b"K\x01", b"K\x03", code_blob, b")", names]
    fields += [b")", text("f"), text("f")]
    if version >= (3, 11):
        fields += [text("f"), b"K\x01", b"C\x00", b"C\x00", b")", b")"]
    else:
        fields += [b"K\x01", b"C\x00", b")", b")"]
    arguments = b"(" + b"".join(fields) + b"t\x94"
    head = b"ctypes\nCodeType\n\x94" + arguments + b"R"
    return head + (b"0h\x00h" + bytes([1 + names.count(b"\x94")]) + b"R") * (count - 1)


def blob(data):
    return b"B" + U4.pack(len(data)) + data


def nops(size):
    """A legal function of `size` bytes: RESUME or NOP, then a return."""
    nop, resume = dis.opmap["NOP"], dis.opmap.get("RESUME", dis.opmap["NOP"])
    end = bytes([dis.opmap["LOAD_CONST"], 0, dis.opmap["RETURN_VALUE"], 0])
    return bytes([resume, 0]) + bytes([nop, 0]) * ((size - 6) // 2) + end


def wide_names(count):
    return b"(" + text("n") * count + b"t\x94"


SMALL = {
    "memo-bomb": HEAD + b")\x94" + b"h\x00h\x00\x86\x94" + b"2\x86\x94" * 9_999 + STOP,
    "memo-bomb-lists": HEAD + b"]\x94" + b"(" + b"h\x00" * MILLION + b"e" + STOP,
    "memo-doubling-tuples": HEAD + b")" + b"2\x86" * MILLION + STOP,
    "memo-million-entries": HEAD + b"N" + b"\x94" * (3 * MILLION) + STOP,
    "memo-million-ints": HEAD + b"J\x11\x22\x33\x44\x940" * MILLION + b"N" + STOP,
    "memo-far": HEAD + b"Nr\xff\xff\xff\x7fj\xff\xff\xff\x7f" + STOP,
    "memo-sparse": HEAD + b"N" + b"".join(b"r" + U4.pack(n * 7 + 1) for n in range(300_000)) + STOP,
    "memo-long-decimal-index": HEAD + b"Np" + b"9" * 900_000 + b"\n" + STOP,
    "deep-tuples": HEAD + b")" + b"\x85" * MILLION + STOP,
    "deep-lists": HEAD + b"]" * MILLION + b"a" * (MILLION - 1) + STOP,
    "deep-dicts": HEAD
    + b"}"
    + text("k")
    + b"\x94"
    + b"}h\x00" * 300_000
    + b"N"
    + b"s" * 300_000
    + STOP,
    "deep-marks": HEAD + b"(" * MILLION + STOP,
    "deep-calls": HEAD + b"cm\nf\n" + b")R" * MILLION + STOP,
    "deep-arguments": HEAD + b"cm\nf\n\x940)" + b"\x85\x940h\x00h\x01R" * 3 + STOP,
    "deep-states": HEAD + b"cm\nf\n\x94)R" + b"\x94h\x00)Rh\x01b" * 200_000 + STOP,
    "deep-partials": HEAD + b"cfunctools\npartial\n\x940cm\nf\n" + b"\x85\x940h\x00h\x01R" + STOP,
    "long4-gigabyte": HEAD + b"\x8b" + U4.pack(2**31 - 1) + b"\x01" * 1_000 + STOP,
    "long4-megabytes": HEAD + b"\x8b" + U4.pack(8 * MEGABYTE) + b"\x7f" * (8 * MEGABYTE) + STOP,
    "long4-many": HEAD + (b"\x8b" + U4.pack(16) + b"\x7f" * 16) * 200_000 + STOP,
    "long-decimal": HEAD + b"I" + b"9" * 500_000 + b"\n" + STOP,
    "long-decimals": HEAD + (b"L" + b"9" * 3_900 + b"L\n0") * 2_000 + b"N" + STOP,
    "long-floats": HEAD + (b"F" + b"9" * 90_000 + b"\n0") * 200 + b"N" + STOP,
    "opcodes-million-none": HEAD + b"N0" * MILLION + b"N" + STOP,
    "opcodes-million-pops": HEAD + b"(1" * MILLION + b"N" + STOP,
    "opcodes-million-builds": HEAD + b"cm\nf\n)R" + b"Nb" * MILLION + STOP,
    "opcodes-million-calls": HEAD + b"cm\nf\n\x94" + b"0h\x00)R" * MILLION + STOP,
    "opcodes-million-frames": HEAD + (b"\x95" + U8.pack(2**62)) * MILLION + b"N" + STOP,
    "opcodes-million-globals": HEAD + b"ca\nb\n0" * MILLION + b"N" + STOP,
    "stack-rows-of-numbers": HEAD + b"(" + b"K\x01" * (3 * MILLION) + b"t" + STOP,
    "stack-hidden-by-marks": HEAD + (b"(" + b"N" * 1_000) * 5_000 + STOP,
    "stack-runs-hidden-by-marks": HEAD + (b"(" + b"K\x01" * 9_000) * 400 + STOP,
    "stack-mixed-ints": HEAD + b"(" + b"J\x11\x22\x33\x44M\x11\x22" * MILLION + b"t" + STOP,
    "declared-gigabyte-of-bytes": HEAD + b"B" + U4.pack(2**30) + b"x" * 1_000,
    "declared-exabyte-of-text": HEAD + b"\x8d" + U8.pack(2**60) + b"x" * 1_000,
    "declared-exabyte-of-bytes": HEAD + b"\x8e" + U8.pack(2**60) + b"x" * 1_000,
    "declared-gigabyte-of-frame": HEAD + b"\x95" + U8.pack(2**30) + b"N" + STOP,
    "line-without-end": HEAD + b"c" + b"x" * (3 * MEGABYTE),
    "line-long-import": HEAD + b"c" + b"m" * 900_000 + b"\n" + b"n" * 900_000 + b"\n" + STOP,
    "line-wide-texts": HEAD + (b"V\\U0001f600" + b"x" * 900_000 + b"\n0") * 20 + b"N" + STOP,
    "line-quoted-texts": HEAD + (b"S'" + b"x" * 900_000 + b"'\n0") * 20 + b"N" + STOP,
    "texts-wide": HEAD
    + b"".join(
        b"X" + U4.pack(996) + "\U0001f600".encode() + b"x" * 992 + b"\x94" for _ in range(30_000)
    )
    + STOP,
    "texts-feature-names": HEAD
    + b"".join(text(f"feature_a{n % 999_999}_{n}") + b"0" for n in range(200_000))
    + b"N"
    + STOP,
    "texts-versions-by-memo": HEAD
    + b"X"
    + U4.pack(999)
    + b"1" * 999
    + b"\x94"
    + text("a_version")
    + b"\x94}("
    + b"h\x01h\x00" * 300_000
    + b"u"
    + STOP,
    "texts-version-keys-by-memo": HEAD
    + b"X"
    + U4.pack(998)
    + b"a-" * 495
    + b"_version"
    + b"\x94}("
    + b"h\x00h\x00" * 300_000
    + b"u"
    + STOP,
    "dict-of-120000-objects": HEAD
    + b"cm\nf\n\x94}("
    + b"".join(b"X" + U4.pack(7) + b"%07d" % n + b"h\x00)R" for n in range(120_000))
    + b"u"
    + STOP,
    "dict-one-item-a-time": HEAD
    + b"cm\nf\n\x94}"
    + b"".join(b"X" + U4.pack(7) + b"%07d" % n + b"h\x00)Rs" for n in range(120_000))
    + STOP,
    "names-million": HEAD + b"".join(b"cm%d\nf\n0" % n for n in range(300_000)) + b"N" + STOP,
    "modules-million": HEAD
    + b"cbuiltins\n__import__\n\x940"
    + b"".join(b"h\x00" + text(f"m{n}") + b"\x85R0" for n in range(200_000))
    + b"N"
    + STOP,
    "code-large": HEAD + code_call(blob(nops(200_000))) + STOP,
    "code-megabytes": HEAD + code_call(blob(nops(20 * MEGABYTE))) + STOP,
    "code-repeated": HEAD + code_call(blob(nops(60_000)), count=10_000) + STOP,
    "code-wide-names": HEAD + code_call(blob(nops(60)), wide_names(MILLION), count=20_000) + STOP,
    "code-prefixes": HEAD + code_call(blob(b"\x90\x01" * 100_000), count=10) + STOP,
    "code-small-many": HEAD + code_call(blob(nops(20)), count=100_000) + STOP,
    "model-headers": HEAD + (blob(b"tree\nversion=" + b"a\n" * 250_000) + b"0") * 20 + b"N" + STOP,
    "state-wide": HEAD
    + b"cm\nf\n\x940("
    + b"N" * MILLION
    + b"t\x940h\x00)R"
    + b"h\x01b" * 16
    + STOP,
}


def _repeated(opened, chunk, count):
    """A compressed stream of `count` times the chunk, after a pickle's head."""
    target = io.BytesIO()
    with opened(target) as stream:
        stream.write(HEAD + b"\x8e" + U8.pack(2**60))
        for _ in range(count):
            stream.write(chunk)
    return target.getvalue()


def xz_bomb():
    """A .xz of 1.9 MB: each of its many blocks unpacks to much, payload of one opcode."""
    head = lzma.compress(HEAD + b"\x8e" + U8.pack(2**60))
    return head + lzma.compress(bytes(64 * MEGABYTE)) * 195


def zst_bomb():
    """A .zst of 4 MB that unpacks to 128 GB: a raw block, then runs of one byte."""
    head = HEAD + b"\x8e" + U8.pack(2**60)
    raw = U4.pack(len(head) << 3)[:3] + head
    run = U4.pack(0x20000 << 3 | 1 << 1)[:3] + b"\0"
    return b"\x28\xb5\x2f\xfd\x00\x38" + raw + run * MILLION


def zip_of(method, data):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr("model.pkl", data)
    return target.getvalue()


def zip_of_many():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(40_000):
            archive.writestr(f"{number}", b"")
    return target.getvalue()


def xz_large_dictionary():
    """A valid .xz whose decoder allocates a gigabyte."""
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**20}]
    data = bytearray(lzma.compress(HEAD + b"N.", lzma.FORMAT_XZ, filters=filters))
    # The block header: size, flags, filter id 0x21, size of properties, dictionary size.
    at = data.index(b"\x21\x01") + 2
    data[at] = 36  # 1 GiB
    end = 12 + (data[12] + 1) * 4 - 4
    data[end : end + 4] = U4.pack(zlib.crc32(bytes(data[12:end])))
    return bytes(data)


PACKED = {
    "xz-bomb.pkl.xz": xz_bomb,
    "xz-million-empty-streams.pkl.xz": lambda: lzma.compress(b"") * 300_000,
    "xz-large-dictionary.pkl.xz": xz_large_dictionary,
    "gzip-two-million-empty-members.pkl.gz": lambda: gzip.compress(b"") * 2_000_000,
    "gzip-bomb.pkl.gz": lambda: _repeated(
        lambda to: gzip.GzipFile(fileobj=to, mode="wb"), bytes(MEGABYTE), 1_000
    ),
    "bz2-bomb.pkl.bz2": lambda: (
        bz2.compress(HEAD + b"\x8e" + U8.pack(2**60)) + bz2.compress(bytes(32 * MEGABYTE)) * 1_000
    ),
    "zst-bomb.pkl.zst": zst_bomb,
    "zip-bomb.pkl.zip": lambda: zip_of(
        zipfile.ZIP_DEFLATED, HEAD + b"\x8e" + U8.pack(2**60) + bytes(400 * MEGABYTE)
    ),
    "zip-lzma.pkl.zip": lambda: zip_of(
        zipfile.ZIP_LZMA, HEAD + b"\x8e" + U8.pack(2**60) + bytes(400 * MEGABYTE)
    ),
    "zip-of-many-files.pkl.zip": zip_of_many,
}


def large_payload(file):
    file.write(HEAD + b"\x8e" + U8.pack(LARGE))
    file.seek(LARGE, os.SEEK_CUR)
    file.write(STOP)


def large_payloads(file):
    file.write(HEAD + b"(")
    for _ in range(3_000):
        file.write(b"\x8e" + U8.pack(100_000))
        file.seek(100_000, os.SEEK_CUR)
    file.write(b"t.")


def large_opcodes(file):
    file.write(HEAD)
    for _ in range(300):
        file.write(b"N0" * (MEGABYTE // 2))
    file.write(b"N.")


def large_code(file):
    file.write(HEAD + b"ctypes\nCodeType\n\x940(" + b"K\x00" * 6 + b"\x8e" + U8.pack(LARGE))
    file.seek(LARGE, os.SEEK_CUR)
    file.write(b"))){a}{a}{a}K\x01C\x00C\x00))t\x940".replace(b"{a}", text("f")))
    file.write(b"h\x00h\x01R0" * 1_000 + b"N.")


LARGE_FILES = {
    "large-one-payload.pkl": large_payload,
    "large-payloads.pkl": large_payloads,
    "large-opcodes.pkl": large_opcodes,
    "large-code.pkl": large_code,
}


def write(name, path):
    """Write the crafted file of this name."""
    with open(path, "wb") as file:
        if name in LARGE_FILES:
            LARGE_FILES[name](file)
        elif name in PACKED:
            file.write(PACKED[name]())
        else:
            file.write(SMALL[name.removesuffix(".pkl")])


CRAFTED = [*(f"{name}.pkl" for name in SMALL), *PACKED, *LARGE_FILES]


def measure(path):
    """Inspect a file in a process of its own: CPU seconds, peak of memory in MB, and the result."""
    command = [sys.executable, "-c", _INSPECT, str(Path(__file__).parents[2]), str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if ended.returncode:
        raise RuntimeError(ended.stderr)
    seconds, megabytes, result = ended.stdout.strip().split(" ", 2)
    return float(seconds), int(megabytes), result
