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

# Functions that change an argument: the argument is what the function is about.
FILLED = {
    "acceleration/interception.py: _patch_loader: loader": "patches a library",
    "acceleration/lightgbm_booster.py: _patch_loading: booster_class": "patches a library",
    "data/columns.py: read_into: target": "an array of all rows: a copy would double the memory",
    "fleet/pool/ray_cluster.py: _without_secrets: environment": "os.environ, restored afterwards",
    "fleet/worker/inherited_folders.py: _set_cell: cell": "patches a closure of a library",
    "inspection/collector.py: _add: found": "a collection of its own",
    "inspection/collector.py: _add_state: arguments": "a call that gives its argument its state",
    "inspection/virtual_machine/container_opcodes.py: load_proto: vm": "opcodes change it",
    "inspection/virtual_machine/container_opcodes.py: _put_items: vm": "opcodes change it",
    "inspection/virtual_machine/container_opcodes.py: _to_keep: vm": "opcodes change it",
    "inspection/virtual_machine/object_opcodes.py: load_binpersid: vm": "opcodes change it",
    "runner/child/main.py: _serve_calls: arguments": "takes over the frames, to free them",
    "storage/transfer/http.py: get_redirect_target: response": "the way requests skips a body",
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


def test_no_function_fills_in_an_argument():
    found = source_tree.filled_arguments(MODULES)
    expected = {f"{source_tree.PACKAGE}/{line}" for line in FILLED}
    parsers = [line for line in found if line.endswith(": add_options: parser")]
    expect_none(
        sorted({*found} - expected - {*parsers}), "functions that return what they find out"
    )
    expect_none(sorted(expected - {*found}), "exceptions that are needed")


def test_a_filled_argument_is_found():
    source = """
def by_item(found: dict[str, int]) -> None: found["a"] = 1
def by_attribute(state: State) -> None: state.a.b = 1
def by_method(names: list[str]) -> None: names.append("a")
def of_a_builder(record: RecordBuilder) -> None: record.add_warnings([])
def by_value(names: list[str]) -> list[str]: return [*names, "a"]
def of_a_copy(names: list[str]) -> list[str]:
    names = [*names]
    names.append("a")
    return names
class Owner:
    def by_own_method(self, name: str) -> None: self.names.append(name)
"""
    found = source_tree.filled_arguments([source_tree.Module("m.py", source)])
    assert found == [
        "m.py: by_item: found",
        "m.py: by_attribute: state",
        "m.py: by_method: names",
        "m.py: of_a_builder: record",
    ]


def test_no_code_decides_by_the_text_of_an_exception():
    """`runner/failure_text.py` and the refusals of `storage/graphql.py` get the text as a value."""
    expect_none(source_tree.decisions_on_text(MODULES), "decisions by the type of an exception")


def test_a_decision_by_text_is_found():
    source = """
try: work()
except OSError as error:
    if "full" in str(error) or error.args[0] == "x" or error.strerror.startswith("No"): raise
    PATTERN.search(str(error).lower())
    print(str(error), error.errno == 28)
def classify(failure: Failure):
    return PATTERN.search(failure.text), failure.stage == "load"
"""
    found = source_tree.decisions_on_text([source_tree.Module("m.py", source)])
    assert len(found) == 5


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


def test_no_path_is_resolved_so_that_a_link_to_itself_raises():
    """Before Python 3.13, `Path.resolve` raises a RuntimeError: `resolve_links` never raises."""
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in (ROOT / source_tree.PACKAGE).rglob("*.py")
        for line in path.read_text().splitlines()
        if ".resolve()" in line and not path.match("sandbox/*.py")
    ]
    expect_none(found, "resolve_links in place of Path.resolve")
