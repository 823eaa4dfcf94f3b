"""Take pictures of the pages of real runs, for the documentation.

    python -m generate.gallery

It runs a fleet of good and bad models and a diagnosis on sample data in a temporary directory, and
opens their pages in a headless Chromium. Times and hashes differ from one run to the next, so that
`make check` compares nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from generate.files import ROOT
from generate.recording import home_environment, run_command

TARGET = ROOT / "docs/images"
# Each picture: the page, the place in it, and the size of the screen.
PICTURES = {
    "fleet.png": ("fleet/fleet.html", (1280, 900)),
    "fleet-model.png": ("fleet/fleet.html#model=empty_0", (1280, 3250)),
    "fleet-phone.png": ("fleet/fleet.html", (500, 1000)),
    "diagnosis.png": ("report/diagnose.html", (1280, 1500)),
}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
_MODELS = """
import os

import cloudpickle

NAMES = [f"feature_sample_{number:04d}" for number in range(42)]


def good(live_features):
    return live_features[NAMES].mean(axis=1).rank(pct=True).to_frame("prediction")


def missing(live_features):
    return live_features[["feature_of_another_version"]].rank(pct=True)


def empty(live_features):
    return (live_features[NAMES].mean(axis=1) * float("nan")).to_frame("prediction")


def broken(live_features):
    return good(live_features) / 0 + 1 / 0


os.mkdir("models")
for model, count in ((good, 24), (missing, 3), (empty, 1), (broken, 2)):
    for number in range(count):
        with open(f"models/{model.__name__}_{number}.pkl", "wb") as file:
            cloudpickle.dump(model, file)
"""
_COMMANDS = (
    "numerai-predict data sample sample",
    "mkdir fleet report",
    "numerai-predict fleet run models --output-dir fleet --no-container --dataset "
    "sample/live.parquet --benchmarks sample/live_benchmark_models.parquet || [ $? = 1 ]",
    "numerai-predict diagnose models/good_0.pkl --validation sample --no-container --output-dir "
    "report",
)


def main() -> None:
    """Run the models and take the pictures."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        sys.exit(f"expected a browser, found none of {', '.join(_BROWSERS)}")
    with tempfile.TemporaryDirectory(prefix="numerai-", dir="/tmp") as name:
        directory = Path(name)
        environment = home_environment(directory)
        subprocess.run([sys.executable, "-c", _MODELS], cwd=directory, env=environment, check=True)
        for command in _COMMANDS:
            run_command(command, directory, environment)
        for picture, (page, size) in PICTURES.items():
            take(browser, directory, page, size, TARGET / picture)
            print(f"wrote {(TARGET / picture).relative_to(ROOT)}")


def take(browser: str, directory: Path, page: str, size: tuple[int, int], target: Path) -> None:
    """Take a picture of a page at a size of the screen."""
    path, _, fragment = page.partition("#")
    address = (directory / path).as_uri() + (f"#{fragment}" if fragment else "")
    subprocess.run(
        [
            browser,
            *_OPTIONS,
            f"--user-data-dir={directory / 'browser'}",
            f"--window-size={size[0]},{size[1]}",
            f"--screenshot={target}",
            address,
        ],
        check=True,
        capture_output=True,
    )


if __name__ == "__main__":
    main()
