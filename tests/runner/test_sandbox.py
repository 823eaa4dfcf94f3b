"""The isolation layers of a run, as users choose them and find them in the log and the record."""

import contextlib
import socket
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest

from numerai_predict.sandbox import landlock
from numerai_predict.sandbox.namespaces import NAMESPACES

LAYERS = ["runner", "session", "descriptors", "environment", "memory", "limits", *NAMESPACES]
LAYERS += ["user", "privileges", "landlock", "seccomp"]
FULL = landlock.abi() > 0


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def test_every_layer_is_in_the_record_and_with_debug_in_the_log(run_model):
    run = run_model(ranks, "--debug")
    run.succeeds()
    assert set(run.record["sandbox"]) == set(LAYERS)
    assert all(run.record["sandbox"].values())
    lines = " ".join(line for line in run.lines if " sandbox " in line)
    assert all(f" {name}: " in lines for name in LAYERS)


def test_one_line_of_the_log_says_what_the_model_cannot_reach(run_model):
    (line,) = (line for line in run_model(ranks).lines if " sandbox " in line)
    assert "the model cannot reach credentials" in line


@pytest.mark.skipif(not FULL, reason="this kernel has no Landlock")
def test_all_of_them_can_be_required(run_model):
    run = run_model(ranks, "--sandbox", "require")
    run.succeeds()
    assert not any("missing" in words for words in run.record["sandbox"].values())


def test_where_one_is_missing_and_all_are_required_nothing_is_unpickled(run_model, without_seccomp):
    def predict(live_features):
        raise AssertionError("called")

    run = run_model(predict, "--sandbox", "require", wrapper=without_seccomp)
    run.fails_as("sandbox_unavailable", "missing", "seccomp", "--sandbox auto")
    assert run.record["model"]["arity"] is None


def test_a_missing_one_is_a_warning_and_the_run_continues(run_model, without_seccomp):
    run = run_model(ranks, wrapper=without_seccomp)
    run.succeeds()
    assert run.record["sandbox"]["seccomp"].startswith("missing: the kernel refused it")
    warning = "warning  the sandbox is incomplete, without seccomp: the model can reach the network"
    assert any(warning in line for line in run.lines), run.text


@pytest.fixture
def without_seccomp(tmp_path):
    """A wrapper that runs a command on a kernel that refuses filters: one more filter."""
    return kernel_that_denies(tmp_path, "bpf.SyscallRule('seccomp', 1)")


@pytest.fixture
def without_namespaces(tmp_path):
    """A wrapper that runs a command as Docker does: new namespaces are refused."""
    rule = "next(rule for rule in seccomp._RULES if rule.calls == 'clone')"
    return kernel_that_denies(tmp_path, rule)


def kernel_that_denies(folder, rule):
    script = folder / "with_a_filter.py"
    script.write_text(
        "import os, platform, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from numerai_predict.sandbox import bpf, capabilities, seccomp, syscall_numbers\n"
        "kind = syscall_numbers.architecture(platform.machine())\n"
        "capabilities.set_no_new_privs()\n"
        f"bpf.enforce(bpf.program([{rule}], kind), kind)\n"
        "os.execv(sys.argv[1], sys.argv[1:])\n"
    )
    return (sys.executable, str(script))


def test_switching_it_off_is_a_warning(run_model, tmp_path):
    beside = tmp_path / "beside.txt"
    beside.write_text("read")

    def predict(live_features):
        print(Path(path).read_text())
        return ranks(live_features)

    path = str(beside)
    run = run_model(predict, "--sandbox", "off")
    run.succeeds()
    assert run.model_lines == ["read"]
    assert any("the sandbox is off" in line for line in run.lines)
    assert not Path("/tmp/.scratch").is_symlink()
    for layer in (*NAMESPACES, "user", "privileges", "landlock", "seccomp"):
        assert run.record["sandbox"][layer] == "off"


def test_a_host_that_the_model_tried_to_reach_is_named(run_model):
    def predict(live_features):
        return urllib.request.urlopen("https://api.example.com/features?key=SECRET").read()

    run = run_model(predict).fails_as(
        "model_error",
        "the model tried to open a network connection to api.example.com:443",
        "models run without network",
        "into the pickle",
    )
    assert "SECRET" not in run.text


def test_a_host_is_named_where_the_model_swallows_the_error(run_model):
    def predict(live_features):
        try:
            socket.create_connection(("example.com", 80))
        except OSError:
            return

    run_model(predict).fails_as("invalid_predictions", "network connection to example.com:80")


def test_a_host_is_named_where_the_model_tries_for_ever(run_model):
    def predict(live_features):
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("example.com", 80))

    run_model(predict, "--timeout", "2").fails_as("timeout", "2 s", "example.com:80")


def test_a_model_that_does_without_the_network_is_not_blamed(run_model):
    def predict(live_features):
        try:
            socket.create_connection(("example.com", 80))
        except OSError:
            return ranks(live_features)

    run_model(predict).succeeds()


