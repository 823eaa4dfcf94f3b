"""Every alias works; every deprecated spelling works too and warns once on standard error."""

import pytest

from numerai_predict.cli.main import build_parser

KEPT = [
    ("run --model m.pkl", "run --model m.pkl"),
    ("run m.pkl --output_dir out", "run m.pkl --output-dir out"),
    ("run m.pkl --post_url u --post_data d", "run m.pkl --post-url u --post-data d"),
    ("deliver f --output_dir out", "deliver f --output-dir out"),
    ("deliver f --post_url=u --post_data=d", "deliver f --post-url u --post-data d"),
    ("diagnose m.pkl --output_dir out", "diagnose m.pkl --output-dir out"),
    ("fleet run m --output_dir out", "fleet run m --output-dir out"),
]
DEPRECATED = [
    ("inspect --model m.pkl", "inspect m.pkl", "numerai-predict inspect PICKLE"),
    ("inspect --model=m.pkl", "inspect m.pkl", "numerai-predict inspect PICKLE"),
    ("round m.pkl --model name", "round m.pkl --model-name name", "--model-name"),
    ("round m.pkl --model=name", "round m.pkl --model-name name", "--model-name"),
    ("submit f --model name", "submit f --model-name name", "--model-name"),
    ("upload m.pkl --model name", "upload m.pkl --model-name name", "--model-name"),
    ("status --model name", "status --model-name name", "--model-name"),
    ("practice start --model a", "practice start --model-name a", "--model-name"),
    ("diagnose m.pkl --benchmark b", "diagnose m.pkl --benchmark-model b", "--benchmark-model"),
    ("data get --version v5.3", "data get --data-version v5.3", "--data-version"),
    ("data list --version=v5.3", "data list --data-version v5.3", "--data-version"),
    ("diagnose m.pkl --version v5.3", "diagnose m.pkl --data-version v5.3", "--data-version"),
    ("round m --model-name n --version v", "round m --model-name n --data-version v", "-version"),
    ("submit f --model-name n --version v", "submit f --model-name n --data-version v", "-version"),
    ("data get --directory d", "data get --data-dir d", "--data-dir"),
    ("data list --directory d", "data list --data-dir d", "--data-dir"),
    ("data verify --directory d", "data verify --data-dir d", "--data-dir"),
    ("diagnose m.pkl --directory d", "diagnose m.pkl --data-dir d", "--data-dir"),
    ("round m --model-name n --directory d", "round m --model-name n --data-dir d", "--data-dir"),
    ("submit f --model-name n --directory d", "submit f --model-name n --data-dir d", "--data-dir"),
    ("run m.pkl --local", "run m.pkl --no-container", "--no-container"),
    ("run --local m.pkl", "run --no-container m.pkl", "--no-container"),
    ("run m.pkl --build", "run m.pkl --build-image", "--build-image"),
    ("diagnose m.pkl --local", "diagnose m.pkl --no-container", "--no-container"),
    ("fleet run m --output-dir o --local", "fleet run m --output-dir o --no-container", "--no-con"),
    ("data list --local", "data list --offline", "--offline"),
    (
        "fleet run m --output-dir o --workers 2",
        "fleet run m --output-dir o --concurrency 2",
        "--co",
    ),
    (
        "fleet run m --output-dir o --models_a_worker 9",
        "fleet run m --output-dir o --models-per-worker 9",
        "--models-per-worker",
    ),
    (
        "fleet run m --output-dir o --address auto",
        "fleet run m --output-dir o --ray-address auto",
        "--ray-address",
    ),
    ("data get --force live", "data get --refetch live", "--refetch"),
    (
        "upload m.pkl --model-name n --force",
        "upload m.pkl --model-name n --ignore-inspection",
        "--ignore-inspection",
    ),
    ("round m --model-name n --late", "round m --model-name n --allow-late", "--allow-late"),
    ("submit f --model-name n --late", "submit f --model-name n --allow-late", "--allow-late"),
    ("diagnose m.pkl --features f", "diagnose m.pkl --features-file f", "--features-file"),
    ("diagnose m.pkl --fnc none", "diagnose m.pkl --fnc-features none", "--fnc-features"),
    ("diagnose m.pkl --meta_model f", "diagnose m.pkl --meta-model f", "--meta-model"),
    ("data sample d --features 50", "data sample d --feature-count 50", "--feature-count"),
    ("data sample d --live_rows 5", "data sample d --live-rows 5", "--live-rows"),
    ("data sample d --train_eras 5", "data sample d --train-eras 5", "--train-eras"),
    (
        "data sample d --validation_eras 5",
        "data sample d --validation-eras 5",
        "--validation-eras",
    ),
    ("practice start --features 50", "practice start --feature-count 50", "--feature-count"),
    ("practice start --live_rows 5", "practice start --live-rows 5", "--live-rows"),
    ("practice start --train_eras 5", "practice start --train-eras 5", "--train-eras"),
    (
        "practice start --validation_eras 5",
        "practice start --validation-eras 5",
        "--validation-eras",
    ),
    ("practice fault slow --place data", "practice fault slow --endpoint data", "--endpoint"),
    ("practice fault slow --seconds 1", "practice fault slow --delay 1", "--delay"),
    *(
        (
            f"practice {name} --directory d",
            f"practice {name} --state-dir d",
            "--state-dir",
        )
        for name in ("start", "stop", "status", "env", "clock --open", "fault off")
    ),
    ("status --keys k", "status --keys-file k", "--keys-file"),
    ("round m --model-name n --keys k", "round m --model-name n --keys-file k", "--keys-file"),
    ("submit f --model-name n --keys k", "submit f --model-name n --keys-file k", "--keys-file"),
    ("upload m --model-name n --keys k", "upload m --model-name n --keys-file k", "--keys-file"),
    ("train --defaults", "train --print-defaults", "--print-defaults"),
]


def parsed(words):
    options = vars(build_parser(lazy=True).parse(words.split()))
    del options["parser"]
    return options


@pytest.mark.parametrize(("alias", "words"), KEPT)
def test_a_kept_alias_works_without_a_warning(capsys, alias, words):
    assert parsed(alias) == parsed(words)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("deprecated", "words", "suggestion"), DEPRECATED)
def test_a_deprecated_spelling_works_and_names_the_new_one(capsys, deprecated, words, suggestion):
    expected = parsed(words)
    assert capsys.readouterr().err == ""
    assert parsed(deprecated) == expected
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert " is deprecated: " in line
    assert suggestion in line.partition(" is deprecated: ")[2]


def test_a_repeated_deprecated_spelling_warns_once(capsys):
    options = parsed("practice start --model a --model b")
    assert options["model_name"] == ["a", "b"]
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_version_without_a_value_is_the_programs(capsys):
    with pytest.raises(SystemExit) as ended:
        parsed("data list --version")
    assert ended.value.code == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "deadline"),
    [
        ("run m", None),
        ("fleet run m --output-dir o", None),
        ("deliver f", None),
        ("diagnose m", None),
        ("train", None),
        ("rounds", 60),
        ("status", 60),
        ("data list", 60),
        ("practice start", 120),
        ("submit f --model-name n", 600),
        ("upload m --model-name n", 1800),
        ("round m --model-name n", 3300),
        ("data get", 7200),
    ],
)
def test_every_command_that_waits_has_a_deadline(words, deadline):
    assert parsed(words)["deadline"] == deadline
    assert parsed(f"{words} --deadline 5")["deadline"] == 5
    assert parsed(f"{words} --deadline none")["deadline"] is None
