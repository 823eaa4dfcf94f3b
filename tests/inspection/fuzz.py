"""Mutated pickles: the inspection raises only its own errors, in bounded time and memory.

    python tests/inspection/fuzz.py MINUTES [SEED]

Mutates the corpus for that long. Failing inputs are written to tests/inspection/fuzzed/broken-*,
inputs with a new kind of result to tests/inspection/fuzzed.zip.
"""

from __future__ import annotations

import io
import random
import re
import resource
import struct
import sys
import tempfile
import time
import zipfile
from pathlib import Path

DIRECTORY = Path(__file__).parent
sys.path.insert(0, str(DIRECTORY.parents[1]))

from numerai_predict.contract.errors import InvalidPickle  # noqa: E402
from numerai_predict.inspection.inspect import inspect_pickle  # noqa: E402
from numerai_predict.inspection.report import as_json, as_text  # noqa: E402

KEPT = DIRECTORY / "fuzzed.zip"
SECONDS = 0.5
MOST_SECONDS = 2.5
MOST_MEMORY_BYTES = 450 * 1024**2
_MOST_KEPT, _LARGEST_KEPT = 400, 4_000
_OPCODES = (
    b"(.012FIJKLMNPQRSTUVXabc}]eghijlopqrstu)\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89"
    + bytes(range(0x8A, 0x99))
)
# Audit events that an inspection may cause, besides opening the file itself.
_HARMLESS = {
    "object.__getattr__",
    "sys._getframe",
    "code.__new__",
    "gc.get_objects",
    "mmap.__new__",
}
_events: list[str] = []


def seeds():
    """The small pickles of the corpus."""
    found = []
    for path in sorted((DIRECTORY / "corpus").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".pkl")]
            found += [archive.read(name) for name in names]
    return [data for data in found if len(data) < 20_000]


def mutate(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """The data with one to eight small mutations."""
    mutated = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(mutated) + 1)
        far = min(len(mutated), at + chance.choice((1, 2, 4, 9, 30, 200)))
        begin = chance.randrange(len(other))
        length = chance.choice((2**63 - 1, -1, 2**31, 2**30, 0))
        opcode = bytes([chance.choice(_OPCODES)])
        mutated[at : chance.choice((at, far))] = chance.choice(
            (
                b"",
                bytes(mutated[at:far]) * 2,
                bytes(byte ^ 1 << chance.randrange(8) for byte in mutated[at:far][:2]),
                other[begin : begin + chance.choice((4, 30, 300))],
                bytes(chance.choices(_OPCODES, k=chance.choice((1, 2, 20, 400)))),
                struct.pack("<q", length),
                opcode * chance.choice((1, 10, 1_000, 30_000)),
                bytes(chance.choices(range(256), k=chance.choice((1, 4, 30)))),
            )
        )
        if chance.random() < 0.02:
            del mutated[at:]
    return bytes(mutated)


def record_audit_events() -> None:
    """Record every audit event from now on; this cannot be undone."""
    sys.addaudithook(lambda event, arguments: _record_event(event, arguments))


def _record_event(event: str, arguments: tuple[object, ...]) -> None:
    if event in _HARMLESS or (event == "open" and str(arguments[0]).endswith("fuzz.pkl")):
        return
    _events.append(f"{event} {str(arguments)[:100]}")


def inspect_mutation(data: bytes, path: Path) -> tuple[str, str | None]:
    """The result of the inspection in short, and what was wrong with it."""
    path.write_bytes(data)
    _events.clear()
    started = time.monotonic()
    try:
        inspection = inspect_pickle(path, SECONDS)
        end = f"{inspection.pythons.legal} {inspection.partial} {inspection.holds.kind}"
    except InvalidPickle as error:
        end, inspection = re.sub(r"the code of .*? is legal", "", error.message), None
    except BaseException as error:
        return "", f"{type(error).__name__}: {error}"
    spent, events = time.monotonic() - started, list(_events)
    if inspection is not None:
        as_text(inspection), as_json(inspection)
    if spent > MOST_SECONDS:
        return end, f"it took {spent:.1f} s"
    return re.sub(r"\d+", "#", end), f"it did {events}" if events else None


def limit_memory() -> None:
    """Make allocations fail that exceed the inspection's own limits by far."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = used + MOST_MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main() -> int:
    minutes, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 7
    chance, pickles = random.Random(seed), seeds()
    pool, kept, count, broken = list(pickles), {}, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fuzz.pkl")
        inspect_mutation(pickles[0], path)  # whatever is read once is read now
        record_audit_events()
        limit_memory()
        until, slowest = time.monotonic() + minutes * 60, 0.0
        while time.monotonic() < until:
            data = mutate(chance.choice(pool), chance.choice(pickles), chance)
            started = time.monotonic()
            end, wrong = inspect_mutation(data, path)
            slowest = max(slowest, time.monotonic() - started)
            count += 1
            if wrong:
                broken += 1
                (DIRECTORY / "fuzzed").mkdir(exist_ok=True)
                (DIRECTORY / "fuzzed" / f"broken-{broken}.pkl").write_bytes(data)
                print(f"broken-{broken}: {wrong}", flush=True)
            elif end not in kept and len(kept) < _MOST_KEPT and len(data) < _LARGEST_KEPT:
                kept[end] = data
                pool.append(data)
    _keep(kept)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count:,} mutated pickles in {minutes:g} minutes: {broken} wrong, {len(kept)} ways to "
        f"end, the slowest took {slowest:.2f} s, memory at most {peak:.0f} MB"
    )
    return 1 if broken else 0


def _keep(kept: dict[str, bytes]) -> None:
    archive_bytes = io.BytesIO()
    with zipfile.ZipFile(archive_bytes, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(kept.values()):
            archive.writestr(zipfile.ZipInfo(f"{number:03}.pkl"), data)
    KEPT.write_bytes(archive_bytes.getvalue())


if __name__ == "__main__":
    sys.exit(main())
