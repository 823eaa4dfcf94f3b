"""Remove from installed packages what no model needs: headers, static libraries, tests.

    python prune.py PREFIX

Runs while an image is built. That every package still imports is tested in the image.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

# Not `test`: tf.test and torch.testing are parts of their packages.
_FOLDERS = {"include", "tests"}
_ENDINGS = {".a", ".lib", ".pyx", ".pxd", ".h", ".hpp", ".cuh", ".c", ".cpp", ".cc", ".cu"}


def prune(prefix: Path) -> int:
    """Remove them below `prefix`; the bytes that this frees."""
    freed = 0
    for folder, folders, files in os.walk(prefix):
        for name in sorted(set(folders) & _FOLDERS):
            path = Path(folder, name)
            freed += sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
            shutil.rmtree(path)
            folders.remove(name)
        for name in files:
            path = Path(folder, name)
            if path.suffix in _ENDINGS and not path.is_symlink():
                freed += path.stat().st_size
                path.unlink()
    return freed


if __name__ == "__main__":
    freed = prune(Path(sys.argv[1]))
    print(f"removed {freed / 1e6:,.0f} MB of headers, static libraries and tests")
