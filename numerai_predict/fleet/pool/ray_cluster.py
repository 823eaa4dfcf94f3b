"""Ray: the machines that there are, and foremen on them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from numerai_predict.fleet.pool.actor import TaskResult, WorkerActor, WorkerActorSpec

# Raylets and workers take what is left in the environment of whoever starts them.
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "HOME", "USER", "TMPDIR", "LD_LIBRARY_PATH")
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_memory_monitor_refresh_ms": "0",  # a model's memory is its worker's to watch
    "RAY_DEDUP_LOGS": "0",
}
_OBJECT_STORE_BYTES = 256 * 1024**2
_RESTARTS = 3


@dataclass(frozen=True)
class Node:
    """A node of Ray: its processors, and the memory in bytes that it gives to tasks."""

    id: str
    host: str
    cpus: int
    memory_bytes: int
    is_here: bool


class RayCluster:
    """A running Ray: the one at `address`, or one on this machine that ends with this process.

    Raises:
        ConnectionError: there is none at the address.
    """

    def __init__(self, address: str | None) -> None:
        with _without_secrets(os.environ, _of_ray(os.environ) if address else {}):
            ray.init(
                address or "local",
                namespace="numerai-predict",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({} if address else _embedded()),
            )
        self._here = ray.get_runtime_context().get_node_id()
        self._embedded = address is None

    def nodes(self) -> list[Node]:
        """The machines that are alive now."""
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
                        node["NodeID"] == self._here,
                    )
                )
        return found

    def start_actor(self, machine: Node, posting: WorkerActorSpec) -> Any:
        """A foreman there. Ray starts it once its slots' processors and memory are free."""
        slots = len(posting.slots)
        actor = ray.remote(WorkerActor).options(
            num_cpus=slots,
            memory=slots * (posting.slot_bytes or 0),
            max_concurrency=slots + 1,
            max_restarts=_RESTARTS,
            scheduling_strategy=NodeAffinitySchedulingStrategy(machine.id, soft=False),
        )
        return actor.remote(posting)

    def stop_actor(self, foreman: Any) -> None:
        """End a foreman; its slots are free for others."""
        closing = foreman.close.remote()
        ray.wait([closing], timeout=15)
        ray.kill(foreman)

    def forget_actor(self, foreman: Any) -> None:
        """Forget a foreman that is dead already."""
        ray.kill(foreman)

    def ended(self, calls: list[Any], seconds: float) -> list[Any]:
        """The calls that have ended; waits that long for a first one."""
        done, _ = ray.wait(calls, num_returns=1, timeout=seconds)
        if done:  # and all others that have
            done, _ = ray.wait(calls, num_returns=len(calls), timeout=0)
        return list(done)

    def outcome(self, call: Any) -> TaskResult | Mapping[str, Any] | BaseException:
        """What the call returned, or the failure that ended it."""
        try:
            return ray.get(call)  # type: ignore[no-any-return]
        except ray.exceptions.RayError as error:
            return error

    def is_gone(self, error: BaseException) -> bool:
        """Whether the failure says that a foreman will not come back."""
        return isinstance(error, ray.exceptions.ActorDiedError)

    def close(self) -> None:
        """End Ray where it was started here, else leave it."""
        ray.shutdown()


def _embedded() -> dict[str, Any]:
    return {
        "include_dashboard": False,
        "object_store_memory": _OBJECT_STORE_BYTES,
        "_node_ip_address": "127.0.0.1",
    }


def _of_ray(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("RAY_")}


@contextmanager
def _without_secrets(environment: Any, more: Mapping[str, str]) -> Iterator[None]:
    """Have nothing in the environment, while Ray starts, that could be a credential of ours."""
    whole = dict(environment)
    kept = {name: whole[name] for name in _KEPT_VARIABLES if name in whole}
    environment.clear()
    environment.update({**kept, **more, **_SETTINGS})
    try:
        yield
    finally:
        environment.clear()
        environment.update({**whole, **_SETTINGS})
