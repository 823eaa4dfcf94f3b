"""Logs what the sandbox of a model process denies, and enforces `--sandbox require`."""

from __future__ import annotations

from collections.abc import Iterator

from numerai_predict.contract.errors import SandboxUnavailable
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.inspection.python_versions import join_words
from numerai_predict.runner.run_log import log_detail, log_step
from numerai_predict.sandbox.layers import Layers

# What the model can do without a layer.
_EXPOSURE = {
    "runner": "read what the runner knows, credentials included",
    "limits": "use more resources than its limits allow",
    "user": "act with the rights of the user that runs this",
    "privileges": "gain privileges through programs that have them",
    "landlock": "read and write whatever its user can",
    "seccomp": "reach the network and other processes",
}
# What the model cannot reach with a layer.
_DENIED = {
    "runner": "credentials",
    "landlock": "files other than its data",
    "seccomp": "the network",
}
_NETWORK = "network_namespace"


def report_layers(layers: Layers, mode: Sandbox) -> None:
    """Log what is denied in one line, after a warning of what is not; layers at level DEBUG.

    Raises:
        SandboxUnavailable: `mode` requires all layers and one is missing.
    """
    if mode is Sandbox.OFF:
        log_step("warning", "the sandbox is off: the model can do whatever this user can")
        return
    if layers.missing:
        exposures = join_words([_EXPOSURE[name] for name in layers.missing], "and")
        names = ", ".join(layers.missing)
        log_step(
            "warning", f"the sandbox is incomplete, without {names}: the model can {exposures}"
        )
    log_step("sandbox", _summary(layers))
    for detail in _details(layers):
        log_detail("sandbox", detail)
    if mode is Sandbox.REQUIRE and layers.missing:
        found = "; ".join(f"{name}: {reason}" for name, reason in layers.missing.items())
        raise SandboxUnavailable(
            f"expected every layer of the sandbox, found these missing: {found}",
            "run on a machine or in a container that allows them, or with --sandbox auto",
        )


def _summary(layers: Layers) -> str:
    """What the model cannot reach, and what does not work for it on this machine."""
    denied = [text for name, text in _DENIED.items() if name in layers.engaged]
    sentence = f"the model cannot reach {join_words(denied, 'or')}" if denied else "limits alone"
    if _NETWORK in layers.unavailable:
        sentence += "; its processes cannot use sockets either: no private network is available"
    return sentence


def _details(layers: Layers) -> Iterator[str]:
    """A line for each layer: what it does, or why it is not there."""
    for name, description in layers.engaged.items():
        yield f"{name}: {description}"
    for name, reason in layers.missing.items():
        yield f"{name}: missing: {reason}"
    for name, reason in layers.unavailable.items():
        yield f"{name}: not available, and not required: {reason}"
