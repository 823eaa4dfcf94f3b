"""The report is one HTML file that says what happened, with and without scripts."""

import json
import re
from contextlib import closing
from dataclasses import replace

import pytest
from fleet_rows import made_up_rows, write_files

from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.report.failure_groups import group_failures
from numerai_predict.fleet.report.html_report import render_report, write_report
from numerai_predict.fleet.report.log_tails import log_tail, log_tails
from numerai_predict.fleet.report.model_table import ResultDirectory, python_of
from numerai_predict.fleet.summary import FleetSummary

MARKUP = "<script>alert('&')</script>"


@pytest.fixture
def ledger(tmp_path):
    with closing(FleetLedger(tmp_path)) as opened:
        yield opened


def add(ledger, name, state, **columns):
    ledger.add_models(dict.fromkeys([name], ()))
    ledger.record_event(name, ModelState.RUNNING, worker="node-1 py", place="py")
    ledger.record_event(name, state, **columns)


def report(tmp_path, ledger):
    return write_report(tmp_path, ledger).read_text()


def rendered(folder, rows):
    remedies = write_files(folder, rows)
    return render_report("round", FleetSummary(rows), remedies, ResultDirectory.read(folder))


def data_of(page):
    return json.loads(page.partition('id="data">')[2].partition("</script>")[0])


def test_it_has_every_verdict_the_rankings_and_the_failures(tmp_path, ledger):
    add(ledger, "good", ModelState.DELIVERED, verdict="ok", seconds=2.5, peak_bytes=5 * 1024**2)
    add(ledger, "bad", ModelState.FAILED, verdict="timeout", message="too slow\nmore", seconds=9.0,
        record=json.dumps({"remedy": "raise --timeout"}))  # fmt: skip
    page = report(tmp_path, ledger)
    assert "1 of 2 models delivered, 1 failed." in page
    assert page.index('<td class="n">9.00 s</td>') < page.index('<td class="n">2.50 s</td>')
    assert "good: took 2.50 s" in page
    assert '<p class="message"><bdi>too slow</bdi></p>' in page
    assert "<p>raise --timeout</p>" in page


def test_tags_are_a_column_where_a_model_has_some(tmp_path):
    rows = made_up_rows(3)
    assert "Tags" not in rendered(tmp_path, rows)
    page = rendered(tmp_path, [replace(rows[0], tags="linear alice"), *rows[1:]])
    assert '<th scope="col" class="secondary">Tags</th>' in page
    tags = data_of(page)["tables"]["model"]["values"]["tags"]
    assert tags == ["linear alice", "", ""]


def test_the_tags_of_the_last_manifest_count(ledger):
    ledger.add_models({"a": ("linear", "alice"), "b": ()})
    ledger.add_models({"a": ("bob",)})
    assert [row.tags for row in ledger.rows()] == ["bob", None]


def test_every_text_is_escaped(tmp_path, ledger):
    add(ledger, MARKUP, ModelState.FAILED, verdict=MARKUP, message=MARKUP, worker=MARKUP,
        seconds=1.0)  # fmt: skip
    page = report(tmp_path, ledger)
    assert page.count("<script") == 2
    assert page.count("&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;") >= 4


def test_it_loads_nothing(tmp_path):
    page = rendered(tmp_path, made_up_rows(30, failing=0.3))
    assert not re.search(r"<(link|img|iframe|object|embed)|src=|url\(|@import|https?:", page)


@pytest.mark.parametrize("names", [[], ["a"]])
def test_a_ledger_without_runs_says_what_is_absent(tmp_path, ledger, names):
    ledger.add_models(dict.fromkeys(names, ()))
    page = report(tmp_path, ledger)
    assert "No model was run." in page
    assert ("This fleet run has no models." in page) is not bool(names)
    assert "<svg" not in page


def test_failures_with_like_messages_are_one_entry():
    failed = made_up_rows(40, failing=1)
    groups = group_failures(failed)
    assert len(groups) == len({row.verdict for row in failed})
    assert sum(len(group.rows) for group in groups) == 40
    odd = replace(failed[0], message="expected a column, found none")
    assert len(group_failures([*failed, odd])) == len(groups) + 1


def test_a_model_has_addresses_of_the_files_that_are_there(tmp_path):
    rows = made_up_rows(2, failing=0)
    page = rendered(tmp_path, rows)
    for kind in ("logs/{}.log", "records/{}.json", "predictions/{}.csv"):
        assert f'href="{kind.format(rows[0].id)}"' in page
    (tmp_path / f"predictions/{rows[0].id}.csv").unlink()
    assert f"predictions/{rows[0].id}.csv" not in rendered_again(tmp_path, rows)


def rendered_again(folder, rows):
    return render_report("round", FleetSummary(rows), {}, ResultDirectory.read(folder))


def test_a_failure_has_the_last_lines_of_its_log(tmp_path):
    rows = made_up_rows(3, failing=1)
    data = data_of(rendered(tmp_path, rows))
    assert list(data["tables"]["model"]["logs"]) == ["0", "1", "2"]
    assert data["tables"]["model"]["logs"]["1"].endswith(f"verdict  {rows[1].verdict}")


def test_the_tail_of_a_log_is_short_and_printable(tmp_path):
    log = tmp_path / "a.log"
    log.write_bytes(b"x" * 9000 + b"\n" + b"\x1b[2J" + b"y" * 900 + b"\n" + b"z\n" * 5)
    tail = log_tail(log)
    assert tail.splitlines()[0].startswith("\\x1b[2Jyyy")
    assert len(tail) < 300
    assert log_tail(tmp_path / "absent.log") == ""
    assert log_tails(tmp_path, ["a", "a"], len(tail)) == {"a": tail}
    assert log_tails(tmp_path, ["a"], 10) == {}


def test_without_a_script_failed_models_come_first_and_the_page_says_what_is_left_out(tmp_path):
    rows = made_up_rows(900)
    page = rendered(tmp_path, rows)
    assert "The first 300 models of 900, failed ones before others" in page
    for row in rows:
        if row.state is ModelState.FAILED:
            assert f'<tr id="model={row.id}">' in page


def test_a_page_of_a_thousand_models_is_small_even_if_all_failed(tmp_path):
    for failing in (0.02, 1):
        assert len(rendered(tmp_path, made_up_rows(1000, failing)).encode()) < 1e6


@pytest.mark.parametrize(
    ("environment", "python"),
    [("numerai_predict_py_3_12:latest-slim", "3.12"), ("the local Python 3.11", "3.11"),
     ("py", ""), (None, "")],
)  # fmt: skip
def test_the_python_of_an_environment(environment, python):
    assert python_of(environment) == python
