"""`numerai-predict`: one program for a data scientist's machine."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence

import numerai_predict

# Each command is a module of this room; only the one that is called is imported.
_COMMANDS = {
    "run": "run a model on this machine, on sample data unless told otherwise",
    "fleet": "run many models on warm workers, on one machine or many",
    "deliver": "upload again what a failed run saved",
    "inspect": "say which Python and packages a pickle needs, without unpickling it",
    "diagnose": "run a pickle over past eras and write a page about it",
    "data": "snapshots of the tournament's data; `data sample` makes some up",
    "train": "train models on the data, validate them, and bundle them as one pickle",
    "rounds": "list the tournament's rounds: which is open, until when",
    "round": "the whole of one round: wait, fetch, run, gate, submit, record",
    "submit": "submit predictions to the current round",
    "upload": "upload a pickle as hosted model, and wait for its validation",
    "status": "tell what the account's models have submitted and scored",
    "practice": "a tournament on this machine, to try everything without an account",
}

# The module of a command, where it has another name.
_MODULES = {"data": "dataset"}

# The extra of the package that a command needs, where it is not that of the tournament.
_EXTRAS = {"diagnose": "diagnostics", "fleet": "fleet", "train": "training"}

# What a command imports only once its work begins, for it takes seconds.
_LATE_IMPORTS = {
    "fleet": ("ray", "rich"),
    "train": ("lightgbm", "numerai_tools", "pydantic_settings", "yaml"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the first word names; its exit code, 2 for none such."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = words[0] if words else "--help"
    if name == "--version":
        print(f"numerai-predict {numerai_predict.__version__}")
        return 0
    if name in ("-h", "--help"):
        print(_help())
        return 0
    if name not in _COMMANDS:
        print(f"numerai-predict: no command {name!r}\n\n{_help()}", file=sys.stderr)
        return 2
    try:
        _require(_LATE_IMPORTS.get(name, ()))
        command = importlib.import_module(f"numerai_predict.cli.{_MODULES.get(name, name)}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("numerai_predict"):
            raise
        print(
            f"numerai-predict {name}: expected the package {error.name}, found none: "
            f"pip install 'numerai-predict[{_EXTRAS.get(name, 'tournament')}]', "
            "with Python 3.11 or later",
            file=sys.stderr,
        )
        return 2
    return int(command.main(words[1:]))


def _require(packages: Sequence[str]) -> None:
    """Raise as an import would where a package is missing."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)


def _help() -> str:
    lines = [f"  {name:8} {words}" for name, words in _COMMANDS.items()]
    return "\n".join(
        [
            "usage: numerai-predict COMMAND [OPTIONS]",
            "",
            "Run, check and ship pickled Numerai prediction functions.",
            "",
            *lines,
            "",
            "`numerai-predict COMMAND --help` tells its options.",
        ]
    )
