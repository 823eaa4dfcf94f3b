"""A round, from its queue to its last delivery: the agent's own loop."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import ModelCrashed
from numerai_predict.contract.record import Record
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet import ledger as states
from numerai_predict.fleet.cluster import Cluster, Machine
from numerai_predict.fleet.crews import Capacity, Crew, Kind, needless, opening
from numerai_predict.fleet.data import Data
from numerai_predict.fleet.foreman import Outcome, Posting, Task
from numerai_predict.fleet.intake import Intake, Ready
from numerai_predict.fleet.ledger import Ledger
from numerai_predict.fleet.manifest import Entry
from numerai_predict.fleet.orders import Orders
from numerai_predict.fleet.outbox import Outbox
from numerai_predict.fleet.places import Place
from numerai_predict.fleet.records import record_of, write_record
from numerai_predict.fleet.worker.messages import RunRequest
from numerai_predict.storage.files import atomic_write, sha256_of

_TICK_SECONDS = 0.1
_AHEAD = 64
_MACHINES_SECONDS = 2.0
_MOST_LOST = 6


class NoWorker(Exception):
    """Workers cannot be started, or nowhere is room for one; the message says why."""


class Conductor:
    """Runs the models of a round that have not ended.

    `look` is called now and then, for a display.
    """

    def __init__(
        self,
        orders: Orders,
        ledger: Ledger,
        cluster: Cluster,
        data: Data,
        places: list[Place],
        deadline: Deadline,
    ) -> None:
        self._orders = orders
        self._ledger = ledger
        self._cluster = cluster
        self._data = data
        self._deadline = deadline
        self._intake = Intake(orders, places, deadline)
        self._outbox = Outbox(orders.output_dir, deadline)
        self._ready: dict[Kind, deque[Ready]] = {}
        self._out: dict[str, Ready] = {}
        self._crews: list[Crew] = []
        self._starting: dict[Any, Crew] = {}
        self._capacities: dict[str, Capacity] = {}
        self._here: set[str] = set()
        self._machines: dict[str, Machine] = {}
        self._looked = 0.0

    def run(self, entries: deque[Entry], look: Callable[[int], None]) -> bool:
        """Go on until all have ended; whether they have: the deadline may come first.

        Raises:
            NoWorker: workers cannot be started.
        """
        try:
            while entries or len(self._intake) or self._out or len(self._outbox) or self._waiting():
                if self._deadline.remaining() <= 0:
                    return False
                self._look_for_machines()
                self._take_in(entries)
                self._hire()
                self._assign()
                self._collect()
                self._hear_of_deliveries()
                look(len(self._out))
            return True
        finally:
            self._close()

    def deliver_again(self, entries: list[Entry]) -> list[Entry]:
        """Hand the predictions that lie there to the courier; the entries that have none."""
        without = []
        for entry in entries:
            facts, path = self._ledger.record(entry.id), self._orders.csv_of(entry.id)
            if facts is None or not path.is_file() or entry.post is None:
                without.append(entry)
                continue
            if sha256_of(path) != facts["predictions"]["sha256"]:
                without.append(entry)
                continue
            self._send(entry, path, record_of(facts))
        return without

    def _waiting(self) -> Counter[Kind]:
        return Counter({kind: len(queue) for kind, queue in self._ready.items() if queue})

    def _look_for_machines(self) -> None:
        now = time.monotonic()
        if now - self._looked < _MACHINES_SECONDS:
            return
        self._looked = now
        machines = self._cluster.machines()
        self._capacities = {each.id: Capacity(each.cpus, each.memory_bytes) for each in machines}
        self._here = {each.id for each in machines if each.is_here}
        self._machines = {each.id: each for each in machines}

    def _take_in(self, entries: deque[Entry]) -> None:
        ahead = len(self._intake) + self._waiting().total()
        while entries and ahead < _AHEAD:
            self._intake.begin(entries.popleft())
            ahead += 1
        for ready in self._intake.finished():
            if ready.place is None:
                self._fail(ready.entry.id, ready.record)
                ready.drop()
                continue
            self._ledger.note(ready.entry.id, states.INSPECTED, place=str(ready.place))
            self._ready.setdefault(self._kind(ready), deque()).append(ready)

    def _kind(self, ready: Ready) -> Kind:
        """Memory for a model in whole slots: a smaller one takes a slot like any other."""
        assert ready.place is not None
        most = max((each.memory_bytes for each in self._capacities.values()), default=1)
        usual = self._orders.limits.memory_bytes or most // max(
            1, max((each.cpus for each in self._capacities.values()), default=1)
        )
        return Kind(ready.place, max(usual, ready.entry.limits.memory_bytes or usual))

    def _hire(self) -> None:
        waiting = self._waiting()
        for crew in needless(self._crews, waiting):
            self._crews.remove(crew)
            self._cluster.dismiss(crew.foreman)
        while new := opening(self._capacities, self._crews, waiting, self._orders.workers):
            machine = self._machines[new.machine]
            dataset, benchmarks = self._data.for_machine(machine.is_here)
            posting = Posting(
                new.kind.place,
                dataset,
                benchmarks,
                new.slots,
                new.kind.slot_bytes,
                self._orders.engine or "docker",
                self._orders.models_a_worker,
            )
            crew = Crew(new.kind, new.machine, new.slots, self._cluster.hire(machine, posting))
            self._crews.append(crew)
            self._starting[crew.foreman.prepare.remote()] = crew
        if waiting and not self._crews and not self._out:
            self._require_room(waiting)

    def _require_room(self, waiting: Counter[Kind]) -> None:
        """Say that a model fits nowhere, rather than wait for a machine that is not to come."""
        largest = max((each.memory_bytes for each in self._capacities.values()), default=0)
        need = min(kind.slot_bytes for kind in waiting)
        raise NoWorker(
            f"expected a machine with a free processor and {need / 1024**3:.1f} GiB for a model, "
            f"found {len(self._capacities)} of at most {largest / 1024**3:.1f} GiB: "
            "lower --memory, or add machines"
        )

    def _assign(self) -> None:
        for crew in self._crews:
            queue = self._ready.get(crew.kind)
            while queue and crew.free > 0:
                self._start(crew, queue.popleft())

    def _start(self, crew: Crew, ready: Ready) -> None:
        entry, path = ready.entry, ready.path
        assert path is not None
        left = self._deadline.remaining()
        request = RunRequest(
            model="",
            source=ready.record.model.source or "",
            dataset_source=self._data.facts.source or "",
            benchmarks_source=self._data.benchmark_facts.source or "",
            memory_bytes=entry.limits.memory_bytes,
            seconds=entry.limits.seconds,
            sandbox=self._orders.sandbox.value,
            user=0,
            no_benchmarks=self._data.no_benchmarks,
            seconds_left=None if left == float("inf") else left,
            debug=self._orders.debug,
        )
        model = str(path) if crew.machine in self._here else path.read_bytes()
        call = crew.foreman.run.remote(Task(entry.id, request, path.suffix), model)
        crew.running[call] = entry.id
        self._out[entry.id] = ready
        self._ledger.note(entry.id, states.RUNNING, worker=self._name(crew))

    def _name(self, crew: Crew) -> str:
        return f"{self._machines[crew.machine].host} {crew.kind.place}"

    def _collect(self) -> None:
        calls = [*self._starting, *(call for crew in self._crews for call in crew.running)]
        if not calls:
            time.sleep(_TICK_SECONDS)
            return
        for call in self._cluster.ended(calls, _TICK_SECONDS):
            result = self._cluster.outcome(call)
            if call in self._starting:
                self._started(self._starting.pop(call), result)
                continue
            crew = next(crew for crew in self._crews if call in crew.running)
            ready = self._out.pop(crew.running.pop(call))
            if isinstance(result, Outcome) and result.broken:
                raise NoWorker(str(result.lost))
            if isinstance(result, Outcome) and result.lost is None:
                self._finish(ready, result)
                continue
            words = result.lost if isinstance(result, Outcome) else type(result).__name__
            self._lose(ready, words or "")
            if isinstance(result, BaseException) and self._cluster.is_gone(result):
                self._disband(crew)

    def _started(self, crew: Crew, result: Any) -> None:
        if not isinstance(result, BaseException):
            crew.ready = True
            return
        if "WorkerBroken" in str(result):
            raise NoWorker(str(result).strip().splitlines()[-1])
        self._disband(crew)

    def _disband(self, crew: Crew) -> None:
        """Take a crew whose foreman is gone off the list; its models come back by their calls."""
        if crew not in self._crews:
            return
        for call, name in list(crew.running.items()):
            del crew.running[call]
            self._lose(self._out.pop(name), "its foreman is gone")
        self._crews.remove(crew)
        self._cluster.drop(crew.foreman)
        self._looked = 0.0

    def _lose(self, ready: Ready, words: str) -> None:
        """Queue a model again whose worker failed it; not for ever: it may be what fails them."""
        name = ready.entry.id
        self._ledger.note(name, states.LOST, words)
        if self._ledger.lost_times(name) >= _MOST_LOST:
            error = ModelCrashed(
                f"{_MOST_LOST} workers died while they ran the model; the last: {words}",
                "look at the machine's memory and log, run the model alone: numerai-predict run",
            )
            ready.record.conclude(error.verdict, error.message, error.remedy)
            self._fail(name, ready.record)
            ready.drop()
            return
        self._ledger.note(name, states.QUEUED, words)
        self._ready.setdefault(self._kind(ready), deque()).appendleft(ready)

    def _finish(self, ready: Ready, outcome: Outcome) -> None:
        record = self._complete(ready, outcome)
        entry = ready.entry
        ready.drop()
        self._keep_log(entry.id, outcome, record)
        if outcome.csv is None:
            if record.verdict == Verdict.DEADLINE.word:
                self._ledger.note(entry.id, states.QUEUED, record.message)
                return
            self._fail(entry.id, record, outcome)
            return
        path = self._orders.csv_of(entry.id)
        with atomic_write(path) as handle:
            handle.write(outcome.csv)
        record.predictions.path = str(path)
        if entry.post is not None:
            self._note_end(entry.id, states.PREDICTED, record, outcome)
            self._send(entry, path, record)
            return
        record.delivered_to = str(path)
        record.conclude(Verdict.OK, f"delivered to {path}")
        self._note_end(entry.id, states.DELIVERED, record, outcome)
        write_record(self._orders.output_dir, entry.id, record)

    def _complete(self, ready: Ready, outcome: Outcome) -> Record:
        """The worker's record with what the agent knows: sources, hashes, the fetch."""
        record, own = record_of(outcome.record), ready.record
        arity, pythons = record.model.arity, record.model.python
        record.model = own.model
        record.model.arity, record.model.python = arity, pythons
        record.dataset = self._data.facts
        if arity == 2:
            record.benchmarks = self._data.benchmark_facts
        record.seconds.fetch = own.seconds.fetch
        record.seconds.total = (own.seconds.fetch or 0.0) + outcome.ended - outcome.started
        return record

    def _note_end(self, name: str, fact: str, record: Record, outcome: Outcome) -> None:
        self._ledger.note(
            name,
            fact,
            worker=outcome.worker,
            verdict=record.verdict,
            message=record.message,
            started=outcome.started,
            seconds=outcome.ended - outcome.started,
            peak_bytes=record.peak_memory_bytes,
            sha256=record.predictions.sha256,
            record=json.dumps(asdict(record)),
        )

    def _fail(self, name: str, record: Record, outcome: Outcome | None = None) -> None:
        if outcome is not None:
            self._note_end(name, states.FAILED, record, outcome)
        else:
            self._ledger.note(
                name,
                states.FAILED,
                verdict=record.verdict,
                message=record.message,
                record=json.dumps(asdict(record)),
            )
        write_record(self._orders.output_dir, name, record)

    def _keep_log(self, name: str, outcome: Outcome, record: Record) -> None:
        verdict = f"verdict  {record.verdict} (exit {record.exit_code}): {record.message}\n"
        with atomic_write(self._orders.output_dir / "logs" / f"{name}.log") as handle:
            handle.write(outcome.log + verdict.encode())

    def _send(self, entry: Entry, path: Path, record: Record) -> None:
        assert entry.post is not None
        self._outbox.send(entry.id, path, entry.post, record)

    def _hear_of_deliveries(self) -> None:
        for name in self._outbox.delivered():
            if facts := self._ledger.record(name):
                write_record(self._orders.output_dir, name, record_of(facts))

    def _close(self) -> None:
        self._outbox.close()
        self._hear_of_deliveries()
        self._intake.close()
        for crew in self._crews:
            self._cluster.dismiss(crew.foreman)
