"""The Ray cluster: its nodes, and worker actors on them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from numerai_predict.fleet.pool.actor import (
    TaskLost,
    TaskResult,
    WorkerActor,
    WorkerActorSpec,
    WorkerReady,
    WorkerUnavailable,
)
from numerai_predict.fleet.pool.embedded_ray import EmbeddedRay, loopback_only
from numerai_predict.runner.termination import restore_sigterm_handler

# Raylets and workers inherit the environment of the process that starts them.
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "HOME", "USER", "TMPDIR", "LD_LIBRARY_PATH")
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_memory_monitor_refresh_ms": "0",  # the worker enforces the memory limit of a model
    "RAY_DEDUP_LOGS": "0",
}
_STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Node:
    """A node of the cluster: its CPUs, and the memory in bytes that it offers to actors."""

    id: str
    host: str
    cpus: int
    memory_bytes: int
    is_local: bool


@dataclass(frozen=True)
class ActorFailure:
    """A call failed in Ray; `actor_lost` means that Ray does not restart the actor."""

    reason: str
    actor_lost: bool


CallResult = TaskResult | TaskLost | WorkerReady | WorkerUnavailable | ActorFailure


class RayCluster:
    """A running Ray cluster: the one at `address`, or an embedded one on this machine.

    An embedded cluster ends with this process. Ray restarts an actor that crashed
    `actor_restarts` times.

    Raises:
        ConnectionError: there is no cluster at the address.
    """

    def __init__(self, address: str | None, actor_restarts: int) -> None:
        self._embedded = None if address else EmbeddedRay()
        if address:
            _connect(address, _ray_variables(os.environ), {})
        else:
            self._start_embedded()
        self._local_node = ray.get_runtime_context().get_node_id()
        self._actor_restarts = actor_restarts

    def nodes(self) -> list[Node]:
        """The nodes that are alive and have CPUs."""
        found = []
        for node in ray.nodes():  # type: ignore[no-untyped-call]
            resources = node["Resources"]
            if node["Alive"] and resources.get("CPU"):
                found.append(
                    Node(
                        node["NodeID"],
                        node["NodeManagerHostname"],
                        int(resources["CPU"]),
                        int(resources.get("memory", 0)),
                        node["NodeID"] == self._local_node,
                    )
                )
        return found

    def start_actor(self, node_id: str, spec: WorkerActorSpec) -> Any:
        """Start a worker actor on a node, as soon as CPUs and memory for its slots are free."""
        slots = len(spec.slots)
        actor = ray.remote(WorkerActor).options(
            num_cpus=slots,
            memory=slots * (spec.slot_bytes or 0),
            max_concurrency=slots + 1,
            max_restarts=self._actor_restarts,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
        )
        return actor.remote(spec)

    def stop_actor(self, actor: Any) -> None:
        """Close a worker actor and free its slots."""
        closing = actor.close.remote()
        ray.wait([closing], timeout=_STOP_SECONDS)
        ray.kill(actor)

    def forget_actor(self, actor: Any) -> None:
        """Release a worker actor that has crashed."""
        ray.kill(actor)

    def completed_calls(self, calls: list[Any], seconds: float) -> list[Any]:
        """The calls that have completed; waits up to `seconds` for the first one."""
        done, _ = ray.wait(calls, num_returns=1, timeout=seconds)
        if done:
            done, _ = ray.wait(calls, num_returns=len(calls), timeout=0)
        return list(done)

    def result(self, call: Any) -> CallResult:
        """What a completed call returned."""
        try:
            return ray.get(call)  # type: ignore[no-any-return]
        except ray.exceptions.RayError as error:
            lost = isinstance(error, ray.exceptions.ActorDiedError)
            return ActorFailure(type(error).__name__, lost)

    def close(self) -> None:
        """Disconnect; an embedded cluster ends, and its files are removed."""
        ray.shutdown()
        if self._embedded is not None:
            self._embedded.close()

    def _start_embedded(self) -> None:
        assert self._embedded is not None
        try:
            with loopback_only():
                _connect("local", self._embedded.variables, self._embedded.options)
        except BaseException:
            # Ray kills what it has started when this process ends; then its files are removed.
            ray.shutdown()
            raise


def _connect(address: str, variables: Mapping[str, str], options: Mapping[str, Any]) -> None:
    # Ray's own handlers of SIGTERM would exit or abort this process.
    with _without_secrets(os.environ, variables), restore_sigterm_handler():
        ray.init(
            address,
            namespace="numerai-predict",
            log_to_driver=False,
            logging_level=logging.ERROR,
            **options,
        )


def _ray_variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("RAY_")}


@contextmanager
def _without_secrets(
    environment: MutableMapping[str, str], ray_variables: Mapping[str, str]
) -> Iterator[None]:
    """Remove everything from the environment, while Ray starts, that could be a credential."""
    original = dict(environment)
    kept = {name: original[name] for name in _KEPT_VARIABLES if name in original}
    environment.clear()
    environment.update({**kept, **ray_variables, **_SETTINGS})
    try:
        yield
    finally:
        environment.clear()
        environment.update({**original, **_SETTINGS})
