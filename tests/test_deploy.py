"""The files in deploy/ are valid and restrict what they say that they restrict."""

import errno
import ipaddress
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema

from numerai_predict.runner.options import parse_job
from numerai_predict.sandbox import seccomp

DEPLOY = Path(__file__).parents[1] / "deploy"
PROFILE = json.loads((DEPLOY / "docker/seccomp.json").read_text())
COMPOSE = yaml.safe_load((DEPLOY / "docker/compose.yaml").read_text())
KUBERNETES = list(yaml.safe_load_all((DEPLOY / "kubernetes/predict-job.yaml").read_text()))
# What the supervisor needs to make the namespaces of the model.
FOR_NAMESPACES = {"mount", "mount_setattr", "pivot_root", "setns", "umount2"}


def allowed_calls():
    return {name for rule in PROFILE["syscalls"] for name in rule["names"]}


def objects(kind):
    return [part for part in KUBERNETES if part["kind"] == kind]


def pod_of_the_job():
    (job,) = objects("Job")
    return job["spec"]["template"]["spec"]


def test_the_profile_refuses_what_it_does_not_name():
    assert PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"
    assert {rule["action"] for rule in PROFILE["syscalls"]} == {"SCMP_ACT_ALLOW"}


def test_the_profile_allows_no_call_that_the_filter_of_models_denies_but_for_the_namespaces():
    rules = seccomp.rules(None, same_user=False, landlock_version=7, own=1)
    denied = {
        call
        for rule in rules
        if rule.error == errno.EPERM and not rule.conditions
        for call in rule.calls.split()
    }
    assert denied >= FOR_NAMESPACES
    assert denied & allowed_calls() == FOR_NAMESPACES


def test_the_profile_names_each_call_once():
    named = [name for rule in PROFILE["syscalls"] if "args" not in rule for name in rule["names"]]
    assert len(named) == len(set(named))


def test_the_compose_file_follows_the_specification_of_compose():
    jsonschema.validate(COMPOSE, get_builtin_schema("vendor.compose-spec"))


def test_the_compose_file_names_options_of_the_runner_and_the_profile(tmp_path):
    (service,) = COMPOSE["services"].values()
    outputs = ("/out/record.json", str(tmp_path / "record.json")), ("/out", str(tmp_path))
    argv = service["command"]
    for mounted, here in outputs:
        argv = [argument.replace(mounted, here) for argument in argv]
    job = parse_job(argv, {})
    assert job.limits.memory_bytes < 5 * 1024**3
    profile = [word for word in service["security_opt"] if word.startswith("seccomp=")]
    assert profile == ["seccomp=./seccomp.json"]


def test_the_compose_file_takes_the_names_of_the_models_python_image():
    (service,) = COMPOSE["services"].values()
    assert re.fullmatch(r"\$\{IMAGE:-numerai_predict_py_3_\d+:latest-slim\}", service["image"])


def test_the_job_runs_in_the_runtime_class_of_gvisor():
    (runtime,) = objects("RuntimeClass")
    assert runtime["handler"] == "runsc"
    assert pod_of_the_job()["runtimeClassName"] == runtime["metadata"]["name"]


def test_the_job_is_no_root_and_has_no_capabilities_and_no_credentials():
    pod = pod_of_the_job()
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    own = container["securityContext"]
    assert own["readOnlyRootFilesystem"] is True
    assert own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}


def test_the_job_names_options_of_the_runner_and_keys_of_its_secret():
    (container,) = pod_of_the_job()["containers"]
    (secret,) = objects("Secret")
    values = {}
    for variable in container["env"]:
        reference = variable["valueFrom"]["secretKeyRef"]
        assert reference["name"] == secret["metadata"]["name"]
        values[f"$({variable['name']})"] = secret["stringData"][reference["key"]]
    argv = [
        argument.replace(name, value)
        for argument in container["args"]
        for name, value in values.items()
        if name in argument
    ]
    argv += [argument for argument in container["args"] if "$(" not in argument]
    job = parse_job(argv, {})
    assert job.post is not None
    (real,) = objects("Job")
    assert job.deadline < real["spec"]["activeDeadlineSeconds"]


def test_the_job_mounts_every_path_that_a_run_writes():
    pod = pod_of_the_job()
    (container,) = pod["containers"]
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert set(mounted.values()) == {"/tmp", "/dev/shm"}
    assert {volume["name"] for volume in pod["volumes"]} == set(mounted)


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "192.168.1.1", "127.0.0.1"])
def test_the_network_policy_refuses_addresses_within_the_cluster(address):
    (policy,) = objects("NetworkPolicy")
    assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in policy["spec"]
    (block,) = [to["ipBlock"] for rule in policy["spec"]["egress"] for to in rule.get("to", ())]
    excepted = map(ipaddress.ip_network, block["except"])
    assert any(ipaddress.ip_address(address) in network for network in excepted)
    (job,) = objects("Job")
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
