"""One mapping from an exception to the error, and so to the exit code, used by every boundary."""

import ast
import sqlite3
from pathlib import Path

import pytest

import numerai_predict
from numerai_predict.contract.error_mapping import run_error_of
from numerai_predict.contract.errors import DatasetUnavailable, InternalError, SaveFailed

PACKAGE = Path(numerai_predict.__file__).parent


def test_an_error_of_a_run_stays_itself():
    error = DatasetUnavailable("expected data, found none", "get it")
    assert run_error_of(error) is error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(28, "No space left on device", "/x"), SaveFailed),
        (PermissionError(13, "Permission denied", "/x"), SaveFailed),
        (OSError("truncated"), SaveFailed),
        (sqlite3.OperationalError("database or disk is full"), SaveFailed),
        (sqlite3.DatabaseError("file is not a database"), SaveFailed),
        (sqlite3.ProgrammingError("wrong number of bindings"), InternalError),
        (ConnectionResetError(104, "Connection reset by peer"), InternalError),
        (TimeoutError("timed out"), InternalError),
        (ZeroDivisionError("x"), InternalError),
        (KeyError("x"), InternalError),
    ],
)
def test_any_other_exception_is_of_the_files_or_a_bug(error, kind):
    found = run_error_of(error)
    assert type(found) is kind
    assert str(error.args[-1]) in found.message
    assert found.remedy


def test_no_other_module_makes_an_internal_error_from_an_exception():
    callers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "caused_by"
    }
    assert callers == {"contract/error_mapping.py"}


def test_every_handler_of_any_exception_that_needs_an_exit_code_asks_the_mapping():
    """A handler of `Exception` that names a verdict or an error of a run decides for itself."""
    choosing = [
        f"{path.relative_to(PACKAGE)}:{handler.lineno}"
        for path in PACKAGE.rglob("*.py")
        for handler in ast.walk(ast.parse(path.read_text()))
        if isinstance(handler, ast.ExceptHandler)
        and _names(handler.type) & {"Exception", "BaseException"}
        and _names(*handler.body) & {"Verdict", "SaveFailed", "InternalError", "ModelUnavailable"}
    ]
    assert choosing == []


def _names(*nodes):
    return {
        each.id
        for node in nodes
        if node is not None
        for each in ast.walk(node)
        if isinstance(each, ast.Name)
    }
