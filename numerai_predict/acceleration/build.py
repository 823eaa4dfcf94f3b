"""Compiles the engine: `python -m numerai_predict.acceleration.build [FILE]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SOURCES = Path(__file__).parent / "native"
ENGINE = Path(__file__).parent / "trees.so"

# No contraction to fused operations: it would round sums in another way than the libraries do.
_FLAGS = ("-std=c11", "-O3", "-ffp-contract=off", "-fPIC", "-shared", "-fvisibility=hidden")


def compile_engine(into: Path) -> None:
    """Compile the engine with the C compiler `cc`, or that of `CC`.

    Raises:
        FileNotFoundError: there is no such compiler.
        subprocess.CalledProcessError: it failed; its messages are on standard error.
    """
    import subprocess  # not at the top: every run imports this module for the name of the engine
    import tempfile

    files = sorted(str(each) for each in SOURCES.glob("*.c"))
    with tempfile.TemporaryDirectory(dir=into.parent) as name:
        made = Path(name) / into.name
        command = [os.environ.get("CC", "cc"), *_FLAGS, "-pthread", "-o", str(made), *files, "-lm"]
        subprocess.run(command, check=True)
        made.replace(into)


def main() -> int:
    """Compile to the file that is named, by default where the package looks for it."""
    into = Path(sys.argv[1]) if len(sys.argv) > 1 else ENGINE
    try:
        compile_engine(into.absolute())
    except Exception as error:
        print(f"the tree engine is not built: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
