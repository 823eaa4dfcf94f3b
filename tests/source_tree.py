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


_COLLECTIONS = ("list[", "dict[", "set[", "deque[", "Counter[", "MutableMapping[", "bytearray")
_FILLING = {
    *("append", "appendleft", "extend", "insert", "remove", "pop", "popleft", "popitem", "clear"),
    *("update", "setdefault", "add", "discard", "sort", "reverse"),
}


def filled_arguments(modules: list[Module]) -> list[str]:
    """A line for each function that changes an argument, or takes the builder of a record.

    A function changes an argument where it assigns to an attribute or an item of it, or calls a
    method of a collection that changes it. The object of a method is no argument here.
    """
    return [
        f"{module.name}: {function.name}: {name}"
        for module in modules
        for function in module.functions()
        for name in sorted(_filled(function))
    ]


def _filled(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    types = {each.arg: ast.unparse(each.annotation) for each in arguments if each.annotation}
    own = [node for node in ast.walk(function) if isinstance(node, ast.expr)]
    rebound = {node.id for node in own if isinstance(node, ast.Name) and _is_stored(node)}
    changed = {_base(node) for node in own if isinstance(node, _PARTS) and _is_stored(node)}
    called = {name for node in own if (name := _changed_collection(node, types))}
    builders = {name for name, kind in types.items() if kind.endswith("RecordBuilder")}
    return (((changed & {*types}) | called) - rebound) | builders


_PARTS = (ast.Attribute, ast.Subscript)


def _is_stored(node: ast.Name | ast.Attribute | ast.Subscript) -> bool:
    return isinstance(node.ctx, (ast.Store, ast.Del))


def _base(node: ast.expr) -> str:
    """The name at the start of `name.a[b].c`."""
    while isinstance(node, _PARTS):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _changed_collection(node: ast.expr, types: dict[str, str]) -> str | None:
    """The argument, a collection, whose method the call changes it by."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    owner = node.func.value
    if not isinstance(owner, ast.Name) or node.func.attr not in _FILLING:
        return None
    return owner.id if types.get(owner.id, "").startswith(_COLLECTIONS) else None


def decisions_on_text(modules: list[Module]) -> list[str]:
    """A line for each decision on the text of an exception or of a model's failure.

    Such a decision compares the text, searches it with `in`, or calls a method that tests it.
    """
    return [
        f"{module.name}:{node.lineno}: {ast.unparse(node)}"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.expr)
        and (texts := _tested(node))
        and any(_is_text_of(text, _errors(module)) for text in texts)
    ]


_TESTS = {"search", "match", "fullmatch", "findall", "finditer", "startswith", "endswith", "find"}
_TEXTS = {"args", "message", "text", "title", "strerror", "stderr"}
_FAILURES = ("Failure", "Exception", "BaseException", "RunError")


def _tested(node: ast.expr) -> list[ast.expr]:
    """The expressions that the node tests, if it is a test of text."""
    if isinstance(node, ast.Compare):
        tests = (ast.In, ast.NotIn, ast.Eq, ast.NotEq)
        return [node.left, *node.comparators] if isinstance(node.ops[0], tests) else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return [node.func.value, *node.args] if node.func.attr in _TESTS else []
    return []


def _errors(module: Module) -> set[str]:
    """The names of exceptions and failures in the module."""
    nodes = list(ast.walk(module.tree))
    handled = {each.name for each in nodes if isinstance(each, ast.ExceptHandler) and each.name}
    arguments = [each for each in nodes if isinstance(each, ast.arg) and each.annotation]
    return handled | {
        each.arg for each in arguments if ast.unparse(each.annotation or each).endswith(_FAILURES)
    }


def _is_text_of(node: ast.expr, errors: set[str]) -> bool:
    """Whether the expression is the text of one of the exceptions."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("str", "repr") and _is_one_of(node.args, errors)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _is_text_of(node.func.value, errors)  # text.lower()
    if isinstance(node, ast.Subscript):
        return _is_text_of(node.value, errors)  # args[0]
    return isinstance(node, ast.Attribute) and node.attr in _TEXTS and _base(node) in errors


def _is_one_of(arguments: list[ast.expr], errors: set[str]) -> bool:
    return any(isinstance(each, ast.Name) and each.id in errors for each in arguments)
