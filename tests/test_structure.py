"""The size and shape of the code stay within limits, so that a newcomer can read it."""

from __future__ import annotations

from statistics import median

import pytest
import source_tree
from lanes import ROOT

LONGEST_MODULE, MEDIAN_MODULE = 300, 100
LONGEST_FUNCTION, MEDIAN_FUNCTION = 40, 8
LARGEST_PACKAGE = 30
LONGEST_TEST_MODULE = 500

# Test modules that may be longer, and why.
EXCEPTIONS = {
    "tests/inspection/shapes.py": "one script: cloudpickle stores by value what __main__ defines",
}

MODULES = source_tree.modules_under(ROOT, source_tree.PACKAGE)
TEST_MODULES = source_tree.modules_under(ROOT, "tests")


def expect_none(violations: list[str], expected: str) -> None:
    """Fail with one line for each violation."""
    if violations:
        pytest.fail(
            "\n  ".join([f"expected {expected}, found {len(violations)} exceptions:", *violations]),
            pytrace=False,
        )


def test_no_module_is_too_long():
    expect_none(
        source_tree.long_modules(MODULES, LONGEST_MODULE),
        f"modules of at most {LONGEST_MODULE} lines",
    )


def test_the_median_module_is_short():
    found = median(module.lines for module in source_tree.with_code(MODULES))
    assert found <= MEDIAN_MODULE, f"expected a median of at most {MEDIAN_MODULE} lines"


def test_no_function_is_too_long():
    expect_none(
        source_tree.long_functions(MODULES, LONGEST_FUNCTION),
        f"functions of at most {LONGEST_FUNCTION} lines, docstring included",
    )


def test_the_median_function_is_short():
    functions = [function for module in MODULES for function in module.functions()]
    found = median(map(source_tree.function_lines, functions))
    assert found <= MEDIAN_FUNCTION, f"expected a median of at most {MEDIAN_FUNCTION} lines"


def test_no_package_holds_too_many_modules():
    expect_none(
        source_tree.large_packages(MODULES, LARGEST_PACKAGE),
        f"packages of at most {LARGEST_PACKAGE} modules; move some to a sub-package",
    )


def test_each_public_class_name_is_defined_once():
    expect_none(
        source_tree.duplicate_classes(MODULES),
        "each public class name in one module",
    )


def test_everything_public_has_a_docstring():
    expect_none(
        source_tree.undocumented(MODULES),
        "a docstring in every module and every public class, function and method",
    )


def test_no_import_cycle_exists():
    grimp = pytest.importorskip(
        "grimp", reason="grimp belongs to import-linter, which no image has"
    )
    graph = grimp.build_graph(source_tree.PACKAGE, cache_dir=None)
    packages = {module for module in graph.modules if graph.find_children(module)}
    breakers = {
        package: imports
        for package in sorted(packages)
        if (imports := graph.nominate_cycle_breakers(package))
    }
    expect_none(
        [f"{package}: {found} closes a cycle" for package, found in breakers.items()],
        "no cycle between the modules and sub-packages of a package",
    )


def test_no_test_module_is_too_long():
    tested = [module for module in TEST_MODULES if module.name not in EXCEPTIONS]
    expect_none(
        source_tree.long_modules(tested, LONGEST_TEST_MODULE),
        f"test modules of at most {LONGEST_TEST_MODULE} lines",
    )
