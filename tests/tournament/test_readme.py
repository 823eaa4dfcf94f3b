"""What README and deploy/ tell to type works as it stands there."""

import re
import subprocess
import time

import pytest


def test_the_first_tour_ends_with_a_validated_submission_in_two_minutes(
    contract, clean_environment, tmp_path
):
    if not (contract.root / ".venv/bin/activate").is_file():
        pytest.skip("needs the checkout's .venv (make setup)")
    readme = (contract.root / "README.md").read_text()
    tour = readme[readme.index("## A first tour") :]
    (block,) = re.findall(r"```sh\n(.*?)```", tour[: tour.index("\n## A model")], re.DOTALL)
    environment = {
        name: value for name, value in clean_environment.items() if name != "VIRTUAL_ENV"
    }
    homes = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("STATE", "DATA", "CONFIG")}
    started = time.monotonic()
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        capture_output=True,
        text=True,
        timeout=118,
        cwd=contract.root,
        env={**environment, **homes},
    )
    assert ended.returncode == 0, ended.stderr
    assert time.monotonic() - started < 120
    assert "submitted to round" in ended.stderr
    before, after = ended.stdout.split("practice_one\n")[1:]
    assert re.search(r"round \d+ .*\.csv", before)
    assert re.search(r"v2_corr20 [+-]0\.\d+, mmc [+-]0\.\d+, bmc [+-]0\.\d+", after)
    assert "stopped" in ended.stderr.splitlines()[-1]


def test_the_snippet_for_numerapi_lists_the_models(contract, practice, environment, tmp_path):
    readme = (contract.root / "README.md").read_text()
    (snippet,) = re.findall(r"```python\n(import os\nfrom numerapi.*?)```", readme, re.DOTALL)
    ended = subprocess.run(
        [contract.root / ".venv/bin/python", "-W", "ignore", "-c", snippet]
        if (contract.root / ".venv/bin/python").exists()
        else ["python", "-c", snippet],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        cwd=tmp_path,
    )
    assert "practice_one" in ended.stdout


def test_what_deploy_starts_has_only_options_that_there_are(contract, numerai):
    told = numerai("round", "--help").out
    files = [*(contract.root / "deploy").rglob("*"), *contract.root.glob(".github/*/submit.yml")]
    lines = [
        line
        for path in files
        if path.is_file()
        for line in path.read_text().splitlines()
        if "bin/numerai-predict round" in line
    ]
    assert len(lines) == 4
    for line in lines:
        for option in re.findall(r"(?<=\s)--[a-z-]+", line.partition("round ")[2]):
            assert option in told, line


def test_the_secrets_are_on_one_step_of_the_workflow(contract):
    text = (contract.root / ".github/workflows/submit.yml").read_text()
    steps = re.split(r"\n      - ", text)
    assert [index for index, step in enumerate(steps) if "secrets." in step] == [3]
    assert "numerai-predict round" in steps[3]


@pytest.mark.parametrize("word", ["gate_closed", "round_closed", "not_authorised"])
def test_the_readme_lists_the_verdicts(contract, word):
    from numerai_predict.contract.verdicts import TournamentVerdict

    readme = (contract.root / "README.md").read_text()
    for verdict in TournamentVerdict:
        assert f"| {verdict.exit_code} | `{verdict.word}` |" in readme
    assert word in readme
