"""Models as people publish them, run by `numerai-predict run --no-container` and by a fleet."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fleets import PROGRAM, Fleet
from predict_runs import clean_variables

sys.path.insert(0, str(Path(__file__).parent))

from write_cases import CASES, TESTED, missing_modules, selected_names, write

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(1500)]

# What differs between two runs of one model: numbers, such as the peak memory, and directories.
CHANGING = re.compile(r"numerai-model-\w+|\d+(\.\d+)?")
REFUSED_HOSTED = [
    name
    for name in TESTED
    if CASES[name].expected.verdict == "ok" and not CASES[name].expected.hosted
]


def needed(case):
    """Skip a case whose modules this Python does not have."""
    if missing := missing_modules(case):
        pytest.skip(f"{case.name} needs {', '.join(missing)}, which only the full image has")


def reported(record):
    """What a record says about the model; where predictions were delivered to is another place."""
    message = [] if record["verdict"] == "ok" else [record["message"].splitlines()[0]]
    said = [*message, str(record["remedy"]), *record["warnings"]]
    return record["verdict"], record["exit_code"], [CHANGING.sub("#", text) for text in said]


@pytest.fixture(scope="module")
def selected(request):
    """The cases that the selected tests are about, and that this Python can make."""
    return [CASES[n] for n in selected_names(request.session) if not missing_modules(CASES[n])]


@pytest.fixture(scope="module")
def files(selected, tmp_path_factory):
    """A directory with the files of the cases."""
    folder = tmp_path_factory.mktemp("cases")
    write(folder, [case.name for case in selected])
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Variables for the processes."""
    return clean_variables(tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="module")
def run_local(files, sample, tmp_path_factory, environment):
    """Run a case with `run --no-container`; its record and the bytes of the predictions."""

    def run(case, *options):
        output = tmp_path_factory.mktemp("output")
        record = output / "record.json"
        command = [sys.executable, "-c", PROGRAM, "run", "--no-container", files / case.file_name]
        command += ["--dataset", sample / "live.parquet", "--output_dir", output]
        command += ["--benchmarks", sample / "live_benchmark_models.parquet"]
        command += ["--result", record, "--timeout", "300", *options]
        ended = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, env=environment, cwd=output
        )
        assert record.exists(), ended.stderr
        csv = next(output.glob("live_predictions-*.csv"), None)
        return json.loads(record.read_text()), csv and csv.read_bytes()

    return run


@pytest.fixture(scope="module")
def singles(run_local, selected):
    """The record and the predictions of each case, two runs at a time."""
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(run_local, selected)
        return {case.name: result for case, result in zip(selected, results, strict=True)}


@pytest.fixture(scope="module")
def fleet_output(files, sample, tmp_path_factory, environment):
    """The cases in one fleet run."""
    fleet = Fleet(tmp_path_factory.mktemp("fleet"), sample, {**environment, "TMPDIR": "/tmp"})
    output = fleet.run(files, "--concurrency", "2", "--timeout", "300", timeout=1500)
    assert output.exit_code in (0, 1), output.stderr  # 1: some models are broken
    return output


@pytest.mark.parametrize("name", TESTED)
def test_a_run_has_the_expected_result(singles, name):
    needed(CASES[name])
    record, _ = singles[name]
    assert CASES[name].differences(record) == []


@pytest.mark.parametrize("name", REFUSED_HOSTED)
def test_hosted_mode_refuses_what_hosted_compute_refuses(run_local, name):
    needed(CASES[name])
    record, predictions = run_local(CASES[name], "--hosted")
    assert record["verdict"] in ("invalid_model", "invalid_predictions")
    assert record["hosted"]["accepted"] is False
    assert predictions is None


@pytest.mark.ray
@pytest.mark.parametrize("name", TESTED)
def test_a_fleet_says_and_predicts_what_a_single_run_does(singles, fleet_output, name):
    needed(CASES[name])
    record, predictions = singles[name]
    in_fleet = fleet_output.records()[name]
    assert CASES[name].differences(in_fleet) == []
    assert reported(in_fleet) == reported(record)
    if predictions is not None:
        assert fleet_output.csv(name) == predictions
