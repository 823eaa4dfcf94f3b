"""The reference pages of the documentation, generated from the code."""

from __future__ import annotations

from pathlib import Path

from generate.reference import commands, configuration, environment, exit_codes, record

FOLDER = Path("docs/reference")


def reference_files(root: Path) -> dict[Path, str]:
    """Every reference page with the text that it should have."""
    folder = root / FOLDER
    return {
        folder / "commands.md": commands.commands_page(),
        folder / "predict-py.md": commands.predict_page(),
        folder / "exit-codes.md": exit_codes.page(),
        folder / "environment-variables.md": environment.page(),
        folder / "configuration.md": configuration.page(),
        folder / "result-record.md": record.page(),
        folder / "result-record.schema.json": record.schema(),
    }
