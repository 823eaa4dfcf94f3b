"""Predictions are saved whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from numerai_predict.contract.errors import SaveFailed
from numerai_predict.runner.validation.prediction_validation import ValidatedPredictions
from numerai_predict.runner.validation.submission_file import (
    require_directory,
    save_predictions,
    write_remedy,
)


def save(directory, ids, values):
    predictions = ValidatedPredictions(tuple(ids), tuple(values), std=None, warnings=())
    return save_predictions(directory, predictions).path


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def test_a_missing_output_directory_is_known_before_the_model_runs(run_model, tmp_path):
    run = run_model(ranks, output=tmp_path / "gone")
    run.fails_as("save_failed", "gone", "create it", "--output_dir")
    assert run.record["model"]["source"] is None


def test_a_file_is_no_output_directory(run_model, tmp_path):
    (tmp_path / "file").write_text("mine")
    run_model(ranks, output=tmp_path / "file").fails_as("save_failed", "found a file", "choose")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_read_only_output_directory_is_known_before_the_model_runs(run_model, mounted, tmp_path):
    wrapper = mounted(tmp_path / "mounted", "ro")
    run = run_model(ranks, output=tmp_path / "mounted", wrapper=wrapper)
    run.fails_as("save_failed", "writable", "--output_dir")
    assert run.record["model"]["source"] is None


def test_the_remedy_for_a_read_only_mount_is_to_mount_it_writable(run_model, mounted, tmp_path):
    wrapper = mounted(tmp_path / "mounted", "ro")
    run = run_model(ranks, output=tmp_path / "mounted", wrapper=wrapper)
    run.fails_as("save_failed", "mount it writable")


def test_a_full_disk_leaves_nothing_half_written(run_model, mounted, tmp_path):
    wrapper = mounted(tmp_path / "mounted", "size=4k")
    run = run_model(ranks, output=tmp_path / "mounted", wrapper=wrapper)
    run.fails_as("save_failed", "No space left", "free some space")
    assert (tmp_path / "listing").read_text() == ""


def test_a_relative_output_directory_is_recorded_as_an_absolute_path(run_model, tmp_path):
    (tmp_path / "here").mkdir()
    run = run_model(ranks, "--output_dir", "here", output=tmp_path / "here")
    run.succeeds()
    assert run.record["predictions"]["path"].startswith(str(tmp_path / "here"))


def test_the_file_is_named_by_twelve_hexadecimal_digits(tmp_path):
    path = save(tmp_path, ["a"], [0.5])
    stem = path.name.removeprefix("live_predictions-").removesuffix(".csv")
    assert len(stem) == 12
    assert int(stem, 16) >= 0
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_values_are_written_so_that_they_are_read_back_exactly(tmp_path):
    values = [0.1, 1 / 3, 5e-324, 1.0, 0.30000000000000004]
    path = save(tmp_path, list("abcde"), values)
    header, *rows = path.read_text().splitlines()
    assert header == "id,prediction"
    assert [float(row.partition(",")[2]) for row in rows] == values


def test_ids_that_need_quotes_get_them(tmp_path):
    path = save(tmp_path, ['a,"b"'], [0.5])
    assert path.read_text() == 'id,prediction\n"a,""b""",0.5\n'


def test_a_directory_that_goes_away_is_a_failed_save(tmp_path):
    with pytest.raises(SaveFailed, match="No such file"):
        save(tmp_path / "gone", ["a"], [0.5])


def test_a_writable_directory_is_accepted(tmp_path):
    require_directory(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["/", "/proc", "/proc/self/cwd", "/sys/kernel", "/dev", "/dev/.."])
def test_a_directory_of_the_system_is_no_output_directory(path):
    with pytest.raises(SaveFailed, match="which is of the system"):
        require_directory(Path(path))


def test_a_link_to_a_directory_of_the_system_is_none_either(tmp_path):
    (tmp_path / "link").symlink_to("/proc")
    with pytest.raises(SaveFailed, match="which is of the system"):
        require_directory(tmp_path / "link")


def test_shared_memory_holds_files_like_any_directory():
    require_directory(Path("/dev/shm"))


def test_a_record_that_cannot_be_written_is_a_failed_save_of_saved_predictions(run_model, tmp_path):
    (tmp_path / "taken").mkdir()
    run = run_model(ranks, "--result", tmp_path / "taken")
    assert run.exit_code == 41
    assert "verdict  save_failed (exit 41)" in run.lines[-1]
    assert "--result" in run.lines[-1]
    assert str(run.predictions[0]) in run.lines[-1]
    assert run.leftovers == [run.predictions[0].name]


@pytest.mark.parametrize("name", ["pipe", "link"])
def test_a_pipe_is_no_record_and_stays_one(run_model, tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    run = run_model(ranks, "--result", tmp_path / name)
    assert run.exit_code == 2
    assert f"--result: expected a file, found a device, pipe or socket at {tmp_path}" in run.text
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "link").is_symlink()


def test_a_link_as_record_stays_a_link_and_its_file_gets_the_record(run_model, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "result.json").symlink_to("elsewhere/record.json")
    run = run_model(ranks)
    run.succeeds()
    assert (tmp_path / "result.json").is_symlink()
    assert run.record["verdict"] == "ok"
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["record.json"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, '--user "$(id -u):$(id -g)"), or choose another --result'),
        (errno.EROFS, "without --read-only, or with --tmpfs /tmp), or choose another --result"),
        (errno.ENOSPC, "free some space there, or choose another --result"),
        (errno.EIO, "choose another --result"),
        (None, "choose another --result"),
    ],
)
def test_the_remedy_of_a_file_that_cannot_be_written_fits_the_cause(number, said):
    assert write_remedy(number, "--result").endswith(said)
