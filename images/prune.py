"""Removes files that no model needs from installed packages.

These are headers, static libraries and tests, and in a few large libraries the symbols for
debuggers.

    python prune.py PREFIX

It runs while an image is built. A test in the image imports every package afterwards.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Not `test`: tf.test and torch.testing are parts of their packages.
_FOLDERS = {"include", "tests"}
_NEEDED = ("numpy/_core/tests",)  # numpy.testing imports from it
_SUFFIXES = {".a", ".lib", ".pyx", ".pxd", ".h", ".hpp", ".cuh", ".c", ".cpp", ".cc", ".cu"}
# Libraries with symbols for debuggers. `strip` breaks some libraries: those that a wheel's packer
# has patched (numpy.libs) no longer load.
_STRIPPED = (
    "jaxlib/libjax_common.so",
    "llvmlite/binding/libllvmlite.so",
    "triton/_C/libtriton.so",
    "xgboost/lib/libxgboost.so",
)


def prune(prefix: Path) -> int:
    """Remove files and directories below `prefix`; returns the freed bytes."""
    freed = 0
    for folder, folders, files in os.walk(prefix):
        for name in sorted(set(folders) & _FOLDERS):
            path = Path(folder, name)
            if path.as_posix().endswith(_NEEDED):
                continue
            freed += sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
            shutil.rmtree(path)
            folders.remove(name)
        for name in files:
            path = Path(folder, name)
            if path.suffix in _SUFFIXES and not path.is_symlink():
                freed += path.stat().st_size
                path.unlink()
    return freed


def strip(prefix: Path) -> int:
    """Strip the large libraries below `prefix`; returns the freed bytes."""
    found = [path for name in _STRIPPED for path in prefix.rglob(name)]
    before = sum(path.stat().st_size for path in found)
    for path in found:
        subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)
    return before - sum(path.stat().st_size for path in found)


if __name__ == "__main__":
    removed, stripped = prune(Path(sys.argv[1])), strip(Path(sys.argv[1]))
    print(f"removed {removed / 1e6:,.0f} MB of files, {stripped / 1e6:,.0f} MB of symbols")
