"""One container as a value, and the `docker run` argv that starts it.

Every `docker run` of the product, its benchmarks and its tests is built here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class BindMount:
    """A file or directory of the host, by its absolute path, and its path in the container.

    Without a `target` it has the same path on both sides.
    """

    source: Path | str
    target: Path | str | None = None
    read_only: bool = True

    def option(self) -> str:
        """The value of `--mount`, which is one line of CSV.

        `--volume` splits its value at every colon, so that a path with one cannot be mounted.
        """
        fields = ["type=bind", f"source={self.source}", f"target={self.target or self.source}"]
        return ",".join(map(_csv_field, [*fields, "readonly"] if self.read_only else fields))


@dataclass(frozen=True)
class ContainerLimits:
    """What a container may use; `None` for the engine's default.

    `memory_bytes` includes swap. `processes` counts threads too.
    """

    cpus: int | None = None
    memory_bytes: int | None = None
    shared_memory_bytes: int | None = None
    processes: int | None = None


@dataclass(frozen=True)
class Privileges:
    """What the root user of a container keeps: these capabilities alone, and never new ones."""

    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True)
class ContainerRun:
    """One container, removed when it ends.

    `arguments` are for the image's own entrypoint, or for `entrypoint` in its place. A variable of
    `environment` whose value is `None` keeps the value that it has in the engine's client: no
    secret is on a command line. `user` is `UID:GID`, `None` for the image's own. `interactive`
    keeps standard input open. `read_only` makes every path read-only that is no writable mount.
    `keep_log=False` has the engine store no copy of what the container prints. `seccomp_profile` is
    a file of this machine, `None` for the engine's own profile.
    """

    image: str
    arguments: tuple[str, ...] = ()
    entrypoint: str | None = None
    mounts: tuple[BindMount, ...] = ()
    environment: Mapping[str, str | None] = field(default_factory=dict)
    user: str | None = None
    network: bool = False
    limits: ContainerLimits = ContainerLimits()
    privileges: Privileges | None = None
    name: str | None = None
    label: str | None = None
    working_directory: str | None = None
    interactive: bool = False
    read_only: bool = False
    keep_log: bool = True
    seccomp_profile: str | None = None

    def argv(self, engine: str) -> list[str]:
        """The argv for an engine's command, like `docker`."""
        options = [*self._identity(), *self._isolation(), *self._limits(), *self._files()]
        flags = ["--interactive"] if self.interactive else []
        return [engine, "run", "--rm", *flags, *options, self.image, *self.arguments]

    def _identity(self) -> Iterator[str]:
        for option, value in (
            ("--name", self.name),
            ("--label", self.label),
            ("--user", self.user),
            ("--workdir", self.working_directory),
            ("--entrypoint", self.entrypoint),
        ):
            if value is not None:
                yield from (option, value)

    def _isolation(self) -> Iterator[str]:
        if not self.network:
            yield from ("--network", "none")
        if self.read_only:
            yield "--read-only"
        if self.privileges is not None:
            yield from ("--cap-drop", "ALL")
            for capability in self.privileges.capabilities:
                yield from ("--cap-add", capability)
            yield from ("--security-opt", "no-new-privileges")
        if self.seccomp_profile is not None:
            yield from ("--security-opt", f"seccomp={self.seccomp_profile}")
        if not self.keep_log:
            yield from ("--log-driver", "none")

    def _limits(self) -> Iterator[str]:
        for option, value in (
            ("--cpus", self.limits.cpus),
            ("--memory", self.limits.memory_bytes),
            ("--memory-swap", self.limits.memory_bytes),
            ("--shm-size", self.limits.shared_memory_bytes),
            ("--pids-limit", self.limits.processes),
        ):
            if value is not None:
                yield from (option, str(value))

    def _files(self) -> Iterator[str]:
        for mount in dict.fromkeys(self.mounts):  # an engine refuses the same one twice
            yield from ("--mount", mount.option())
        for name, value in self.environment.items():
            yield from ("--env", name if value is None else f"{name}={value}")


def _csv_field(text: str) -> str:
    """The field as RFC 4180 quotes it, which is how the engine's client reads it."""
    if any(character in text for character in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
