"""Write every generated file, or compare it with what would be written."""

from __future__ import annotations

import argparse
import difflib
import subprocess
import sys
from pathlib import Path

from generate.files import ROOT, generated_files

_SHOWN_LINES = 20


def main() -> int:
    """Exit code 0 if every file is written or up to date; 1 with a line that says what to do."""
    parser = argparse.ArgumentParser(prog="python -m generate", allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--poetry", default="poetry", help="the Poetry that exports locks")
    options = parser.parse_args()
    try:
        files = generated_files(options.poetry)
    except (OSError, ValueError) as error:
        print(f"make generate: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"make generate: {' '.join(error.cmd)} failed: {error.stderr}", file=sys.stderr)
        return 1
    if options.check:
        return _check(files)
    for path, text in files.items():
        _write_if_changed(path, text)
    return 0


def _check(files: dict[Path, str]) -> int:
    stale = [path for path, text in files.items() if _read(path) != text]
    for path in stale:
        name = str(path.relative_to(ROOT))
        difference = difflib.unified_diff(
            _read(path).splitlines(), files[path].splitlines(), name, f"{name} as generated"
        )
        print(*list(difference)[:_SHOWN_LINES], sep="\n")
    if stale:
        print(f"make check: {len(stale)} generated file(s) differ: run make generate")
    return 1 if stale else 0


def _write_if_changed(path: Path, text: str) -> None:
    """Write the file if it differs; an unchanged file keeps its time, so that Make does nothing."""
    if _read(path) != text:
        path.write_text(text)
        print(f"wrote {path.relative_to(ROOT)}")


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
