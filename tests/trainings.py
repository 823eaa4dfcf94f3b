"""A small training, run by the command that users run."""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import evidence
import yaml

from numerai_predict.cli.main import main
from numerai_predict.data.synthetic import SampleShape

SHAPE = SampleShape(live_rows=150, rows=120, train_eras=46, validation_eras=20, features=60)

# The defaults, scaled down to this data set.
SMALL = {
    "features": "small",
    "rounds": 40,
    "early_stopping": 20,
    "evaluate_every": 20,
    "seeds": [42, 1337],
    "device": "cpu",
    "threads": 1,
    "validation": {"windows": 2, "window_eras": 6, "stopping_eras": 4, "holdout_eras": 8},
    "lightgbm": {"num_leaves": 8, "min_data_in_leaf": 40, "learning_rate": 0.1},
    "xgboost": {"max_depth": 3, "min_child_weight": 40, "learning_rate": 0.1},
    "catboost": {"depth": 3, "learning_rate": 0.1},
}


def merged(base, changes):
    """The base with the changes, section by section."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


class Training:
    """A directory with one configuration and its output."""

    def __init__(self, folder: Path, source: Path, **changes):
        self.folder, self.output = folder, folder / "model"
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "train.yaml"
        own = {"output": str(self.output), "data": {"directory": str(source)}}
        self.settings = merged(merged(SMALL, own), changes)
        self.config.write_text(yaml.safe_dump(self.settings))

    def command(self, *options):
        return [Path(sys.executable).with_name("numerai-predict"), "train", self.config, *options]

    def environment(self, **changes):
        kept = {name: value for name, value in os.environ.items() if "NUMERAI" not in name}
        state = str(self.folder / "state")
        return {"DOCKER": "false", **kept, "XDG_STATE_HOME": state, **changes}

    def run(self, *options, **more):
        """Run the command; its exit code and output."""
        variables = self.environment(**more.pop("variables", {}))
        ended = subprocess.run(
            self.command(*options),
            capture_output=True,
            text=True,
            timeout=100,
            env=variables,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            **more,
        )
        lines = ended.stderr.splitlines()
        return SimpleNamespace(
            exit_code=ended.returncode,
            text=ended.stderr,
            lines=lines,
            last=lines[-1] if lines else "",
            stdout=ended.stdout,
        )

    def succeeds(self, *options, **more):
        ended = self.run(*options, **more)
        assert ended.exit_code == 0, ended.text
        return ended

    def fails(self, *options):
        """Run it in this process, where it must end before it runs a model."""
        with contextlib.redirect_stderr(io.StringIO()) as stderr:
            code = main(["train", str(self.config), *options])
        lines = stderr.getvalue().splitlines()
        evidence.record_output(stderr.getvalue())
        return SimpleNamespace(exit_code=code, text=stderr.getvalue(), last=lines[-1])

    def fails_as(self, verdict, *fragments, options=(), **more):
        """It ends with the verdict, logs the fragments, and leaves no bundle and no parts."""
        ended = self.run(*options, **more) if more else self.fails(*options)
        assert f"verdict  {verdict} (exit {ended.exit_code})" in ended.last, ended.text
        assert "Traceback" not in ended.text
        for fragment in fragments:
            assert fragment in ended.text
        assert not (self.output / "model.pkl").exists()
        assert self.leftovers() == []
        return ended

    def manifest(self):
        return json.loads((self.output / "manifest.json").read_bytes())

    def scores(self):
        return json.loads((self.output / "scores.json").read_bytes())

    def models(self):
        """The hash of each final model's bytes."""
        return [model["sha256"] for model in self.manifest()["models"]]

    def leftovers(self):
        """Names of files that should have been removed."""
        dot_files = self.output.rglob(".*") if self.output.exists() else []
        return sorted(path.name for path in dot_files if path.name != ".lock")
