"""A second fleet run in the same directory reuses what did not change and repeats the rest."""

import gzip
import io
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import stand_in

from numerai_predict.contract.limits import Limits
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.fleet import run as fleet_run
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.errors import DataChanged
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.progress_display import FleetDisplay
from numerai_predict.fleet.report.html_report import write_report
from numerai_predict.fleet.result_files import ResultFiles
from numerai_predict.fleet.summary import FleetSummary
from numerai_predict.storage.files import sha256_of
from numerai_predict.terminal.screen import Screen

REUSED = "reused {} of an earlier run: same model, data and options"
PREVIOUS = Path(__file__).parents[1] / "previous_version/fleet/fleet.sqlite.gz"


def predict(live_features):
    return live_features


def other_predict(live_features):
    return live_features * 2


class Runs:
    """Fleet runs of the models a and b in one output directory, with workers that hash."""

    def __init__(self, folder, sample, models):
        self.output = folder / "output"
        self.output.mkdir()
        self.live, self.benchmarks = folder / "live.parquet", folder / "benchmarks.parquet"
        self.live.write_bytes((sample / "live.parquet").read_bytes())
        self.benchmarks.write_bytes((sample / "live_benchmark_models.parquet").read_bytes())
        self.config = FleetConfig(self.output, str(self.live), str(self.benchmarks))
        self.environments = [Environment(RUNNING_PYTHON, LOCAL, content="packages")]
        self.entries = [ManifestEntry(name, str(path), Limits()) for name, path in models.items()]

    def run(self, **changes):
        """Run the fleet; returns the lines that it printed."""
        stream = io.StringIO()
        with FleetDisplay(stream) as display:
            config = replace(self.config, **changes)
            self.ended = fleet_run.run_fleet(config, self.entries, self.environments, display)
        return stream.getvalue().splitlines()

    def attempts(self):
        with closing(FleetLedger(self.output)) as ledger:
            return {row.id: row.attempts for row in ledger.rows()}

    def summary(self):
        with closing(FleetLedger(self.output)) as ledger:
            return FleetSummary.of(ledger)

    def csv(self, name):
        path = self.output / "predictions" / f"{name}.csv"
        return path.read_bytes() if path.exists() else None

    def expected(self, name):
        (entry,) = [entry for entry in self.entries if entry.id == name]
        files = Path(entry.model), self.live, self.benchmarks
        contents = [path.read_bytes() for path in files]
        return stand_in.predictions(*contents, entry.limits.seconds)

    def change(self, path):
        """Other bytes that are still the same parquet table."""
        import pandas as pd

        frame = pd.read_parquet(path)
        frame.iloc[:, -1] = 1.0
        frame.to_parquet(path)


@pytest.fixture
def runs(tmp_path, sample, pickle_model, monkeypatch):
    monkeypatch.setattr(fleet_run, "RayCluster", stand_in.StandInCluster)
    monkeypatch.setattr(fleet_run, "harden_supervisor", lambda: None)
    models = {"a": pickle_model(predict, "a.pkl"), "b": pickle_model(other_predict, "b.pkl")}
    made = Runs(tmp_path, sample, models)
    made.run()
    assert made.attempts() == {"a": 1, "b": 1}
    return made


def test_what_did_not_change_is_reused_and_log_summary_and_page_say_so(runs):
    said = REUSED.format("2 results")
    assert said in runs.run()
    assert runs.attempts() == {"a": 1, "b": 1}
    assert (runs.csv("a"), runs.csv("b")) == (runs.expected("a"), runs.expected("b"))
    assert said in Screen().text(runs.summary().parts())
    with closing(FleetLedger(runs.output)) as ledger:
        assert said in write_report(runs.output, ledger).read_text()


@pytest.mark.parametrize(("name", "said"), [("live", "live data"), ("benchmarks", "benchmark")])
def test_changed_data_run_all_models_again(runs, name, said):
    before = runs.csv("a")
    runs.change(getattr(runs, name))
    printed = "\n".join(runs.run())
    expected = "2 results of an earlier run left out; these models will run again; changed: "
    assert expected + said in printed
    assert "reused" not in printed
    assert runs.attempts() == {"a": 2, "b": 2}
    assert before != runs.csv("a") == runs.expected("a")
    record = json.loads((runs.output / "records/a.json").read_text())
    with closing(FleetLedger(runs.output)) as ledger:
        assert {"inspection": None, **record} == ledger.record("a")
        assert record["dataset"]["sha256"] == sha256_of(runs.live)


def test_a_changed_model_runs_again_and_the_other_is_reused(runs):
    path = Path(runs.entries[0].model)
    path.write_bytes(Path(runs.entries[1].model).read_bytes())
    printed = runs.run()
    assert REUSED.format("1 result") in printed
    assert any(line.endswith("run again; changed: model") for line in printed)
    assert runs.attempts() == {"a": 2, "b": 1}
    assert runs.csv("a") == runs.expected("a")


def test_a_limit_and_an_environment_that_changed_run_models_again(runs):
    runs.entries[0] = replace(runs.entries[0], limits=Limits(seconds=5.0))
    assert any(line.endswith("changed: options") for line in runs.run())
    assert runs.attempts() == {"a": 2, "b": 1}
    runs.environments = [replace(runs.environments[0], content="other packages")]
    assert any(line.endswith("changed: environment") for line in runs.run())
    assert runs.attempts() == {"a": 3, "b": 2}


