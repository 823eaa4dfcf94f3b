"""The options of predict.py: as in users' scripts, and no secret is ever repeated."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from numerai_predict.contract.job import PresignedPost
from numerai_predict.contract.limits import Limits
from numerai_predict.runner.options import Defaults, parse_job


@pytest.fixture
def refuse(capsys):
    """Options that end with exit code 2; what is said of them."""

    def parse(*argv, model=True):
        with pytest.raises(SystemExit) as ended:
            parse_job([*(["--model", "m.pkl"] if model else []), *argv], {})
        assert ended.value.code == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert "SECRET" not in err
        assert "usage: predict.py" in err
        return err

    return parse


def test_the_defaults_are_those_of_hosted_models():
    job = parse_job(["--model", "m.pkl"], {})
    assert job.dataset == "v5.2/live.parquet"
    assert job.benchmarks == "v5.2/live_benchmark_models.parquet"
    assert job.output_dir == Path("/tmp")
    assert job.limits == Limits(4 * 1024**3, 600.0)
    assert (job.post, job.deadline, job.result, job.debug) == (None, None, None, False)


def test_the_version_of_the_data_can_be_set_by_the_environment():
    defaults = Defaults.hosted({"NUMERAI_DATASET_VERSION": "v6.0"})
    assert defaults.dataset == "v6.0/live.parquet"
    assert defaults.benchmarks == "v6.0/live_benchmark_models.parquet"
    assert Defaults.hosted({"NUMERAI_DATASET_VERSION": ""}) == Defaults.hosted({})
    job = parse_job(["--model", "m.pkl"], {"NUMERAI_DATASET_VERSION": "v6.0"})
    assert job.dataset == "v6.0/live.parquet"


def test_every_option_is_read():
    job = parse_job(
        [
            *("--model", "https://h/m.pkl?s", "--dataset", "d", "--benchmarks", "b"),
            *("--output_dir", "out", "--result", "r.json", "--debug"),
            *("--memory", "512m", "--timeout", "none", "--deadline", "9"),
            *("--post_url", "https://h/p", "--post_data", "a=1&b=+%2B"),
        ],
        {},
    )
    assert (job.model, job.dataset, job.benchmarks) == ("https://h/m.pkl?s", "d", "b")
    assert job.output_dir == Path.cwd() / "out"
    assert job.limits == Limits(512 * 1024**2, None)
    assert (job.deadline, job.result, job.debug) == (9.0, Path("r.json"), True)
    assert job.post == PresignedPost("https://h/p", (("a", "1"), ("b", " +")))


def test_predictions_for_a_bucket_are_saved_on_this_machine_first():
    job = parse_job(["--model", "m", "--output_dir", "s3://bucket/a"], {})
    assert (job.output_dir, job.output_url) == (Path(tempfile.gettempdir()), "s3://bucket/a")
    assert parse_job(["--model", "m", "--output_dir", ""], {}).output_dir == Path.cwd()


@pytest.mark.parametrize(
    ("environment", "cache"),
    [
        ({"XDG_CACHE_HOME": "/c"}, Path("/c/numerai-predict/datasets")),
        ({"NUMERAI_PREDICT_CACHE": "/d", "XDG_CACHE_HOME": "/c"}, Path("/d")),
        ({"NUMERAI_PREDICT_CACHE": "none"}, None),
    ],
)
def test_the_environment_names_the_directory_of_data_sets(environment, cache):
    assert parse_job(["--model", "m"], environment).dataset_folders.cache == cache


def test_an_empty_form_field_is_kept():
    argv = ["--model", "m", "--post_url", "http://h/p", "--post_data", "key=&acl=private"]
    assert parse_job(argv, {}).post.fields == (("key", ""), ("acl", "private"))


@pytest.mark.parametrize(
    "argv",
    [
        ["--post_dat=SECRET"],
        ["--post_dat", "SECRET"],
        ["--post-data=SECRET", "--post_url", "https://h/p"],
        ["SECRET"],
        ["--post_url", "https://h/SECRET"],
        ["--post_data", "SECRET=1"],
        ["--post_url", "https://h/p", "--post_data", "SECRET"],
        ["--post_url", "ftp://SECRET", "--post_data", "a=1"],
        ["--post_url", "SECRET", "--post_data", "a=1"],
        ["--post_url", "https://[::1/?SECRET", "--post_data", "a=1"],
        ["--model", "ftp://user:SECRET@h/m.pkl"],
    ],
    ids=" ".join,
)
def test_options_that_cannot_be_meant_are_refused_without_repeating_a_secret(refuse, argv):
    refuse(*argv)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--frobnicate"], "--frobnicate"),
        (["--mod", "x"], "--mod"),
        (["--post_url", "https://h/p"], "both or neither"),
        (["--post_data", "a=1"], "both or neither"),
        (["--memory", "lots"], "expected a size like 4g"),
        (["--memory", "0"], "expected a size like 4g"),
        (["--timeout", "-1"], "expected seconds"),
        (["--deadline", "nan"], "expected seconds"),
        (["--dataset", ""], "expected a file"),
        (["--output_dir", "https://h/x"], "expected a directory or s3://bucket/prefix"),
        (["--output_dir", "s3://"], "no name that a bucket can have"),
        (["--model", "s3://bucket"], "found no key"),
        (["--benchmarks", "gopher://h/b"], "gopher"),
        (["--result", "/no/such/folder/r.json"], "/no/such/folder"),
    ],
)
def test_a_bad_option_is_named(refuse, argv, words):
    assert words in refuse(*argv)


def test_a_model_is_required(refuse):
    assert "--model" in refuse(model=False)


def test_help_lists_every_option_of_the_contract(capsys):
    with pytest.raises(SystemExit) as ended:
        parse_job(["--help"], {})
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for option in ("model", "dataset", "benchmarks", "output_dir", "post_url", "post_data"):
        assert f"--{option}" in said
    for option in ("debug", "result", "memory", "timeout", "deadline"):
        assert f"--{option}" in said


@pytest.mark.process
def test_the_program_ends_with_2_and_one_line_on_bad_options(contract):
    ended = subprocess.run(
        [sys.executable, contract.root / "predict.py", "--model", "m", "--post_dat=SECRET"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "SECRET" not in ended.stderr
    assert "--post_dat" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("option", ["--timeout", "--memory", "--sandbox", "--deadline"])
def test_a_url_in_the_place_of_another_value_is_shown_without_its_query(refuse, option):
    message = refuse("--model", "m.pkl", option, "https://bucket/p?sig=SECRETOFTHISOPTION")
    assert "SECRET" not in message


def test_a_path_with_line_ends_and_control_codes_makes_one_printable_line(refuse, tmp_path):
    path = tmp_path / "\n12:00:00 verdict  ok\x1b[2J\udcff" / "record.json"
    message = refuse("--model", "m.pkl", "--result", str(path))
    assert r"\n12:00:00 verdict  ok\x1b[2J\udcff" in message.splitlines()[-1]
