"""Logs the sandbox layers of a model process and enforces `--sandbox require`."""

from __future__ import annotations

from collections.abc import Mapping

from numerai_predict.contract.errors import SandboxUnavailable
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.runner.run_log import log_step
from numerai_predict.sandbox.layers import Layers

_EXPOSURE = {
    "runner": "read what the runner knows, credentials included",
    "limits": "use more resources than its limits allow",
    "user": "act with the rights of the user that runs this",
    "privileges": "gain privileges through programs that have them",
    "landlock": "read and write whatever its user can",
    "seccomp": "reach the network and other processes",
}


def report_layers(layers: Layers, mode: Sandbox) -> None:
    """Log every layer, with a warning for each one that is missing.

    Raises:
        SandboxUnavailable: `mode` requires all layers and one is missing.
    """
    if mode is Sandbox.OFF:
        log_step("warning", "the sandbox is off: the model can do whatever this user can")
        return
    for name, reason in layers.missing.items():
        exposure = _EXPOSURE[name]
        log_step(
            "warning", f"sandbox layer {name} is unavailable ({reason}): the model can {exposure}"
        )
    log_step("sandbox", ", ".join(layers.engaged))
    if layers.unavailable:
        log_step("sandbox", f"not available, and not required: {_by_reason(layers.unavailable)}")
    if "memory" in layers.engaged:
        log_step("sandbox", f"memory: {layers.engaged['memory']}")
    if mode is Sandbox.REQUIRE and layers.missing:
        found = "; ".join(f"{name}: {reason}" for name, reason in layers.missing.items())
        raise SandboxUnavailable(
            f"expected every layer of the sandbox, found these missing: {found}",
            "run on a machine or in a container that allows them, or with --sandbox auto",
        )


def _by_reason(unavailable: Mapping[str, str]) -> str:
    """The names of layers, with each reason once."""
    names: dict[str, list[str]] = {}
    for name, reason in unavailable.items():
        names.setdefault(reason, []).append(name)
    return "; ".join(f"{', '.join(each)} ({reason})" for reason, each in names.items())