def test_options_that_do_not_matter_reuse_all(runs):
    assert REUSED.format("2 results") in runs.run(concurrency=1, models_per_worker=3, debug=True)


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text("id,prediction\n")])
def test_predictions_that_are_not_as_they_were_stored_are_made_again(runs, change):
    change(runs.output / "predictions" / "a.csv")
    assert any(line.endswith("changed: file of predictions") for line in runs.run())
    assert runs.csv("a") == runs.expected("a")


def test_a_model_that_cannot_be_fetched_any_more_fails_and_leaves_no_predictions(runs):
    Path(runs.entries[0].model).unlink()
    assert any("model (it cannot be fetched)" in line for line in runs.run())
    assert runs.csv("a") is None
    with closing(FleetLedger(runs.output)) as ledger:
        assert ledger.record("a")["verdict"] == "model_unavailable"
        assert ledger.state("b") is ModelState.DELIVERED


def test_a_failure_is_reused_and_runs_again_with_other_data(runs):
    path = Path(runs.entries[0].model)
    path.write_bytes(path.read_bytes() + stand_in.FAILS)
    runs.run()
    assert any("1 of them failed (see --retry-failed)" in line for line in runs.run())
    assert runs.attempts() == {"a": 2, "b": 1}
    runs.run(retry_failed=True)
    assert runs.attempts() == {"a": 3, "b": 1}
    runs.change(runs.live)
    runs.run()
    assert runs.attempts() == {"a": 4, "b": 2}


def killed(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("step", ["fetch_live_data", "_reuse", "Scheduler"])
def test_a_run_that_is_stopped_leaves_no_predictions_of_other_data(runs, monkeypatch, step):
    write_page(runs)
    runs.change(runs.live)
    with monkeypatch.context() as stopped:
        stopped.setattr(fleet_run, step, killed)
        with pytest.raises(KeyboardInterrupt):
            runs.run()
    assert (runs.csv("a"), runs.csv("b")) == (None, None)
    assert not (runs.output / "records/a.json").exists()
    assert not (runs.output / "fleet.html").exists()
    assert not runs.summary().delivered()
    runs.run()
    assert runs.csv("a") == runs.expected("a")


def write_page(runs):
    with closing(FleetLedger(runs.output)) as ledger:
        write_report(runs.output, ledger)


def test_a_run_that_is_stopped_before_it_checks_results_loses_none(runs, monkeypatch):
    with monkeypatch.context() as stopped:
        stopped.setattr(fleet_run, "fetch_live_data", killed)
        with pytest.raises(KeyboardInterrupt):
            runs.run()
    assert "has not checked the results of earlier ones" in Screen().text(runs.summary().parts())
    assert REUSED.format("2 results") in runs.run()
    assert runs.csv("a") == runs.expected("a")
    assert runs.summary().delivered()


def test_live_data_that_change_during_a_run_stop_it(runs, monkeypatch):
    runs.change(runs.live)
    before = runs.expected("a")

    class ChangedMeanwhile(stand_in.StandInCluster):
        def start_actor(self, *arguments):
            runs.live.write_bytes(runs.live.read_bytes() + b" ")
            return super().start_actor(*arguments)

    monkeypatch.setattr(fleet_run, "RayCluster", ChangedMeanwhile)
    with pytest.raises(DataChanged, match=r"live data .*live\.parquet to stay .* other bytes"):
        runs.run()
    assert runs.csv("a") in (None, before)


def test_a_ledger_of_the_previous_version_is_read_and_its_models_run_again(runs):
    for path in runs.output.glob("fleet.sqlite*"):
        path.unlink()
    (runs.output / "fleet.sqlite").write_bytes(gzip.decompress(PREVIOUS.read_bytes()))
    good = replace(runs.entries[0], id="good")
    runs.entries = [good]
    (runs.output / "predictions/good.csv").write_text("yesterday's\n")
    said = "1 result of an earlier version left out; these models will run again: "
    assert any(line.startswith(said) for line in runs.run())
    assert runs.csv("good") == runs.expected("good")
    assert "broken" not in Screen().text(runs.summary().parts())
    assert "1 other model with results of other data: not shown" in Screen().text(
        runs.summary().parts()
    )


def test_a_deadline_while_results_are_checked_keeps_them_for_the_next_run(runs, monkeypatch):
    monkeypatch.setattr("numerai_predict.fleet.reuse.ResultReuse._prepare", lambda *_: iter(()))
    runs.run()
    assert not runs.ended
    monkeypatch.undo()
    monkeypatch.setattr(fleet_run, "RayCluster", stand_in.StandInCluster)
    monkeypatch.setattr(fleet_run, "harden_supervisor", lambda: None)
    assert REUSED.format("2 results") in runs.run()
    assert runs.csv("a") == runs.expected("a")


def test_only_the_models_of_the_run_are_checked(runs):
    runs.change(runs.live)
    runs.run(only=frozenset({"a"}))
    assert runs.attempts() == {"a": 2, "b": 1}
    assert [row.id for row in runs.summary().rows] == ["a"]
    files = ResultFiles(runs.output)
    assert not files.csv_aside("a").exists()
