"""A terminal gets its width and colours; a file or a pipe gets plain text."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import termios
from contextlib import contextmanager

import pytest

from numerai_predict.contract.verdicts import TournamentVerdict, TrainingVerdict, Verdict
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.runner.run_log import LineFormatter, logger
from numerai_predict.terminal.screen import Screen
from numerai_predict.terminal.states import Tone, known_states, tone_of

XTERM = {"TERM": "xterm-256color"}


@contextmanager
def terminal_of(columns):
    """A stream to a terminal of so many columns."""
    screen, stream = pty.openpty()
    fcntl.ioctl(stream, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(stream, "w") as terminal:
        yield terminal
    os.close(screen)


@pytest.mark.parametrize("columns", [200, 80, 40])
def test_a_terminal_has_its_width_and_colours(columns):
    with terminal_of(columns) as stream:
        assert Screen.of(stream, XTERM) == Screen(columns, colours=True)


def test_a_terminal_of_unknown_width_gets_lines_of_any_length():
    with terminal_of(0) as stream:
        assert Screen.of(stream, XTERM).width is None


def test_no_terminal_no_width_and_no_colours():
    assert Screen.of(io.StringIO(), XTERM) == Screen(None, colours=False)


@pytest.mark.parametrize(
    ("variables", "colours"),
    [
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
    ],
)
def test_variables_switch_colours_off_and_on(variables, colours):
    with terminal_of(80) as stream:
        assert Screen.of(stream, XTERM | variables).colours is colours


def test_force_color_colours_a_pipe_too():
    assert Screen.of(io.StringIO(), {"FORCE_COLOR": "1"}) == Screen(None, colours=True)


def test_every_verdict_and_every_state_of_a_model_has_a_tone():
    words = [
        each.word for family in (Verdict, TournamentVerdict, TrainingVerdict) for each in family
    ]
    words += [state.value for state in ModelState]
    assert set(words) <= set(known_states())


def test_good_and_bad_states_differ():
    assert tone_of("delivered") is tone_of("ok") is Tone.DONE
    assert tone_of("failed") is tone_of("model_error") is Tone.FAILED
    assert tone_of("resolved") is None


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("verdict  ok (exit 0): fine", "verdict  \x1b[32mok\x1b[0m (exit 0): fine"),
        ("verdict  timeout (exit 23): x", "verdict  \x1b[31mtimeout\x1b[0m (exit 23): x"),
        ("warning  odd", "\x1b[33mwarning\x1b[0m  odd"),
        ("model    | verdict  ok", "model    | verdict  ok"),
        ("verdict  ", "verdict  "),
    ],
)
def test_the_log_colours_verdicts_and_warnings(message, line):
    record = logger.makeRecord("numerai_predict", 20, "", 0, message, (), None)
    assert LineFormatter(colours=True).format(record)[9:] == line
    assert LineFormatter().format(record)[9:] == message
