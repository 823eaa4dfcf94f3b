"""A model runs wherever the package and its libraries are installed, by root and by a user."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import cloudpickle
import layouts
import pandas as pd
import pytest

from numerai_predict.sandbox import landlock

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(300)]
_USER = 4321


@pytest.fixture(scope="module", params=layouts.LAYOUTS)
def layout(request, sample):
    """One installation; its home may be entered by its owner alone, if it has one."""
    folder = Path(tempfile.mkdtemp(prefix="numerai-layout-"))
    folder.chmod(0o755)
    try:
        python = layouts.copy_interpreter(folder / "python")
        made = layouts.LAYOUTS[request.param](folder, python)
        made.secret.write_text(layouts.SECRET)
        if (home := folder / "home").exists():
            home.chmod(0o700)
            if os.geteuid() == 0:
                os.chown(home, _USER, _USER)
        shutil.copy2(sample / "live.parquet", folder)
        (folder / "live.parquet").chmod(0o644)
        (folder / "output").mkdir()
        (folder / "output").chmod(0o777)
        yield made, folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=["root", "user"])
def run(request, layout, clean_environment):
    """Run a model in the installation; its record."""
    if request.param == "root" and os.geteuid() != 0:
        pytest.skip("needs root")
    made, folder = layout
    other = request.param == "user" and os.geteuid() == 0
    who = {"user": _USER, "group": _USER, "extra_groups": []} if other else {}

    variables = {
        "PATH": clean_environment["PATH"],
        "TMPDIR": "/tmp",
        "LD_LIBRARY_PATH": str(folder / "python/lib"),
        **made.variables,
    }

    def start(model):
        path = folder / "model.pkl"
        path.write_bytes(cloudpickle.dumps(model))
        path.chmod(0o644)
        record = folder / "output" / f"{request.param}.json"
        ended = subprocess.run(
            [*made.command, "--model", path, "--dataset", folder / "live.parquet"]
            + ["--output_dir", folder / "output", "--result", record],
            env=variables,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=folder,
            **who,
        )
        assert record.exists(), ended.stderr
        return json.loads(record.read_text())

    return start


def model_that_looks_for(secret, has_landlock):
    def predict(live_features):
        if has_landlock:
            try:
                with open(secret) as file:
                    raise RuntimeError(f"read {file.read()}")
            except (PermissionError, FileNotFoundError):  # the latter in a private /tmp
                pass
        return live_features["feature_sample_0000"].rank(pct=True).to_frame("prediction")

    return predict


def model_that_fails_in_pandas():
    def predict(live_features):
        return pd.concat([])

    return predict


@pytest.fixture(autouse=True)
def by_value():
    """The models' code in the pickles: no installation has this module."""
    import sys

    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    yield
    cloudpickle.unregister_pickle_by_value(module)


def test_a_model_runs_and_reads_nothing_of_the_user(run, layout):
    record = run(model_that_looks_for(str(layout[0].secret), landlock.abi() > 0))
    assert record["verdict"] == "ok", record["message"]


@pytest.mark.parametrize("layout", ["user"], indirect=True)
@pytest.mark.parametrize("run", ["user"], indirect=True)
def test_frames_of_an_installed_library_are_not_the_models_own(run):
    record = run(model_that_fails_in_pandas())
    assert record["verdict"] == "model_error"
    assert record["message"].count("  File ") == 2
