"""The report is one HTML file that loads nothing and escapes every text in it."""

import re
from contextlib import closing

import pytest

from numerai_predict.fleet.html_report import write_report
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.ledger_rows import Row
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.timeline import Timeline

MARKUP = "<script>alert('&')</script>"


@pytest.fixture
def ledger(tmp_path):
    with closing(FleetLedger(tmp_path)) as opened:
        yield opened


def add(ledger, name, state, **columns):
    ledger.add_models([name])
    ledger.record_event(name, ModelState.RUNNING, worker="node-1 py", place="py")
    ledger.record_event(name, state, **columns)


def report(tmp_path, ledger):
    return write_report(tmp_path, ledger).read_text()


def test_it_has_every_verdict_the_rankings_and_the_failures(tmp_path, ledger):
    add(ledger, "good", ModelState.DELIVERED, verdict="ok", seconds=2.5, peak_bytes=5 * 1024**2)
    add(
        ledger, "bad", ModelState.FAILED, verdict="timeout", message="too slow\ndetail", seconds=9.0
    )
    page = report(tmp_path, ledger)
    assert "1 of 2 models delivered; " in page
    assert '<tr><td>ok</td><td class="n">1</td></tr>' in page
    assert page.index('<td class="n">9.0</td>') < page.index('<td class="n">2.5</td>')
    assert "good: ok, 2.50 s" in page
    assert '<td class="message">too slow</td>' in page


def test_every_text_is_escaped(tmp_path, ledger):
    add(
        ledger,
        MARKUP,
        ModelState.FAILED,
        verdict=MARKUP,
        message=MARKUP,
        worker=MARKUP,
        seconds=1.0,
    )
    page = report(tmp_path, ledger)
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;") >= 4


def test_it_loads_nothing(tmp_path, ledger):
    add(ledger, "good", ModelState.DELIVERED, verdict="ok", seconds=2.5)
    assert not re.search(
        r"<(link|script|img|iframe)|url\(|@import|https?:", report(tmp_path, ledger)
    )


def test_a_ledger_without_runs_has_no_timeline(tmp_path, ledger):
    ledger.add_models(["a"])
    page = report(tmp_path, ledger)
    assert "No model was run." in page
    assert "<svg" not in page


def ran(name, started, seconds, worker="w"):
    return Row(name, ModelState.DELIVERED, "ok", "", "py", worker, 1, started, None, seconds, None)


def test_models_that_ran_at_the_same_time_are_in_lanes_of_their_own():
    rows = [
        ran("a", 100.0, 10.0),
        ran("b", 105.0, 10.0),
        ran("c", 110.0, 5.0),
        ran("d", 100.0, 1.0, "x"),
    ]
    lanes = Timeline.of(rows).lanes
    assert [[run.row.id for run in lane.runs] for lane in lanes] == [["a", "c"], ["b"], ["d"]]
    assert [lane.label for lane in lanes] == ["py  w", "", "py  x"]


def test_ticks_are_at_round_times():
    timeline = Timeline.of([ran("a", 100.0, 480.0)])
    assert [tick.label for tick in timeline.ticks] == [f"{minute} min" for minute in range(9)]
    assert (
        timeline.ticks[-1].x
        == timeline.x(timeline.runs[0]) + timeline.bar_width(timeline.runs[0]) + 0.5
    )
