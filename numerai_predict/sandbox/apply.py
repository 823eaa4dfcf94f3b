"""Putting the layers on: in the model's process, before anything of the model is there.

It must be the process's first act: Landlock holds the thread that asks for it and what
that one starts, and libraries of numbers start threads as they are imported.
"""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerai_predict.contract.limits import Limits, format_size
from numerai_predict.sandbox import access_rules, capabilities, landlock, seccomp
from numerai_predict.sandbox.identity import Identity
from numerai_predict.sandbox.layers import Layers
from numerai_predict.sandbox.syscall_numbers import Processor, processor
from numerai_predict.sandbox.syscalls import PR_SET_PDEATHSIG, prctl


@dataclass(frozen=True)
class SandboxSpec:
    """What a process is to be held to.

    `package` is where our code lies, `scratch` the one folder that is the process's own,
    `readable` its own files, `identity` whom it is to become.
    """

    package: str
    scratch: str
    readable: tuple[str, ...]
    limits: Limits
    identity: Identity

    @classmethod
    def of(cls, facts: dict[str, Any]) -> SandboxSpec:
        """The confinement whose fields a process was sent."""
        identity, limits = Identity(**facts["identity"]), Limits(**facts["limits"])
        return cls(**{**facts, "identity": identity, "limits": limits})


class _LayerUnavailable(Exception):
    """A layer that cannot be had here, and why."""


def apply_sandbox(wanted: SandboxSpec) -> Layers:
    """Put every layer on that this machine allows, and say what became of each."""
    _die_with_parent()
    layers = Layers()
    for name, engage in _LAYERS.items():
        try:
            layers.engaged[name] = engage(wanted)
        except _LayerUnavailable as missing:
            layers.missing[name] = str(missing)
        except OSError as error:
            layers.missing[name] = f"the kernel refused it: {error.strerror}"
    return layers


def apply_limits_only(wanted: SandboxSpec) -> Layers:
    """Set the limits and leave the isolation off."""
    _die_with_parent()
    return Layers({**dict.fromkeys(_LAYERS, "off"), "limits": _limits(wanted)})


def _die_with_parent() -> None:
    """Ask the kernel to kill this process when the parent dies, however it dies."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _lower(kind: int, wanted: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY or wanted < hard:
        hard = wanted
    resource.setrlimit(kind, (hard, hard))


def _running() -> int:
    """Processes and threads on this machine: at least as many as are of one user."""
    with open("/proc/loadavg") as load:
        return int(load.read().split()[3].partition("/")[2])


def _limits(wanted: SandboxSpec) -> str:
    """Set the limits that the kernel counts by itself."""
    limits = wanted.limits
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    _lower(resource.RLIMIT_FSIZE, limits.scratch_bytes)
    # Counted by user, over all that this user runs: the parent counts the model's own.
    _lower(resource.RLIMIT_NPROC, _running() + limits.processes)
    # Where the machine runs out of memory the model goes first, not the one who can tell.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")
    return (
        f"{limits.processes:,} processes and threads, {limits.open_files:,} open files, "
        f"{format_size(limits.scratch_bytes)} of scratch files, no core dumps"
    )


def _user(wanted: SandboxSpec) -> str:
    identity = wanted.identity
    if identity.kept is not None:
        raise _LayerUnavailable(f"it stays root: {identity.kept}")
    if identity.user is None or identity.group is None:
        return f"{os.geteuid()}, the runner's own, which is not root"
    capabilities.switch_user(identity.user, identity.group)
    _die_with_parent()  # a change of user takes the wish back
    return f"nobody ({identity.user}) in place of root"


def _privileges(wanted: SandboxSpec) -> str:
    capabilities.set_no_new_privs()
    keep = frozenset([capabilities.DAC_READ_SEARCH] if wanted.identity.reads_all else [])
    capabilities.drop_capabilities(_processor(), keep)
    return "no new privileges, no capabilities" + (
        " but to read past file modes, where Landlock allows" if keep else ""
    )


def _landlock(wanted: SandboxSpec) -> str:
    version = landlock.abi()
    if version == 0:
        raise _LayerUnavailable(
            f"this kernel ({platform.release()}) has no Landlock, or it is switched off"
        )
    rules = landlock.Ruleset(version)
    rules.allow(access_rules.readable(Path(wanted.package), wanted.readable), landlock.READ)
    rules.allow([Path(wanted.scratch)], landlock.OWN)
    if not wanted.identity.reads_all:  # it would list the runner's descriptors
        rules.allow([access_rules.PROCESSES], landlock.LIST)
    rules.allow([access_rules.SHARED_MEMORY], landlock.SHARE)
    rules.allow(access_rules.DEVICES, landlock.WRITE_FILES)
    rules.enforce()
    return f"ABI {version}, {rules.places} places{landlock.unsupported_rights(version)}"


def _seccomp(wanted: SandboxSpec) -> str:
    kind = _processor()
    rules = seccomp.rules(
        os.getppid(), same_user=wanted.identity.user is None, landlock_version=landlock.abi()
    )
    seccomp.enforce(seccomp.program(rules, kind), kind)
    calls = {call for rule in rules for call in rule.calls.split() if kind.number(call) is not None}
    return f"{len(calls)} system calls of {kind.name} denied or bounded, no network"


def _processor() -> Processor:
    machine = platform.machine()
    found = processor(machine)
    if found is None:
        raise _LayerUnavailable(f"there is no table of system calls for {machine}")
    return found


# In this order: each needs what the next one takes away.
_LAYERS: dict[str, Callable[[SandboxSpec], str]] = {
    "limits": _limits,
    "user": _user,
    "privileges": _privileges,
    "landlock": _landlock,
    "seccomp": _seccomp,
}
