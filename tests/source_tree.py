"""Measures the source of the package and of its tests; `test_structure.py` sets the limits.

The file takes no import from the package, so that it measures any checkout: pass its root.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = "numerai_predict"

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Module:
    """One file of Python source; `name` is its path relative to the root of the checkout."""

    name: str
    source: str

    @property
    def lines(self) -> int:
        """Number of lines, blank lines and comments included."""
        return len(self.source.splitlines())

    @property
    def package(self) -> str:
        """The directory that the module is in."""
        return self.name.rpartition("/")[0]

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.source)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function and method, nested functions included."""
        return (node for node in ast.walk(self.tree) if isinstance(node, _FUNCTIONS))

    def definitions(self) -> Iterator[tuple[str, _Definition]]:
        """Qualified name and node of each public class, function and method."""
        return _public(self.tree.body, "")


def _public(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, _Definition]]:
    for node in body:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, f"{prefix}{node.name}.")


def modules_under(root: Path, folder: str) -> list[Module]:
    """The Python files in a directory of the checkout, subdirectories included."""
    return [
        Module(path.relative_to(root).as_posix(), path.read_text())
        for path in sorted((root / folder).rglob("*.py"))
    ]


def with_code(modules: list[Module]) -> list[Module]:
    """The modules without `__init__.py` files, which hold a docstring and would lower a median."""
    return [module for module in modules if not module.name.endswith("/__init__.py")]


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end of the body, docstring included, decorators not."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def long_modules(modules: list[Module], limit: int) -> list[str]:
    """A line for each module above the limit."""
    return [f"{module.name}: {module.lines} lines" for module in modules if module.lines > limit]


def long_functions(modules: list[Module], limit: int) -> list[str]:
    """A line for each function above the limit."""
    return [
        f"{module.name}:{node.lineno}: {node.name}: {function_lines(node)} lines"
        for module in modules
        for node in module.functions()
        if function_lines(node) > limit
    ]


def duplicate_classes(modules: list[Module]) -> list[str]:
    """A line for each public class name that more than one module defines."""
    locations = defaultdict(list)
    for module in modules:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                locations[node.name].append(f"{module.name}:{node.lineno}")
    return [f"{name}: {', '.join(found)}" for name, found in locations.items() if len(found) > 1]


def undocumented(modules: list[Module]) -> list[str]:
    """A line for each module and each public class, function or method without a docstring."""
    lines = [module.name for module in modules if not ast.get_docstring(module.tree)]
    for module in modules:
        lines += [
            f"{module.name}:{node.lineno}: {name}"
            for name, node in module.definitions()
            if not ast.get_docstring(node) and not _is_overload(node)
        ]
    return lines


def _is_overload(node: _Definition) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "overload" for each in node.decorator_list)


def large_packages(modules: list[Module], limit: int) -> list[str]:
    """A line for each package that holds more modules than the limit in the directory itself."""
    sizes = Counter(module.package for module in with_code(modules))
    return [f"{package}: {size} modules" for package, size in sizes.items() if size > limit]
