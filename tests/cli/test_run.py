"""`numerai-predict run`: in the image that fits where an engine answers, else here."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from container_engine import write_engine

from numerai_predict.contract.record import EnvironmentFacts, Record
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.runner.options import Defaults, job_from_options, job_to_argv, predict_parser

ROOT = Path(__file__).parents[2]
PROGRAM = "from numerai_predict.cli.main import main; raise SystemExit(main())"
OWN = ROOT / "tests/models" / "py{}.{}".format(*sys.version_info) / "one_argument.pkl"
OTHER = ROOT / "tests/models/py3.10/one_argument.pkl"


@pytest.fixture
def run(clean_environment, tmp_path):
    def call(*words, docker="false"):
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, "run", *map(str, words)],
            env={**clean_environment, "DOCKER": str(docker), "XDG_CACHE_HOME": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return call


@pytest.fixture
def engine(tmp_path):
    """A container engine with the named images that records the containers it should run."""

    def make(*images):
        script = tmp_path / "docker"
        here = f'" {" ".join(images)} "'
        script.write_text(
            "#!/bin/sh\n"
            'case "$1 $2" in\n'
            '  "info ") exit 0 ;;\n'
            f'  "image inspect") case {here} in *" $3 "*) exit 0 ;; esac; exit 1 ;;\n'
            f'  run*) echo "$@" >>{tmp_path}/asked; exit 23 ;;\n'
            "esac\n"
        )
        script.chmod(0o755)
        return script

    return make


def test_without_an_engine_it_runs_here_and_shows_the_first_predictions(run, tmp_path):
    ended = run(OWN)
    assert ended.returncode == 0, ended.stderr
    assert "Running in the local Python" in ended.stderr
    assert "no container engine is available" in ended.stderr
    (csv,) = tmp_path.glob("live_predictions-*.csv")
    assert f"The first of 1,000 predictions in {csv}" in ended.stdout
    assert ended.stdout.count("\n  n") == 5
    table = ended.stdout.splitlines()[-6:]
    assert len({len(line) for line in table}) == 1, table  # the columns are aligned
    assert all(re.fullmatch(r"  n\w+ +[01]\.\d{6}", line) for line in table[1:]), table


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_the_caller_closed_do_not_change_the_verdict(
    clean_environment, sample, tmp_path, closed
):
    data = f"--dataset {sample}/live.parquet --benchmarks {sample}/live_benchmark_models.parquet"
    command = f"exec {sys.executable} -c '{PROGRAM}' run --no-container {OWN} {data} {closed}"
    ended = subprocess.run(
        ["bash", "-c", command], env=clean_environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(list(tmp_path.glob("live_predictions-*.csv"))) == 1


def test_an_output_directory_of_an_odd_name_holds_the_predictions(run, tmp_path, sample):
    folder = tmp_path / "a\nb\u202e\x1b[2J"
    folder.mkdir()
    data = ("--dataset", sample / "live.parquet")
    data += ("--benchmarks", sample / "live_benchmark_models.parquet")
    ended = run(OWN, *data, "--output_dir", folder)
    assert ended.returncode == 0, ended.stderr
    assert "The first of " in ended.stdout
    assert "\x1b" not in ended.stdout + ended.stderr
    assert len(list(folder.glob("live_predictions-*.csv"))) == 1


def test_a_limit_of_open_files_that_is_too_low_is_said(clean_environment, sample, tmp_path):
    data = f"--dataset {sample}/live.parquet --benchmarks {sample}/live_benchmark_models.parquet"
    command = f"ulimit -n 20; {sys.executable} -c '{PROGRAM}' run --no-container {OWN} {data}"
    ended = subprocess.run(
        ["bash", "-c", command], env=clean_environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 21
    assert "found a limit of 20 open files" in ended.stderr
    assert "ulimit -n" in ended.stderr.splitlines()[-1]


def test_sample_data_are_made_once(run):
    assert "Making sample data" in run(OWN).stderr
    assert "Making sample data" not in run(OWN).stderr


def test_it_ends_with_the_verdicts_exit_code_and_makes_no_data_that_it_does_not_need(
    run, tmp_path, sample
):
    data = ("--dataset", sample / "live.parquet")
    data += ("--benchmarks", sample / "live_benchmark_models.parquet")
    ended = run("gone.pkl", *data)
    assert ended.returncode == 10
    assert "model_unavailable" in ended.stderr.splitlines()[-1]
    assert ended.stdout == ""
    assert not (tmp_path / "numerai-predict").exists()


def test_the_pickle_may_be_given_as_model(run):
    assert run("--model", OWN).returncode == 0


def test_the_image_of_the_models_python_is_used_where_the_engine_has_it(run, engine, tmp_path):
    docker = engine("numerai_predict_py_3_10:latest-slim")
    ended = run(OTHER, docker=docker)
    assert "Running in the image numerai_predict_py_3_10:latest-slim" in ended.stderr
    assert ended.returncode == 23
    asked = (tmp_path / "asked").read_text()
    assert f"--user {os.getuid()}:{os.getgid()}" in asked
    assert f"--mount type=bind,source={OTHER},target={OTHER},readonly" in asked
    assert "--network none" in asked
    assert f"--model {OTHER}" in asked


def test_an_image_runs_this_version_of_the_package(run, engine, tmp_path):
    run(OTHER, docker=engine("numerai_predict_py_3_10:latest-slim"))
    asked = (tmp_path / "asked").read_text()
    package = ROOT / "numerai_predict"
    target = "/opt/numerai-predict/numerai_predict"
    assert f"--mount type=bind,source={package},target={target},readonly" in asked
    assert "--entrypoint python" in asked


def test_a_model_at_a_url_runs_in_the_image_of_its_python(run, engine, web, tmp_path):
    web.replies["/model.pkl"] = web.reply(OTHER.read_bytes())
    docker = engine("numerai_predict_py_3_10:latest-slim")
    ended = run(f"{web.url}/model.pkl?signature=SECRET", docker=docker)
    assert ended.returncode == 23
    asked = (tmp_path / "asked").read_text()
    (model,) = re.findall(r"--model (\S+)", asked)
    assert f"--mount type=bind,source={model},target={model},readonly" in asked
    assert "--network none" in asked
    assert f"--model-source {web.url}/model.pkl" in asked
    assert "SECRET" not in asked
    assert not Path(model).exists()


def test_the_record_of_a_fetched_model_names_its_url(run, web, tmp_path):
    web.replies["/model.pkl"] = web.reply(OWN.read_bytes())
    image = "numerai_predict_py_{}_{}:latest-slim".format(*sys.version_info)
    docker = write_engine(tmp_path / "engine", image)
    ended = run(f"{web.url}/model.pkl", "--result", tmp_path / "r.json", docker=docker)
    assert ended.returncode == 0, ended.stderr
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["model"]["source"] == f"{web.url}/model.pkl"
    assert f"fetch    model {web.url}/model.pkl" in ended.stderr


def test_a_url_without_a_model_has_a_record_too(run, engine, web, tmp_path):
    url = f"{web.url}/none.pkl"
    ended = run(url, "--result", tmp_path / "r.json", docker=engine())
    assert ended.returncode == 10
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["verdict"] == "model_unavailable"
    assert record["model"]["source"] == url


def test_a_run_that_is_terminated_ends_its_container(engine, clean_environment, tmp_path):
    docker = engine("numerai_predict_py_3_10:latest-slim")
    docker.write_text(
        docker.read_text().replace("exit 23", "exec sleep 60") + f'echo "$@" >>{tmp_path}/others\n'
    )
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "run", OTHER],
        env={**clean_environment, "DOCKER": str(docker), "XDG_CACHE_HOME": str(tmp_path)},
        cwd=tmp_path,
    )
    while not (tmp_path / "asked").exists():
        time.sleep(0.05)
    process.terminate()
    assert process.wait(30) == 143
    (name,) = re.findall(r"--name (\S+)", (tmp_path / "asked").read_text())
    assert f"kill {name}" in (tmp_path / "others").read_text()


def test_an_image_that_is_not_there_is_named_with_what_makes_it(run, engine):
    ended = run(OTHER, docker=engine())
    assert "Running in the local Python" in ended.stderr
    assert "`make build_slim_3_10` builds it" in ended.stderr
    assert ended.returncode == 12


@pytest.mark.parametrize("where", ["gone", "/proc"])
@pytest.mark.parametrize("place", ["container", "here"])
def test_an_output_directory_is_refused_before_anything_starts(run, engine, tmp_path, where, place):
    docker = engine("numerai_predict_py_3_10:latest-slim") if place == "container" else "false"
    ended = run(OTHER, "--output-dir", where, docker=docker)
    assert ended.returncode == 41
    (line,) = ended.stderr.splitlines()
    assert "verdict  save_failed (exit 41): expected " in line
    assert not (tmp_path / "asked").exists()


def test_a_check_saves_nothing_and_mounts_no_output_directory(run, engine, tmp_path):
    docker = engine("numerai_predict_py_3_10:latest-slim")
    run(OTHER, "--check", "--output-dir", "gone", docker=docker)
    asked = (tmp_path / "asked").read_text()
    assert "--check" in asked
    assert f"source={tmp_path / 'gone'}" not in asked


@pytest.fixture
def recording_engine(engine, tmp_path):
    """An engine whose containers end well and write a record."""
    record = Record(environment=EnvironmentFacts("3.10", None, "0"), message="delivered")
    (tmp_path / "written").write_text(record.concluded(Verdict.OK, "delivered", None).as_json())
    docker = engine("numerai_predict_py_3_10:latest-slim")
    write = f'[ "$1" = --result ] && cp {tmp_path}/written "$2"'
    docker.write_text(
        docker.read_text().replace("exit 23", f"while [ $# -gt 1 ]; do {write}; shift; done; exit")
    )
    return docker


def test_the_directory_of_a_record_is_not_mounted_into_the_container(
    run, recording_engine, tmp_path
):
    (tmp_path / "records").mkdir()
    record = tmp_path / "records" / "record.json"
    record.write_text("of an older run")
    ended = run(OTHER, "--result", record, docker=recording_engine)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(record.read_text())["message"] == "delivered"
    assert str(tmp_path / "records") not in (tmp_path / "asked").read_text()


def test_a_record_of_a_container_that_cannot_be_written_is_a_failure(
    run, recording_engine, tmp_path
):
    (tmp_path / "record.json").mkdir()
    ended = run(OTHER, "--result", "record.json", docker=recording_engine)
    assert ended.returncode == 41, ended.stderr
    assert "the result record could not be written" in ended.stderr


def test_a_record_in_a_directory_of_the_system_is_a_bad_command_line(run):
    ended = run(OTHER, "--result", "/proc/record.json")
    assert ended.returncode == 2
    assert "--result: expected a file in a directory of files" in ended.stderr


def test_a_bucket_gets_credentials_by_name_and_a_directory_of_this_machine_to_save_in_first(
    run, engine, tmp_path, clean_environment
):
    clean_environment["AWS_SECRET_ACCESS_KEY"] = "SECRETSECRET"
    python = "{}_{}".format(*sys.version_info)
    docker = engine(f"numerai_predict_py_{python}:latest-slim")
    run(OWN, "--output-dir", "s3://bucket/a", docker=docker)
    asked = (tmp_path / "asked").read_text()
    assert "--env AWS_SECRET_ACCESS_KEY " in asked
    assert "SECRETSECRET" not in asked
    assert "--network none" not in asked
    temporary = tmp_path / "temporary"
    assert f"--mount type=bind,source={temporary},target={temporary} " in asked
    assert f"--env TMPDIR={temporary} " in asked
    assert "--output_dir s3://bucket/a" in asked


def test_no_container_keeps_it_here(run, engine):
    ended = run(OTHER, "--no-container", docker=engine("numerai_predict_py_3_10:latest-slim"))
    assert "as requested by --no-container" in ended.stderr
    assert ended.returncode == 12


def test_the_words_for_a_container_ask_for_the_same_job(tmp_path):
    words = ["--model", "m.pkl", "--memory", "512m", "--timeout", "none", "--deadline", "9"]
    words += ["--post_url", "https://host/x", "--post_data", "a=1&b=c%26d", "--debug"]
    words += ["--result", str(tmp_path / "r.json"), "--output_dir", str(tmp_path)]
    parser = predict_parser(Defaults.hosted({}))
    job = job_from_options(parser, parser.parse_args(words))
    assert job_from_options(parser, parser.parse_args(job_to_argv(job))) == job
