"""The reference pages hold all that the code defines, and nothing of the machine that made them."""

import pytest

from generate.reference import commands, configuration, environment, exit_codes, record
from generate.reference.markdown import code, table
from numerai_predict.cli.command_table import COMMANDS
from numerai_predict.contract.environment_variables import VARIABLES
from numerai_predict.contract.verdicts import (
    ProcessExit,
    RegistryVerdict,
    TournamentVerdict,
    TrainingVerdict,
    Verdict,
)
from numerai_predict.training.config import TrainingConfig


def test_a_pipe_in_a_cell_does_not_end_the_cell():
    assert table(["a"], [["x|y"]]).splitlines()[-1] == r"| x\|y |"


def test_empty_text_has_no_code_marks():
    assert code("") == ""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_a_section(command):
    assert f"### {command.name}" in commands.commands_page()


def test_every_option_of_the_runner_is_on_its_page():
    page = commands.predict_page()
    for option in ("--model", "--output_dir", "--post_data", "--check", "--sandbox", "--version"):
        assert f"`{option}`" in page


def test_deprecated_spellings_name_what_replaces_them():
    assert "`--local`, use `--no-container`" in commands.commands_page()


def test_the_settings_of_the_machine_do_not_change_the_pages(monkeypatch):
    before = commands.commands_page(), commands.predict_page()
    monkeypatch.setenv("NUMERAI_DATASET_VERSION", "v9.9")
    monkeypatch.setenv("NUMERAI_DATA_DIR", "/elsewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    monkeypatch.setenv("COLUMNS", "40")
    assert (commands.commands_page(), commands.predict_page()) == before
    assert "/root" not in before[0] + before[1]


@pytest.mark.parametrize(
    "verdict",
    [*Verdict, *TournamentVerdict, *TrainingVerdict, *RegistryVerdict],
    ids=lambda verdict: verdict.word,
)
def test_every_verdict_has_a_row(verdict):
    assert f"| {verdict.exit_code} | `{verdict.word}` | {verdict.meaning} |" in exit_codes.page()


@pytest.mark.parametrize("ended", ProcessExit)
def test_every_exit_without_a_verdict_has_a_row(ended):
    assert f"| {ended.exit_code} | {ended.meaning} |" in exit_codes.page()


def test_every_exit_code_has_one_meaning():
    kinds = (Verdict, TournamentVerdict, TrainingVerdict, RegistryVerdict, ProcessExit)
    codes = [each.exit_code for kind in kinds for each in kind]
    assert len(codes) == len(set(codes))


def test_only_what_can_pass_by_itself_is_worth_another_attempt():
    rows = [line for line in exit_codes.page().splitlines() if line.endswith("| can help |")]
    assert [row.split(" | ")[0] for row in rows] == ["| 10", "| 15", "| 40", "| 50", "| 87"]


def test_every_key_of_the_configuration_has_a_row():
    page = configuration.page()
    for name in TrainingConfig.model_fields:
        assert f"| `{name}` |" in page or f"### {name}" in page
    assert "| `lightgbm.num_leaves` | integer from 2 to 131072 | `128` |" in page
    assert "| `NUMERAI_PUBLIC_ID` |" in page


def test_every_variable_has_a_row():
    page = environment.page()
    for variable in VARIABLES:
        assert f"| `{variable.name}` | {variable.meaning} | {variable.default} |" in page


def test_every_key_of_the_record_has_a_meaning():
    rows = [line for line in record.page().splitlines() if line.startswith("| `")]
    assert "| `predictions.std` | number or null |" in "\n".join(rows)
    assert all(len(row.split(" | ")) == 3 and row.endswith(". |") for row in rows)
