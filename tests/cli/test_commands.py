"""`numerai-predict`: every command does what it says and ends with a code that tells."""

import subprocess
import sys

import pytest

import numerai_predict
from numerai_predict.cli.main import main
from numerai_predict.data.synthetic import FILES


def ranks(live_features, live_benchmark_models):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


PROGRAM = "from numerai_predict.cli.main import main; raise SystemExit(main())"
SHAPE = ("--live_rows", "5", "--rows", "5", "--train_eras", "1", "--validation_eras", "1")


def test_without_a_command_it_tells_what_there_is(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    assert "usage: numerai-predict" in said
    assert "run" in said
    assert "data" in said


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_is_the_same(capsys, word):
    assert main([word]) == 0
    assert "usage: numerai-predict" in capsys.readouterr().out


def test_the_version_is_the_packages(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"numerai-predict {numerai_predict.__version__}\n"


def test_an_unknown_command_is_named(capsys):
    assert main(["fly"]) == 2
    said = capsys.readouterr()
    assert "no command 'fly'" in said.err
    assert said.out == ""


@pytest.mark.parametrize("argv", [["run"], ["data"], ["data", "sample"], ["data", "fly"]])
def test_a_command_without_what_it_needs_ends_with_2(argv):
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2


@pytest.mark.parametrize("argv", [["run", "--help"], ["data", "--help"], ["data", "sample", "-h"]])
def test_every_command_has_help(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 0
    assert f"usage: numerai-predict {argv[0]}" in capsys.readouterr().out


def test_data_sample_writes_a_sample(tmp_path, capsys):
    assert main(["data", "sample", str(tmp_path / "s"), *SHAPE, "--features", "42"]) == 0
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == sorted(FILES)
    assert str(tmp_path / "s") in capsys.readouterr().out


def test_data_sample_refuses_a_shape_that_cannot_be(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["data", "sample", str(tmp_path / "s"), "--features", "3"])
    assert ended.value.code == 2
    assert "expected at least 42 features, found 3" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_data_sample_does_not_replace_somebody_elses_files(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine")
    assert main(["data", "sample", str(tmp_path), *SHAPE]) == 1
    said = capsys.readouterr().err
    assert "thesis.txt" in said
    assert "choose another directory" in said


@pytest.fixture
def run_command(clean_environment, tmp_path):
    """`numerai-predict run` in a folder of its own, with a cache of its own."""

    def run(*options):
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, "run", *map(str, options)],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            env={**clean_environment, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        )

    return run


def test_run_makes_sample_data_once_and_shows_predictions(run_command, pickle_model, tmp_path):
    model = pickle_model(ranks)
    first = run_command("--model", model)
    assert first.returncode == 0, first.stderr
    assert "Making sample data" in first.stderr
    assert "The first of 1,000 predictions" in first.stdout
    assert len(first.stdout.strip().splitlines()) == 2 + 6
    assert len(list(tmp_path.glob("live_predictions-*.csv"))) == 1
    again = run_command("--model", model)
    assert again.returncode == 0
    assert "Making sample data" not in again.stderr


def test_run_ends_with_the_verdicts_exit_code_and_makes_no_data_that_it_does_not_need(
    run_command, tmp_path, sample
):
    data = ("--dataset", sample / "live.parquet")
    data += ("--benchmarks", sample / "live_benchmark_models.parquet")
    ended = run_command("--model", "gone.pkl", *data)
    assert ended.returncode == 10
    assert "model_unavailable" in ended.stderr.splitlines()[-1]
    assert ended.stdout == ""
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("command", "package", "extra"),
    [
        ("status", "pydantic_settings", "tournament"),
        ("diagnose", "jinja2", "diagnostics"),
        ("train", "lightgbm", "training"),
        ("train", "pydantic_settings", "training"),
        ("fleet", "ray", "fleet"),
    ],
)
def test_a_command_whose_extra_is_not_installed_names_it(
    command, package, extra, clean_environment, tmp_path
):
    program = f"import sys; sys.modules[{package!r}] = None; {PROGRAM}"
    ended = subprocess.run(
        [sys.executable, "-c", program, command],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env=clean_environment,
    )
    assert ended.returncode == 2
    assert f"expected the package {package}, found none" in ended.stderr
    assert f"numerai-predict[{extra}]" in ended.stderr
    assert "Traceback" not in ended.stderr