@pytest.mark.skipif(not FULL, reason="this kernel has no Landlock")
def test_a_file_that_the_model_may_not_open_is_named(run_model, tmp_path):
    def predict(live_features):
        return open(path).read()

    path = str(tmp_path / "weights.txt")
    Path(path).write_text("0.5")
    run_model(predict).fails_as(
        "model_error", "denied the model access to", path, "put what it reads into"
    )


def test_a_file_that_is_not_there_is_named(run_model):
    def predict(live_features):
        return open("weights.txt").read()

    run_model(predict).fails_as(
        "model_error", "weights.txt, which does not exist", "into the pickle"
    )


def test_the_scratch_directory_is_home_and_temporary_directory(run_model):
    def predict(live_features):
        import shutil

        own = Path.cwd()
        assert Path.home() == own == Path(tempfile.gettempdir()).resolve()
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "a").write_text("a")
            shutil.copy2(Path(folder, "a"), own / "b")
            (own / "b").replace(Path(folder, "c"))
        return ranks(live_features)

    run_model(predict).succeeds()


def test_sockets_fit_into_a_temporary_directory_with_a_long_path(
    run_model, clean_environment, tmp_path
):
    def predict(live_features):
        import multiprocessing

        with multiprocessing.Manager() as manager:
            manager.dict()["a"] = 1
        return ranks(live_features)

    directory = tmp_path / ("a" * 100)
    directory.mkdir()
    run = run_model(predict, environment={"TMPDIR": str(directory)})
    if run.record["sandbox"]["mount_namespace"].startswith("not available"):
        pytest.skip("without a mount namespace, such sockets are denied")
    run.succeeds()
    assert list(directory.iterdir()) == []


def test_processes_and_locks_of_the_models_own_work(run_model):
    def predict(live_features):
        import multiprocessing

        context = multiprocessing.get_context("fork")
        with context.Pool(2) as pool:
            assert sum(pool.map(abs, range(-9, 0))) == 45
        return ranks(live_features)

    run_model(predict).succeeds()


def test_data_that_only_root_may_read_is_given_to_the_model(run_model, sample, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    live = closed / "live.parquet"
    live.write_bytes((sample / "live.parquet").read_bytes())
    live.chmod(0o600)
    run_model(ranks, "--dataset", live).succeeds()


def test_a_model_by_way_of_a_link_is_read(run_model, pickle_model, tmp_path):
    (tmp_path / "link.pkl").symlink_to(pickle_model(ranks))
    run_model(tmp_path / "link.pkl").succeeds()


@pytest.mark.skipif(
    not 0 < landlock.abi() < 9, reason="Landlock restricts such sockets on this kernel"
)
def connects_to_itself(live_features):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("own")
        server.listen()
        client.connect("own")
    return ranks(live_features)


def test_without_namespaces_workers_that_use_sockets_fail_with_a_remedy(
    run_model, without_namespaces
):
    run_model(connects_to_itself, wrapper=without_namespaces).fails_as(
        "model_error", "denied a system call", "PermissionError", "listen", "n_jobs=1"
    )


def test_without_namespaces_a_path_below_tmp_is_named_with_the_alternative(
    run_model, without_namespaces
):
    def predict(live_features):
        Path("/tmp/model.txt").write_text("a")

    run_model(predict, wrapper=without_namespaces).fails_as(
        "model_error", "/tmp/model.txt", "PermissionError", "tempfile.gettempdir()"
    )


def test_without_namespaces_a_database_below_tmp_is_named_with_the_alternative(
    run_model, without_namespaces
):
    def predict(live_features):
        import sqlite3

        sqlite3.connect("/tmp/cache.db").execute("create table a (b int)")

    run_model(predict, wrapper=without_namespaces).fails_as(
        "model_error", "/tmp/cache.db", "unable to open database", "tempfile.gettempdir()"
    )


def test_a_database_in_a_directory_that_is_missing_is_named(run_model):
    def predict(live_features):
        import sqlite3

        sqlite3.connect("missing/cache.db")

    run_model(predict).fails_as("model_error", "missing/cache.db", "does not exist")


def test_without_namespaces_they_are_reported_and_not_required(run_model, without_namespaces):
    options = ("--sandbox", "require") if FULL else ()
    run = run_model(ranks, *options, "--debug", wrapper=without_namespaces)
    run.succeeds()
    for name in NAMESPACES:
        assert run.record["sandbox"][name].startswith("not available: the kernel refused it")
        assert f"sandbox  {name}: not available, and not required: the kernel" in run.text
    assert not any("warning" in line and "namespace" in line for line in run.lines)


def test_one_plain_line_says_what_the_model_cannot_reach(run_model, without_namespaces):
    run = run_model(ranks, wrapper=without_namespaces)
    run.succeeds()
    (line,) = (line for line in run.lines if " sandbox  " in line)
    assert "namespace" not in line
    if FULL:
        assert "cannot reach credentials, files other than its data or the network" in line
        assert "its processes cannot use sockets either" in line
