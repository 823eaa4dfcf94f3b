"""Containers of models get the profile that allows namespaces where it replaces Docker's own."""

import json
from pathlib import Path

import pytest

from numerai_predict.contract.job import Job
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.pool.launch import WorkerSpec, worker_argv
from numerai_predict.runner.container.engine import Engine, batch_container, job_container
from numerai_predict.runner.container.seccomp_profile import model_profile

pytestmark = pytest.mark.process


@pytest.fixture
def engine(tmp_path):
    """An engine that reports these security options, and `None` for one that cannot."""

    def make(options):
        script = tmp_path / "engine"
        answer = "exit 125" if options is None else f"echo '{json.dumps(options)}'"
        script.write_text(f'#!/bin/sh\n[ "$1" = info ] && {answer}\n')
        script.chmod(0o755)
        return Engine(str(script))

    return make


@pytest.mark.parametrize("name", ["builtin", "default"])
def test_dockers_own_profile_is_replaced(engine, name):
    docker = engine(["name=apparmor", f"name=seccomp,profile={name}", "name=cgroupns"])
    profile = docker.seccomp_profile(Sandbox.AUTO)
    assert json.loads(Path(profile).read_text())["defaultAction"] == "SCMP_ACT_ERRNO"
    batch = batch_container("image", "name", [], profile)
    job = job_container("image", Job("m.pkl", "live", "benchmarks", Path("/out")), profile)
    for container in (batch, job):
        assert f"--security-opt seccomp={profile} " in " ".join(container.argv("docker"))


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["name=seccomp,profile=/etc/docker/own.json"], id="the administrator's"),
        pytest.param(["name=seccomp,profile=unconfined"], id="none in force"),
        pytest.param(["name=cgroupns"], id="a kernel without seccomp"),
        pytest.param([], id="nothing"),
        pytest.param(None, id="an engine without the question"),
    ],
)
def test_another_profile_stays(engine, options):
    assert engine(options).seccomp_profile(Sandbox.AUTO) is None


def test_an_engine_that_is_not_there_gets_none():
    assert model_profile("/nowhere/docker") is None


def test_without_the_sandbox_the_models_would_have_the_namespaces_themselves(engine):
    docker = engine(["name=seccomp,profile=builtin"])
    assert docker.seccomp_profile(Sandbox.REQUIRE) is not None
    assert docker.seccomp_profile(Sandbox.OFF) is None


@pytest.mark.parametrize(("sandbox", "has_namespaces"), [("auto", True), ("off", False)])
def test_the_root_of_a_worker_may_map_all_users_for_them(engine, tmp_path, sandbox, has_namespaces):
    docker = engine(["name=seccomp,profile=builtin"])
    environment, live = Environment("3.12", "slim", "image"), tmp_path / "live.parquet"
    spec = WorkerSpec(environment, tmp_path, live, None, 2, engine=docker.command)
    spec = WorkerSpec(**{**vars(spec), "sandbox": Sandbox(sandbox)})
    argv = " ".join(worker_argv(spec, "worker", tmp_path))
    assert ("--cap-add SETFCAP " in argv) == has_namespaces
    assert ("--security-opt seccomp=" in argv) == has_namespaces
    assert "--cap-drop ALL" in argv
