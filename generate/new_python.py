"""The pyproject.toml of one more Python's images, from that of another and the hosted versions.

    python -m generate.new_python 3.13 3.14
    python -m generate.new_python 3.14 --exact
    python -m generate.new_python 3.14 --complete

The first prints what `py3.14/pyproject.toml` contains, by `py3.14/hosted.txt`. The second prints
one that names every package of the hosted environment, also those that come in through others:
locked before, it makes Poetry keep their versions when it locks the other. The third prints the
first with the hosted packages that its lock does not have: they came in through one left out.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

_ROOT = Path(__file__).parents[1]
_DEPENDENCY = re.compile(r'^([\w.-]+) = "([^"]+)"$')


@dataclass(frozen=True)
class HostedPackages:
    """The packages of a hosted environment with their versions: declared ones, and all."""

    direct: dict[str, str]
    every: dict[str, str]


def read_hosted(text: str) -> HostedPackages:
    """The packages of a `hosted.txt`: lines like `numpy==2.4.6  # direct`."""
    pairs = [line.split()[0].split("==") for line in text.splitlines() if "==" in line]
    marked = {line.split("==")[0] for line in text.splitlines() if line.endswith("# direct")}
    every = {str(canonicalize_name(name)): version for name, version in pairs}
    return HostedPackages({name: every[canonicalize_name(name)] for name in sorted(marked)}, every)


def pyproject(
    text: str, old: HostedPackages, new: HostedPackages, versions: tuple[str, str]
) -> str:
    """The pyproject.toml `text` of the Python versions[0], changed to that of versions[1].

    A package that the new environment declares gets its version there. One that only the old
    environment declares is left out. Packages of the images' own stay. What the new environment
    declares in addition goes into the last group, which is that of the full image.
    """
    lines = [
        line
        for line in text.replace(*versions).splitlines()
        if (found := _DEPENDENCY.match(line)) is None
        or _is_kept(canonicalize_name(found[1]), old, new)
    ]
    named = {found[1] for line in lines if (found := _DEPENDENCY.match(line))}
    added = [f'{name} = "{version}"' for name, version in new.direct.items() if name not in named]
    return "\n".join([*(_at_version(line, new) for line in lines), *added]) + "\n"


def _is_kept(name: str, old: HostedPackages, new: HostedPackages) -> bool:
    return name in new.direct or name not in old.direct


def _at_version(line: str, hosted: HostedPackages) -> str:
    found = _DEPENDENCY.match(line)
    version = hosted.every.get(canonicalize_name(found[1])) if found else None
    return f'{found[1]} = "{version}"' if found and version else line


def exact(text: str, hosted: HostedPackages) -> str:
    """The pyproject.toml with every other hosted package at its version, in the last group."""
    named = {found[1] for line in text.splitlines() if (found := _DEPENDENCY.match(line))}
    others = [f'{name} = "{at}"' for name, at in hosted.every.items() if name not in named]
    return "\n".join([text.rstrip("\n"), *others]) + "\n"


def complete(text: str, hosted: HostedPackages, locked: set[str]) -> str:
    """The pyproject.toml with the hosted packages that are not locked, in the last group."""
    missing = {name: at for name, at in hosted.every.items() if name not in locked}
    return exact(text, HostedPackages({}, missing)) if missing else text


def _hosted(version: str) -> HostedPackages:
    return read_hosted((_ROOT / f"py{version}/hosted.txt").read_text())


def _own(version: str) -> str:
    return (_ROOT / f"py{version}/pyproject.toml").read_text()


def _locked(version: str) -> set[str]:
    lock = (_ROOT / f"py{version}/poetry.lock").read_text()
    return set(re.findall(r'^name = "(.+)"$', lock, re.MULTILINE))


def main(version: str, then: str) -> None:
    """Print one of the three; the packages that are left out go to standard error."""
    if then == "--exact":
        text = exact(_own(version), _hosted(version))
    elif then == "--complete":
        text = complete(_own(version), _hosted(version), _locked(version))
    else:
        old, new = _hosted(version), _hosted(then)
        text = pyproject(_own(version), old, new, (version, then))
        for name in sorted(old.direct.keys() - new.direct.keys()):
            reason = "its hosted environment does not declare it"
            print(f"Python {then} is without {name}: {reason}", file=sys.stderr)
    print(text, end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
