"""Programs inside strings import names that exist: no rename tool and no type checker sees them."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_IMPORT = re.compile(r"^\s*from (numerai_predict(?:\.\w+)*) import ([\w, ]+)", re.MULTILINE)
_ENTRYPOINT = re.compile(r"(numerai_predict(?:\.\w+)+):(\w+)")


def _strings(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield path, node.value


def _names():
    for folder in ("bench", "numerai_predict", "images", "generate"):
        for path, text in _strings(folder):
            for module, names in _IMPORT.findall(text):
                for name in names.split(","):
                    yield path.relative_to(ROOT), module, name.split(" as ")[0].strip()
            if entrypoint := _ENTRYPOINT.fullmatch(text):
                yield path.relative_to(ROOT), *entrypoint.groups()


@pytest.mark.parametrize(
    ("path", "module", "name"),
    [pytest.param(*each, id=" ".join(map(str, each))) for each in _names()],
)
def test_a_program_in_a_string_imports_a_name_that_exists(path, module, name):
    found = importlib.import_module(module)
    assert hasattr(found, name) or importlib.import_module(f"{module}.{name}")
