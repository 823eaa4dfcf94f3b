"""Record a real session in a terminal as an SVG, for the README and the documentation.

    python -m generate.recording

It makes a model, starts a practice tournament in a temporary directory, runs the commands and
writes what they print to docs/images/run.svg. Times and hashes differ from one recording to the
next, so that `make check` compares nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from generate.files import ROOT

TARGET = ROOT / "docs/images/run.svg"
COMMANDS = (
    "numerai-predict inspect my.pkl | head -n 5",
    "numerai-predict run my.pkl --no-container",
    "numerai-predict round my.pkl --model-name practice_one",
)
_BANNER = "<!-- Made by 'python -m generate.recording' from a real session: do not edit. -->"
_WIDTH = 118
_STYLES = {
    r"^\$ .*$": "bold white",
    r"^\d\d:\d\d:\d\d": "bright_black",
    r"(?<=^\d\d:\d\d:\d\d )\w+": "cyan",
    r"verdict  ok": "bold green",
}
_HOMES = ("CACHE", "CONFIG", "DATA", "STATE")
_MODEL = """
import cloudpickle

NAMES = [f"feature_sample_{number:04d}" for number in range(42)]


def predict(live_features):
    return live_features[NAMES].mean(axis=1).rank(pct=True).to_frame("prediction")


with open("my.pkl", "wb") as file:
    cloudpickle.dump(predict, file)
"""


def main() -> None:
    """Record the session."""
    with tempfile.TemporaryDirectory(prefix="numerai-", dir="/tmp") as directory:
        text = record(Path(directory))
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(as_svg(text))
    print(f"wrote {TARGET.relative_to(ROOT)}")


def record(directory: Path) -> str:
    """The commands and what they print, run in the directory, which is shown as `~`."""
    environment = home_environment(directory)
    subprocess.run([sys.executable, "-c", _MODEL], cwd=directory, env=environment, check=True)
    run_command("numerai-predict practice start --port 0", directory, environment)
    try:
        setup = 'eval "$(numerai-predict practice env)"'
        parts = [
            f"$ {command}\n{run_command(f'{setup}; {command}', directory, environment).strip()}\n"
            for command in COMMANDS
        ]
    finally:
        run_command("numerai-predict practice stop", directory, environment)
    return "\n".join(parts).replace(str(directory), "~")


def as_svg(text: str) -> str:
    """The text as a picture of a terminal; it loads no font."""
    console = Console(record=True, width=_WIDTH, file=open(os.devnull, "w"))  # noqa: SIM115
    shown = Text(text)
    for pattern, style in _STYLES.items():
        shown.highlight_regex(re.compile(pattern, re.MULTILINE), style)
    console.print(shown)
    template = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    template = re.sub(r"<!-- .*? -->", _BANNER, template, count=1)
    svg = console.export_svg(title="numerai-predict", code_format=template, unique_id="run")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def run_command(command: str, directory: Path, environment: dict[str, str]) -> str:
    """What the command prints, on both streams in order."""
    ended = subprocess.run(
        ["bash", "-euc", command],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return ended.stdout


def home_environment(directory: Path) -> dict[str, str]:
    """The programs of this Python, and a home in the directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUMERAI_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
    homes = {f"XDG_{kind}_HOME": str(directory / f".{kind.lower()}") for kind in _HOMES}
    return {**kept, **homes, "PATH": path, "HOME": str(directory), "COLUMNS": str(_WIDTH)}


if __name__ == "__main__":
    main()
