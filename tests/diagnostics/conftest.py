"""Fixtures of the tests of diagnoses: small validation data, and runs of the command."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from numerai_predict.data.synthetic import SampleShape, write_sample
from numerai_predict.diagnostics.report import (
    FeatureExposure,
    FeatureSetExposure,
    NamedMean,
    Report,
    Subject,
)
from numerai_predict.diagnostics.training_overlap import EraKind
from numerai_predict.diagnostics.turnover import TurnoverKind
from numerai_predict.scoring.overlap_estimate import TOO_FEW_ERAS
from numerai_predict.scoring.score_summary import summarize, summarize_quantity
from numerai_predict.scoring.target_overlap import decide_overlap

PROGRAM = "import sys; from numerai_predict.cli.main import main; sys.exit(main())"


@pytest.fixture(scope="session")
def past(tmp_path_factory):
    """A sample of five validation eras of 90 rows and 60 features."""
    directory = tmp_path_factory.mktemp("past") / "sample"
    shape = SampleShape(live_rows=60, rows=90, train_eras=2, validation_eras=5, features=60)
    write_sample(directory, shape)
    return directory


@dataclass
class Diagnosed:
    """The outcome of a diagnosis."""

    exit_code: int
    folder: Path
    stdout: str
    stderr: str

    @property
    def page(self):
        return (self.folder / "diagnose.html").read_text()

    @property
    def numbers(self):
        return json.loads((self.folder / "diagnose.json").read_text())

    @property
    def eras(self):
        rows = pd.DataFrame(self.numbers["eras"]).set_index("era")
        return rows.drop(columns="training").astype(float)

    def succeeds(self):
        assert self.exit_code == 0, self.stderr
        assert sorted(path.name for path in self.folder.iterdir()) == [
            "diagnose.html",
            "diagnose.json",
        ]
        return self

    def fails_as(self, contract, verdict, *fragments):
        """It ended with this verdict and these words in its line, and wrote nothing."""
        assert self.exit_code == contract.exit_codes[verdict], self.stderr
        last = self.stderr.splitlines()[-1]
        assert f"verdict  {verdict} " in last
        for word in fragments:
            assert word in last
        assert list(self.folder.iterdir()) == []


@pytest.fixture
def diagnose(past, pickle_model, clean_environment, tmp_path):
    """`numerai-predict diagnose` of a model, on small past data by default."""

    def run(model, *options, program=PROGRAM, wrapper=(), folder=None):
        path = model if isinstance(model, str | Path) else pickle_model(model)
        folder = folder or tmp_path / "report"
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-c", program, "diagnose", "--model", path]
        command += ["--output-dir", folder, "--validation", past, "--fnc-features", "small"]
        command += options
        ended = subprocess.run(
            [*wrapper, *map(str, command)],
            capture_output=True,
            text=True,
            timeout=100,
            env={**clean_environment, "XDG_STATE_HOME": str(tmp_path / "state")},
            cwd=tmp_path,
        )
        assert list(Path(clean_environment["TMPDIR"]).iterdir()) == [], "files were left behind"
        return Diagnosed(ended.returncode, folder, ended.stdout, ended.stderr)

    return run


@pytest.fixture
def on_past_eras(past, clean_environment, tmp_path):
    """Run a command of several models on small past data; its report goes to `tmp_path`."""

    def run(command, *words):
        argv = [sys.executable, "-c", PROGRAM, command, *words, "--validation", past]
        argv += ["--output-dir", tmp_path, "--no-container", "--fnc-features", "small"]
        return subprocess.run(
            [*map(str, argv)],
            capture_output=True,
            text=True,
            timeout=100,
            env={**clean_environment, "XDG_STATE_HOME": str(tmp_path / "state")},
        )

    return run


@pytest.fixture
def make_report(subject):
    """A report of invented numbers, each replaceable."""

    def make(eras, **changes):
        eras = eras.assign(rows=5000)
        facts = {
            "subject": subject(),
            "overlap": decide_overlap("target", TOO_FEW_ERAS),
            "eras": eras[["rows", *eras.columns.drop("rows")]],
            "kinds": [EraKind.CLEAN] * len(eras),
            "scores": {
                name: summarize(eras[name], 4) for name in ("corr", "mmc", "bmc") if name in eras
            },
            "inflated_scores": {},
            "models_shown": 1,
            "best_of": {},
            "groups": [
                FeatureSetExposure("small", 42, 0.02, 0.1, "feature_a"),
                FeatureSetExposure("all", 310, 0.01, 0.1, "f"),
            ],
            "exposures": [
                FeatureExposure("feature_a", 0.1, 0.02, 0.1, 0.15, 0, len(eras)),
                FeatureExposure("feature_b", -0.05, 0.01, 0.05, 0.08, 3, len(eras)),
            ],
            "largest_exposures": pd.DataFrame({"feature_a": 0.1, "feature_b": -0.05}, eras.index),
            "max_exposure": summarize_quantity(eras["max_exposure"]),
            "correlations": [
                NamedMean("meta model", 0.4, 0.05),
                NamedMean("v52_lgbm_ender20", 0.3, 0.04),
            ],
            "turnover_kind": TurnoverKind.EXPOSURES,
            "turnover": summarize_quantity(eras["turnover"]),
            "equal_eras": 0,
            "notes": ["The model received each era separately."],
        }
        return Report(**{**facts, **changes})

    return make


@pytest.fixture
def subject():
    """The subject of a report, each field replaceable."""
    return _subject


def _subject(**changes):
    facts = {
        "model": "model.pkl",
        "sha256": "0" * 64,
        "pythons": ["3.11"],
        "arguments": 1,
        "validation": "validation.parquet",
        "target": "target",
        "features": 310,
        "benchmark": "v52_lgbm_ender20",
        "meta_model": "meta_model.parquet",
        "neutral_to": "medium",
    }
    return Subject(**{**facts, **changes})
