"""The layers that options of `docker run` allow are those that the documentation says."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from numerai_predict.sandbox.namespaces import NAMESPACES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/run-in-a-container.md"
COMPOSE = ROOT / "deploy/docker/compose.yaml"
JOB = ROOT / "deploy/kubernetes/predict-job.yaml"
PROFILE = ROOT / "deploy/docker/seccomp.json"
# What the options decide does not depend on the Python: one image represents all.
MEASURED_IN = "3.12-slim"

pytestmark = pytest.mark.timeout(300)


def documented():
    """The rows of the table: options, and the namespaces that they allow."""
    text = PAGE.read_text().partition("measured by tests/images/test_container_options.py -->\n")[2]
    for line in text.split("\n\n")[0].splitlines()[2:]:
        options, layers = (cell.strip() for cell in line.strip("|").split("|"))
        words = [] if options == "none" else shlex.split(options.strip("`"))
        names = set() if layers == "none" else set(layers.lower().split(", "))
        yield pytest.param(words, {f"{name}_namespace" for name in names}, id=options.strip("`"))


@pytest.fixture
def engaged(predict, image, example, output):
    """Run the example with options of `docker run`; the sandbox of its record."""
    if f"{image.version}-{image.flavour}" != MEASURED_IN:
        pytest.skip(f"the options are measured in {MEASURED_IN}")

    def run(options, *arguments):
        record = output / "record.json"
        here = [word.replace("seccomp=deploy", f"seccomp={ROOT}/deploy") for word in options]
        if "--network" not in here:
            here += ["--network", "none"]
        ended = predict(example("one_argument"), "--result", record, *arguments, options=here)
        assert ended.returncode == 0, ended.stderr
        layers = json.loads(record.read_text())["sandbox"]
        return {name for name, status in layers.items() if not status.startswith(("not a", "miss"))}

    return run


def test_the_documentation_has_a_row_with_every_namespace_and_one_with_none():
    rows = [parameters.values[1] for parameters in documented()]
    assert set() in rows
    assert set(NAMESPACES) in rows


@pytest.mark.parametrize(("options", "expected"), list(documented()))
def test_the_documented_options_allow_the_documented_namespaces(engaged, options, expected):
    assert engaged(options) & set(NAMESPACES) == expected


def test_the_compose_file_gives_a_run_every_layer(engaged):
    (service,) = yaml.safe_load(COMPOSE.read_text())["services"].values()
    layers = engaged(as_options(service), "--sandbox", "require")
    assert layers >= {*NAMESPACES, "user", "privileges", "landlock", "seccomp", "limits"}


def as_options(service):
    """The options of `docker run` that mean the same as a service of a compose file.

    The test mounts its own files and gives the command; every other key must be known here.
    """
    keys = dict(service)
    for name in ("image", "command", "volumes"):
        del keys[name]
    options = ["--user", re.sub(r"\$\{\w+:-(\d+)\}", r"\1", keys.pop("user"))]
    options += ["--network", keys.pop("network_mode")]
    options += ["--read-only"] if keys.pop("read_only") else []
    for name, option in (("tmpfs", "--tmpfs"), ("cap_drop", "--cap-drop")):
        options += [word for value in keys.pop(name) for word in (option, value)]
    for value in keys.pop("security_opt"):
        found = value.replace("seccomp=./", f"seccomp={COMPOSE.parent}/")
        options += ["--security-opt", found]
    options += ["--cpus", str(keys.pop("cpus")), "--memory", keys.pop("mem_limit")]
    options += ["--pids-limit", str(keys.pop("pids_limit"))]
    assert keys == {}
    return options


def test_a_run_works_with_the_restrictions_of_the_kubernetes_job(engaged):
    (job,) = (part for part in yaml.safe_load_all(JOB.read_text()) if part["kind"] == "Job")
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    user, own = pod["securityContext"], container["securityContext"]
    options = ["--user", f"{user['runAsUser']}:{user['runAsGroup']}"]
    options += ["--read-only"] if own["readOnlyRootFilesystem"] else []
    options += [word for name in own["capabilities"]["drop"] for word in ("--cap-drop", name)]
    options += ["--tmpfs", "/tmp:mode=1777", "--shm-size", "256m", "--memory", "5g", "--cpus", "1"]
    options += [] if own["allowPrivilegeEscalation"] else ["--security-opt", "no-new-privileges"]
    layers = engaged(options, "--deadline", "100")
    assert layers >= {"user", "privileges", "landlock", "seccomp", "limits"}


def test_within_the_profile_libraries_work_and_refused_calls_fail(image):
    if f"{image.version}-{image.flavour}" != MEASURED_IN:
        pytest.skip(f"the profile is tested in {MEASURED_IN}")
    program = (
        "import ctypes, errno, lightgbm, xgboost, catboost, sklearn, polars, numba, onnx\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "import numpy as np\n"
        "assert numba.njit(lambda x: x + 1)(1) == 2\n"
        "data, target = np.random.rand(500, 4), np.random.rand(500)\n"
        "for kind in (lightgbm.LGBMRegressor, xgboost.XGBRegressor):\n"
        "    kind(n_estimators=3).fit(data, target).predict(data)\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "for number in (101, 248, 304, 321, 323, 425, 272):\n"  # ptrace, add_key, ... unshare
        "    assert libc.syscall(number, 0, 0, 0, 0, 0) == -1, number\n"
        "    assert ctypes.get_errno() == errno.EPERM, (number, ctypes.get_errno())\n"
    )
    options = ("--security-opt", f"seccomp={PROFILE}", "--cap-drop", "ALL")
    options += ("--security-opt", "systempaths=unconfined", "--read-only", "--tmpfs", "/tmp")
    ran = image.run("-c", program, options=options)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("options", "arguments", "code", "said"),
    [
        (["--read-only"], ["--output_dir", "/tmp"], 41, "with --read-only add --tmpfs /tmp"),
        (["--read-only"], [], 41, "in a container with --read-only add --tmpfs /tmp"),
        (["--read-only"], ["--check"], 41, "in a container with --read-only add --tmpfs /tmp"),
        (
            ["--read-only", "-e", "TMPDIR=/no"],
            [],
            41,
            "may not write to TMPDIR (/no), /tmp",
        ),
        (["--pids-limit", "1"], [], 21, "a limit of 1 processes and threads, of which 1 are in"),
        (["--pids-limit", "3"], [], 21, "raise the limit: of a container with --pids-limit 256"),
        (["--pids-limit", "7"], [], 21, "expected to start the model process, found a limit of 7"),
        ([], ["--output_dir", "/tmp"], 0, ", inside the container: to keep the file, mount a "),
        (["--read-only", "--tmpfs", "/tmp"], ["--output_dir", "/tmp"], 0, ", inside the container"),
        (["--user", "12345:12345"], ["--output_dir", "/root"], 41, '--user "$(id -u):$(id -g)"'),
    ],
    ids=str,
)
def test_what_a_container_lacks_is_named(predict, image, example, options, arguments, code, said):
    if f"{image.version}-{image.flavour}" != MEASURED_IN:
        pytest.skip(f"the options are measured in {MEASURED_IN}")
    ended = predict(example("one_argument"), *arguments, options=["--network", "none", *options])
    assert ended.returncode == code, ended.stderr
    assert said in ended.stderr.splitlines()[-1]


def test_a_file_in_a_mounted_directory_is_not_called_inside(predict, image, example):
    ended = predict(example("one_argument"))
    assert ended.returncode == 0, ended.stderr
    assert "inside the container" not in ended.stderr
