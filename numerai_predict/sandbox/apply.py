"""Applies every isolation layer to the model process.

This must be the first act of the process: Landlock restricts the calling thread and the threads
that it starts later, and numeric libraries start threads when they are imported.
"""

from __future__ import annotations

import os
import platform
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from numerai_predict.contract.limits import Limits
from numerai_predict.sandbox import (
    access_rules,
    bpf,
    capabilities,
    landlock,
    private_root,
    seccomp,
)
from numerai_predict.sandbox.identity import Identity
from numerai_predict.sandbox.layers import Layers
from numerai_predict.sandbox.namespaces import NAMESPACES, NamespaceLayers, enter_namespaces
from numerai_predict.sandbox.process_ids import higher_ids
from numerai_predict.sandbox.rlimits import apply_rlimits
from numerai_predict.sandbox.syscall_numbers import Architecture, architecture
from numerai_predict.sandbox.syscalls import PR_SET_PDEATHSIG, prctl


@dataclass(frozen=True)
class SandboxSpec:
    """What a process may use and reach.

    `package` is the directory of this package, `scratch` the only directory that the process may
    write, `readable` the files and directories of its model and data, `identity` the user that it
    switches to.
    """

    package: str
    scratch: str
    readable: tuple[str, ...]
    limits: Limits
    identity: Identity

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> SandboxSpec:
        """The specification from its fields as JSON, which is how the model process receives it."""
        identity, limits = Identity(**fields["identity"]), Limits(**fields["limits"])
        return cls(**{**fields, "identity": identity, "limits": limits})


_Context = TypeVar("_Context")


class _LayerUnavailable(Exception):
    """A layer that this machine does not support; the message gives the reason."""


def apply_sandbox(spec: SandboxSpec) -> Layers:
    """Apply every layer that this machine supports; returns the status of each."""
    _die_with_supervisor()
    supervisor = os.getppid()
    limits = _engage({"limits": _engage_limits}, spec)
    readable = tuple(access_rules.readable(Path(spec.package), spec.readable))
    namespaces = _enter_namespaces(spec, readable)
    visible = None if namespaces.private_processes else supervisor
    applied = _Applied(spec, readable, namespaces, visible)
    others = _engage(_LAYERS, applied)
    return limits.with_more(Layers(namespaces.engaged, {}, namespaces.unavailable)).with_more(
        others
    )


@dataclass(frozen=True)
class _Applied:
    """What a layer depends on: the specification, and the layers that were applied before.

    `readable` are all paths that the process may read, `supervisor` is the process id of the
    supervisor, `None` if the process cannot see it.
    """

    spec: SandboxSpec
    readable: tuple[Path, ...]
    namespaces: NamespaceLayers
    supervisor: int | None


def _engage(layers: Mapping[str, Callable[[_Context], str]], context: _Context) -> Layers:
    engaged: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name, engage in layers.items():
        try:
            engaged[name] = engage(context)
        except _LayerUnavailable as reason:
            missing[name] = str(reason)
        except OSError as error:
            missing[name] = f"the kernel refused it: {error.strerror}"
    return Layers(engaged, missing)


def _enter_namespaces(spec: SandboxSpec, readable: tuple[Path, ...]) -> NamespaceLayers:
    identity = spec.identity
    owner = None
    if identity.user is not None and identity.group is not None:
        owner = (identity.user, identity.group)
    root = private_root.RootSpec(spec.scratch, readable, spec.limits.memory_bytes, owner)
    return enter_namespaces(root)


def apply_limits_only(spec: SandboxSpec) -> Layers:
    """Apply the limits without any isolation, for `--sandbox off`."""
    _die_with_supervisor()
    off = dict.fromkeys((*NAMESPACES, *_LAYERS), "off")
    return Layers({"limits": _engage_limits(spec), **off})


