"""The packages of each image, from the lock of its Python, for the inspection of pickles.

    python -m generate.images

prints, in an image, the import names that do not follow from the names of their packages:
the content of IMPORT_NAMES below.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from pathlib import Path
from typing import Any

from packaging.markers import Marker

from generate.versions import SupportedPython

if sys.version_info >= (3, 11):
    import tomllib
else:
    raise ImportError("expected Python 3.11 or later to generate files")

FILE = Path("numerai_predict/inspection/data/images.json")
_BANNER = "Made by 'make generate' from the locks: do not edit."

# Import names by package, where they differ from the package's name with `_` for `-`.
IMPORT_NAMES = {
    "absl-py": "absl",
    "attrs": "attr attrs",
    "beautifulsoup4": "bs4",
    "charset-normalizer": "charset_normalizer",
    "fonttools": "fontTools",
    "google-auth": "google",
    "google-auth-oauthlib": "google_auth_oauthlib",
    "google-pasta": "pasta",
    "grpcio": "grpc",
    "libclang": "clang",
    "markdown-it-py": "markdown_it",
    "matplotlib": "matplotlib mpl_toolkits pylab",
    "nvidia-ml-py": "pynvml",
    "pandas-ta-classic": "pandas_ta_classic",
    "pillow": "PIL",
    "plotly": "plotly _plotly_utils",
    "polars-runtime-32": "_polars_runtime_32",
    "proto-plus": "proto",
    "protobuf": "google",
    "python-dateutil": "dateutil",
    "python-dotenv": "dotenv",
    "pyyaml": "yaml _yaml",
    "scikit-learn": "sklearn",
    "setuptools": "setuptools pkg_resources _distutils_hack",
    "tensorflow": "tensorflow",
    "websockets": "websockets",
    "xgboost-cpu": "xgboost",
    "ydf-tf": "ydf_tf",
}
_LINUX = {
    "platform_system": "Linux",
    "sys_platform": "linux",
    "platform_machine": "x86_64",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
}


def images(root: Path, pythons: list[SupportedPython]) -> str:
    """The packages of every image by Python and flavour, with their versions, as JSON.

    `left_out` has, by Python, the modules that only its hosted environment has.
    """
    versions = [python.version for python in pythons]
    packages = {each: _packages(root / f"py{each}/poetry.lock", each) for each in versions}
    names = {name for image in packages.values() for group in image.values() for name in group}
    left_out = {python.version: python.left_out for python in pythons if python.left_out}
    content = {"//": _BANNER, "imports": _imports(sorted(names)), "left_out": left_out}
    content["images"] = packages
    return json.dumps(content, indent=1) + "\n"


def _packages(lock: Path, python: str) -> dict[str, dict[str, str]]:
    """The packages of the slim image, and those that the full image adds."""
    slim: dict[str, str] = {}
    added: dict[str, str] = {}
    for package in tomllib.loads(lock.read_text())["package"]:
        for group, into in (("main", slim), ("deep", added)):
            if _is_installed(package, group, python):
                into[package["name"]] = package["version"]
                break
    return {"slim": slim, "full": added}


def _is_installed(package: dict[str, Any], group: str, python: str) -> bool:
    if group not in package["groups"]:
        return False
    markers = package.get("markers")
    marker = markers.get(group) if isinstance(markers, dict) else markers
    environment = {**_LINUX, "python_version": python, "python_full_version": f"{python}.0"}
    return marker is None or Marker(marker).evaluate(environment)


def _imports(packages: list[str]) -> dict[str, str]:
    """The package of every import name."""
    names: dict[str, str] = {}
    for package in packages:
        own = re.sub(r"[-.]", "_", package)
        for name in IMPORT_NAMES.get(package, own).split():
            names.setdefault(name, package)
    return dict(sorted(names.items()))


def exceptions() -> dict[str, str]:
    """The import names of this environment that differ from their packages' names."""
    found: dict[str, list[str]] = {}
    for name, packages in importlib.metadata.packages_distributions().items():
        for package in packages:
            found.setdefault(re.sub(r"[-_.]+", "-", package).lower(), []).append(name)
    return {
        package: " ".join(sorted(names))
        for package, names in sorted(found.items())
        if names != [package.replace("-", "_")]
    }


if __name__ == "__main__":
    print(json.dumps(exceptions(), indent=1))
