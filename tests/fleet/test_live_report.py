"""With `--page` the report is written while a fleet run goes on, and says when it has ended."""

import threading
from contextlib import closing

import pytest

from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.report import live_report
from numerai_predict.fleet.report.live_report import LiveReport

RELOADS = '<body data-refresh="5">'


@pytest.fixture
def directory(tmp_path):
    with closing(FleetLedger(tmp_path)) as ledger:
        ledger.add_models(dict.fromkeys(["a"], ()))
    return tmp_path


def wait_for_writer():
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.daemon:
            thread.join(20)


def test_a_page_of_a_fleet_run_that_goes_on_loads_itself_again(directory):
    page = directory / "fleet.html"
    with LiveReport(directory) as report:
        report.update()
        wait_for_writer()
        assert RELOADS in page.read_text()
    assert RELOADS not in page.read_text()


def test_it_is_written_again_after_5_seconds_at_the_earliest(directory):
    page = directory / "fleet.html"
    with LiveReport(directory) as report:
        report.update()
        wait_for_writer()
        page.unlink()
        report.update()
        wait_for_writer()
        assert not page.exists()


def test_it_takes_a_tenth_of_the_time_at_most(directory, monkeypatch):
    clock = iter([0.0, 0.0, 0.0, 8.0, 79.0, 81.0, 81.0, 81.0, 82.0, 83.0, 84.0])
    monkeypatch.setattr(live_report.time, "monotonic", lambda: next(clock))
    written = []
    monkeypatch.setattr(live_report, "write_report", lambda *_: written.append(1))
    report = LiveReport(directory)
    for expected in (1, 1):
        report.update()
        wait_for_writer()
        assert len(written) == expected


def test_a_report_that_cannot_be_written_stops_nothing(directory, monkeypatch):
    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(live_report, "write_report", fail)
    with LiveReport(directory) as report:
        report.update()


def test_without_an_update_nothing_is_written(directory):
    with LiveReport(directory):
        pass
    assert not (directory / "fleet.html").exists()