def _die_with_supervisor() -> None:
    """Have the kernel kill this process when the supervisor ends, whatever ends it."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _engage_limits(spec: SandboxSpec) -> str:
    return apply_rlimits(spec.limits)


def _engage_user(applied: _Applied) -> str:
    identity = applied.spec.identity
    if identity.root_reason is not None:
        raise _LayerUnavailable(f"the model stays root: {identity.root_reason}")
    if identity.user is None or identity.group is None:
        return f"{os.geteuid()}, the runner's own user, which is not root"
    capabilities.switch_user(identity.user, identity.group)
    _die_with_supervisor()  # the kernel clears this setting when the user changes
    return f"unprivileged user {identity.user} instead of root"


def _engage_privileges(applied: _Applied) -> str:
    spec = applied.spec
    capabilities.set_no_new_privs()
    keep = frozenset([capabilities.DAC_READ_SEARCH] if spec.identity.reads_all else [])
    capabilities.drop_capabilities(_architecture(), keep)
    return "no new privileges, no capabilities" + (
        " except reading past file modes, within Landlock's rules" if keep else ""
    )


def _engage_landlock(applied: _Applied) -> str:
    spec, namespaces = applied.spec, applied.namespaces
    version = landlock.abi()
    if version == 0:
        raise _LayerUnavailable(
            f"this kernel ({platform.release()}) does not support Landlock, or it is disabled"
        )
    rules = landlock.Ruleset(version, tcp=namespaces.private_network)
    rules.allow(applied.readable, landlock.READ)
    rules.allow([Path(spec.scratch)], landlock.SCRATCH)
    own = access_rules.own_process(private_network=namespaces.private_network)
    rules.allow(own, landlock.READ)
    rules.allow([access_rules.SELF], landlock.LIST)
    if namespaces.private_processes:
        rules.allow([access_rules.PROCESSES], landlock.READ)
    elif not spec.identity.reads_all:  # it would list the descriptors of the runner
        rules.allow([access_rules.PROCESSES], landlock.LIST)
    if namespaces.private_root:
        rules.allow([Path("/")], landlock.LIST)
        rules.allow(private_root.PRIVATE_DIRECTORIES, landlock.SCRATCH)
    else:
        rules.allow([access_rules.SHARED_MEMORY], landlock.SHARED_MEMORY)
    rules.allow(access_rules.DEVICES, landlock.WRITE_FILES)
    rules.enforce()
    return f"ABI {version}, {rules.rule_count} paths{landlock.unsupported_rights(version)}"


def _engage_seccomp(applied: _Applied) -> str:
    kind = _architecture()
    private_network = applied.namespaces.private_network
    shares_processes = applied.supervisor is not None
    rules = seccomp.rules(
        applied.supervisor,
        same_user=applied.spec.identity.user is None,
        landlock_version=landlock.abi(),
        private_network=private_network,
        own=os.getpid(),
        higher=higher_ids(os.getpid()) if applied.supervisor is not None else (),
        pinned=len(os.sched_getaffinity(0)) < (os.cpu_count() or 1),
    )
    bpf.enforce(bpf.program(rules, kind), kind)
    network = "no network but loopback" if private_network else "no network"
    calls = {call for rule in rules for call in rule.calls.split() if kind.number(call) is not None}
    described = f"{len(calls)} system calls of {kind.name} denied or restricted, {network}"
    if shares_processes and landlock.abi() < landlock.SIGNALS_SINCE:
        described += "; it cannot forbid signals to processes of its user that start during the run"
    return described


def _architecture() -> Architecture:
    machine = platform.machine()
    known = architecture(machine)
    if known is None:
        raise _LayerUnavailable(f"no table of system call numbers for {machine}")
    return known


# After the limits and the namespaces. The order matters: each layer needs privileges that a
# later one removes.
_LAYERS: dict[str, Callable[[_Applied], str]] = {
    "user": _engage_user,
    "privileges": _engage_privileges,
    "landlock": _engage_landlock,
    "seccomp": _engage_seccomp,
}
