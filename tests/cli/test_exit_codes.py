"""One mapping from how a command ends to its exit code and the last line."""

import pytest

from numerai_predict.cli.exit_codes import MissingExtra, Unfinished, UsageError, exit_code_of
from numerai_predict.contract.errors import ModelTimeout
from numerai_predict.contract.tournament_errors import GateClosed
from numerai_predict.runner.termination import Terminated


@pytest.fixture
def ends(capfd):
    """Ends a command by a value or an exception; its exit code and what it printed."""

    def end(how, **settings):
        def work():
            if isinstance(how, BaseException):
                raise how
            return how

        code = exit_code_of(work, "numerai-predict x", **settings)
        return code, capfd.readouterr().err

    return end


@pytest.mark.parametrize(
    ("how", "code", "last"),
    [
        ("done", 0, "verdict  ok (exit 0): done"),
        (ModelTimeout("too slow", "be quick"), 23, "timeout (exit 23): too slow -> be quick"),
        (GateClosed("too flat", "vary"), 80, "gate_closed (exit 80): too flat -> vary"),
        (OSError(28, "No space left", "/x"), 41, "save_failed (exit 41)"),
        (ZeroDivisionError("x"), 70, "internal_error (exit 70)"),
        (KeyboardInterrupt(), 130, "stopped  by Ctrl-C: run the same command again to continue"),
        (Terminated(), 143, "stopped  by SIGTERM: run the same command again to continue"),
        (MissingExtra("ray", "fleet"), 2, "pip install 'numerai-predict[fleet]'"),
        (Unfinished("no node"), 1, "numerai-predict x: no node"),
    ],
)
@pytest.mark.parametrize("logs_steps", [True, False])
def test_each_end_has_its_exit_code_and_last_line(ends, how, code, last, logs_steps):
    ended, printed = ends(how, logs_steps=logs_steps)
    assert ended == code
    if how != "done" or logs_steps:
        assert last in printed.splitlines()[-1]


@pytest.mark.parametrize("code", [0, 1, 23])
def test_a_command_may_report_its_own_end(ends, code):
    assert ends(code) == (code, "")


def test_an_internal_error_shows_its_traceback(ends):
    _, printed = ends(ZeroDivisionError("x"))
    assert "Traceback" in printed


def test_debug_shows_the_traceback_of_a_failure(ends):
    assert "Traceback" not in ends(ModelTimeout("too slow", "be quick"))[1]
    assert "Traceback" in ends(ModelTimeout("too slow", "be quick"), debug=True)[1]


def test_a_usage_error_is_left_to_the_parser(ends):
    with pytest.raises(UsageError):
        ends(UsageError("both"))
