"""The progress of a fleet run is a live display on a terminal, and plain lines elsewhere."""

import io
import math
import re
from contextlib import closing

import pytest
from rich.console import Console

from numerai_predict.contract.deadline import Deadline
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.progress_display import (
    FleetDisplay,
    FleetProgress,
    ProgressMeter,
    progress_table,
)

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HALF = FleetProgress(1000, 480, {"model_error": 15, "timeout": 5}, 8, 50.0, 500.0)


@pytest.fixture
def ledger(tmp_path):
    with closing(FleetLedger(tmp_path)) as opened:
        opened.add_models(dict.fromkeys(["a", "b", "c", "d"], ()))
        yield opened


def shown(progress, **options):
    stream = io.StringIO()
    Console(file=stream, width=80, **options).print(progress_table(progress))
    return stream.getvalue()


def test_a_line_names_counts_pace_and_estimates():
    assert HALF.line() == (
        "500 of 1,000, 480 delivered, 15 model_error, 5 timeout, 8 running, 50 a minute, "
        "about 10:00 to go, 8:20 to the deadline"
    )


def test_a_line_has_no_estimate_before_the_first_model_ended():
    line = FleetProgress(1000, 0, {}, 8, 0.0, math.inf).line()
    assert line == "0 of 1,000, 0 delivered, 8 running, 0 a minute"


def test_before_the_first_model_runs_workers_start():
    progress = FleetProgress(2, 0, {}, 0, 0.0, math.inf, 12.4)
    assert progress.line() == "0 of 2, 0 delivered, starting workers for 0:12"
    assert "starting for 0:12" in shown(progress)


def test_a_fleet_run_of_which_all_ended_starts_no_workers():
    assert not FleetProgress(2, 2, {}, 0, 0.0, math.inf, 1.0).is_starting


@pytest.mark.parametrize("columns", [80, 40])
def test_the_live_display_fits_a_narrow_terminal(columns):
    stream = io.StringIO()
    Console(file=stream, width=columns, force_terminal=True).print(progress_table(HALF))
    text = CONTROL.sub("", stream.getvalue())
    assert all(len(line.rstrip()) <= columns for line in text.splitlines())
    assert "500 of 1,000" in " ".join(text.split())


def test_the_live_display_shows_the_same_numbers():
    lines = [" ".join(line.split()) for line in shown(HALF).splitlines()]
    assert lines[0].endswith("500 of 1,000")
    assert lines[1:] == [
        "delivered 480",
        "model_error 15",
        "timeout 5",
        "running 8, 50 a minute",
        "to go about 10:00",
        "deadline in 8:20",
    ]


def test_an_estimate_beyond_the_deadline_is_red():
    text = shown(HALF, force_terminal=True, color_system="standard")
    assert "\x1b[31mabout 10:00" in text


def test_the_pace_counts_only_models_of_this_fleet_run(ledger):
    ledger.record_event("a", ModelState.DELIVERED, verdict="ok")
    meter = ProgressMeter(ledger, ["a", "b", "c", "d"], Deadline())
    assert meter.ended_before == 1
    assert meter.measure(0).models_per_minute == 0.0
    ledger.record_event("b", ModelState.FAILED, verdict="timeout")
    ledger.add_models(dict.fromkeys(["of another fleet"], ()))
    ledger.record_event("of another fleet", ModelState.FAILED, verdict="timeout")
    progress = meter.measure(1)
    assert (progress.ended, progress.delivered, progress.failed) == (2, 1, {"timeout": 1})
    assert progress.models_per_minute > 0


def test_a_stream_that_is_no_terminal_gets_plain_lines_at_intervals(ledger):
    stream = io.StringIO()
    with FleetDisplay(stream) as display:
        ledger.record_event("a", ModelState.DELIVERED, verdict="ok")
        display.begin(ProgressMeter(ledger, ["a", "b", "c", "d"], Deadline()))
        display.update(2)
        display.update(3)
    (line,) = stream.getvalue().splitlines()
    assert line.endswith("Z 1 of 4, 1 delivered, starting workers for 0:00")
