"""What was taken over from others is what the manifest says, with its licence."""

import hashlib
import json
from pathlib import Path

import pytest

from numerai_predict import pages

FOLDER = Path(pages.__file__).parent / "vendored"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())


@pytest.mark.parametrize("name", MANIFEST)
def test_each_file_is_the_published_one(name):
    expected = MANIFEST[name]["sha256"]
    files = {path.name: path.read_bytes() for path in (FOLDER / name).iterdir()}
    assert {each: hashlib.sha256(data).hexdigest() for each, data in files.items()} == expected
    assert MANIFEST[name]["licence"] in files["LICENSE"].decode()


def test_nothing_else_is_there():
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted([*MANIFEST, "manifest.json"])
