"""All commands: name, summary, place in the help, what they need; their code is imported late."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from dataclasses import dataclass

from numerai_predict.cli.exit_codes import MissingExtra
from numerai_predict.runner.option_parser import OptionParser


@dataclass(frozen=True)
class Command:
    """A command: its options are in `cli/parsers/MODULE.py`, its work in `cli/commands/MODULE.py`.

    `extra` is the extra of the package that it needs, `packages` those of the extra that the
    command imports only after its start. A command that has a live display of its own has
    `logs_steps` false.
    """

    name: str
    group: str
    summary: str
    extra: str | None = None
    packages: tuple[str, ...] = ()
    module_name: str | None = None
    logs_steps: bool = True

    def add_options(self, parser: OptionParser) -> None:
        """Add the command's options, or the parsers of its sub-commands."""
        parser.set_defaults(command=self)
        importlib.import_module(f"numerai_predict.cli.parsers.{self._module}").add_options(parser)

    def run(self, options: argparse.Namespace) -> str | int:
        """Run the command: the message of success, or the exit code.

        Raises:
            MissingExtra: a package of the extra is not installed.
        """
        try:
            for package in self.packages:
                _require(package)
            module = importlib.import_module(f"numerai_predict.cli.commands.{self._module}")
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package == "numerai_predict":
                raise
            raise MissingExtra(package, self.extra) from error
        ended: str | int = module.run(options)
        return ended

    @property
    def _module(self) -> str:
        return self.module_name or self.name


COMMANDS = (
    Command("run", "models", "run a model on this machine, by default on sample data"),
    Command("inspect", "models", "show which Python and packages a pickle needs"),
    Command("diagnose", "models", "score a model on past eras and write a report", "diagnostics"),
    Command(
        "compare",
        "models",
        "compare two models on the same past eras",
        "diagnostics",
    ),
    Command(
        "train",
        "models",
        "train, validate and bundle models as one pickle",
        extra="training",
        packages=("lightgbm", "numerai_tools", "pydantic_settings", "yaml"),
    ),
    Command(
        "fleet",
        "models",
        "run many models with workers that preload libraries, on one machine or many",
        extra="fleet",
        packages=("ray", "rich"),
        logs_steps=False,
    ),
    Command(
        "registry",
        "models",
        "keep versions of models by name; promote one and roll back",
        extra="tournament",
    ),
    Command("deliver", "models", "deliver the saved predictions of a run again"),
    Command(
        "data", "data", "fetch, list and verify data sets; write samples", module_name="dataset"
    ),
    Command("rounds", "tournament", "list rounds: which is open, and until when"),
    Command(
        "round",
        "tournament",
        "run a whole round: wait, fetch, run, validate, submit",
        extra="tournament",
    ),
    Command("submit", "tournament", "submit predictions to the current round", "tournament"),
    Command("upload", "tournament", "upload a pickle as a hosted model", "tournament"),
    Command("status", "tournament", "show submissions and scores of your models", "tournament"),
    Command("practice", "tournament", "run a local practice tournament, without an account"),
    Command("completion", "shell", "print a completion script for bash, zsh or fish", "cli"),
)


def _require(package: str) -> None:
    """Raise as an import would where a package is missing, without the time of an import."""
    if importlib.util.find_spec(package) is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
