"""`numerai-predict train`: its keys, its deadline, and what is wrong with a configuration."""

import signal
import time

import yaml

from numerai_predict.cli.main import main


def test_the_defaults_are_yaml_with_a_word_on_each_key(capsys):
    assert main(["train", "--print-defaults"]) == 0
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed)["lightgbm"]["num_leaves"] == 128
    assert "  # leaves per tree\n  num_leaves: 128\n" in printed


def test_a_configuration_that_is_missing_ends_with_its_verdict(capsys, tmp_path):
    assert main(["train", str(tmp_path / "none.yaml")]) == 90
    last = capsys.readouterr().err.splitlines()[-1]
    assert "verdict  bad_configuration (exit 90): expected a configuration at" in last
    assert "--print-defaults" in last


def test_every_mistake_has_a_line_of_its_own(capsys, tmp_path):
    config = tmp_path / "train.yaml"
    config.write_text("rounds: 0\nseed: [1]\n")
    assert main(["train", str(config)]) == 90
    said = capsys.readouterr().err
    assert "- rounds: input should be greater than or equal to 1, found 0" in said
    assert "- seed: expected a known key, found an unknown one" in said
    assert "found 2 mistake(s)" in said.splitlines()[-1]


def test_a_training_stops_at_its_deadline(monkeypatch, capfd):
    from numerai_predict.cli.commands import train

    def never_ends(settings, directory, **_):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            time.sleep(0.01)

    monkeypatch.setattr(train, "train", never_ends)
    started = time.monotonic()
    assert main(["train", "--deadline", "0.2"]) == 50
    assert time.monotonic() - started < 15
    assert "deadline (exit 50)" in capfd.readouterr().err.splitlines()[-1]
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
