"""What stands between the model and the machine, as it is told to the user."""

from __future__ import annotations

from numerai_predict.contract.errors import SandboxUnavailable
from numerai_predict.contract.record import Record
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.runner.run_log import log_step
from numerai_predict.sandbox.layers import Layers

_WITHOUT = {
    "runner": "it may read what the runner knows, credentials included",
    "limits": "it may use more than is good for the machine",
    "user": "it has the rights of the user that runs this",
    "privileges": "it may gain privileges by programs that have them",
    "landlock": "it may read and write what its user can",
    "seccomp": "it may reach the network and other processes",
}


def report_layers(layers: Layers, mode: Sandbox, record: Record) -> None:
    """Put every layer into the record, and say loudly which one is missing.

    Raises:
        SandboxUnavailable: all of them were asked for and one is missing.
    """
    record.sandbox.update(layers.engaged)
    record.sandbox.update({name: f"missing: {why}" for name, why in layers.missing.items()})
    if mode is Sandbox.OFF:
        log_step("warning", "the sandbox is off: the model may do all that this user may do")
        return
    for name, why in layers.missing.items():
        log_step(
            "warning",
            f"the sandbox lacks {name}: {why}; the model is not held by it, and {_WITHOUT[name]}",
        )
    log_step("sandbox", ", ".join(name for name in record.sandbox if name not in layers.missing))
    if mode is Sandbox.REQUIRE and layers.missing:
        found = "; ".join(f"{name}: {why}" for name, why in layers.missing.items())
        raise SandboxUnavailable(
            f"expected every layer of the sandbox, found these missing: {found}",
            "run it on a machine or in a container that allows them, or with --sandbox auto",
        )
