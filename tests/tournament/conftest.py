"""What the tests of the tournament share: a practice server, and the command line against it."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import evidence
import pandas as pd
import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.data.synthetic import SampleShape
from numerai_predict.storage.graphql import Api, Keys
from numerai_predict.storage.retry import Backoff, RetryPolicy, TransferPolicy, TransferTimeouts
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.practice import process_control
from numerai_predict.tournament.practice.schedule import next_round
from numerai_predict.tournament.practice.server import KEYS_FILE, RunningServer, ServerSetup
from numerai_predict.tournament.practice.store import SCOPES, PracticeStore

PROGRAM = "from numerai_predict.cli.main import main; raise SystemExit(main())"
SHAPE = SampleShape(live_rows=1000, rows=40, train_eras=6, validation_eras=4, features=100)


def quiet():
    """A policy for tests: short waits and time limits."""
    retry = RetryPolicy(4, Backoff(0.02, 0.1))
    return TransferPolicy(Deadline.after(30), retry, TransferTimeouts(connect=5, read=5))


@dataclass
class Practice:
    """A practice server, and what a test inspects or changes directly."""

    folder: Path
    server: RunningServer
    store: PracticeStore
    keys: dict[str, str]
    first_round: int
    models: dict[str, str] = field(default_factory=dict)
    shape: SampleShape = SHAPE

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def account(self) -> str:
        return self.store.row("SELECT id FROM accounts")["id"]

    def model(self) -> str:
        """A model that no other test knows; its name."""
        name = f"model_{uuid.uuid4().hex[:8]}"
        self.models[name] = self.store.add_model(self.account, name)
        return name

    def key(self, *scopes: str) -> dict[str, str]:
        """Variables with another key of the account."""
        public_id, secret = self.store.add_key(self.account, "other", scopes or SCOPES)
        evidence.add_secrets(secret)
        return {"NUMERAI_PUBLIC_ID": public_id, "NUMERAI_SECRET_KEY": secret}

    def open_round(self) -> int:
        """A round that has just opened; its number."""
        now = datetime.fromisoformat(process_control.server_status(self.server)["clock"])
        opening = next_round(now).opens + timedelta(minutes=1)
        return int(process_control.set_clock(self.server, opening)["round"])

    def open_weekday_round(self) -> int:
        """A round that has just opened, for an hour."""
        while True:
            number = self.open_round()
            facts = process_control.server_status(self.server)
            closes, now = (datetime.fromisoformat(facts[key]) for key in ("closes", "clock"))
            if closes - now < timedelta(hours=1):
                return number

    def advance(self, **span: float) -> dict:
        now = datetime.fromisoformat(process_control.server_status(self.server)["clock"])
        return dict(process_control.set_clock(self.server, now + timedelta(**span)))

    def stake(self, name: str) -> float:
        """The stake of a model, without pending payouts."""
        return float(process_control.server_status(self.server)["stakes"][name])

    def fault(self, kind: str | None, **more: object) -> None:
        process_control.switch_fault(self.server, {"kind": kind, **more} if kind else None)

    def submissions(self, name: str) -> list[dict]:
        """All rows of the model, whether they count or not."""
        return self.store.submissions(self.models[name])

    def tournament(self, **variables: str) -> Tournament:
        """The tournament as our own client sees it."""
        given = {**self.keys, **variables}
        keys = Keys(given["NUMERAI_PUBLIC_ID"], given["NUMERAI_SECRET_KEY"])
        return Tournament(Api(self.url, quiet(), keys))


@pytest.fixture(scope="session")
def practice_server(tmp_path_factory):
    """One server for all tests of this directory."""
    folder = tmp_path_factory.mktemp("practice") / "state"
    setup = ServerSetup(folder, 0, ("practice_one", "practice_two"), True, SHAPE)
    server = process_control.start_server(setup, Deadline.after(90))
    lines = (folder / KEYS_FILE).read_text().splitlines()
    keys = dict(line.split("=", 1) for line in lines)
    evidence.add_secrets(keys["NUMERAI_SECRET_KEY"], server.control)
    store = PracticeStore(folder / "practice.sqlite")
    stored = json.loads((folder / "data" / "shape.json").read_text())
    yield Practice(folder, server, store, keys, stored["first_round"])
    store.close()
    process_control.stop_server(folder, Deadline.after(30))
    evidence.record_output((folder / process_control.LOG_FILE).read_text())


@pytest.fixture
def practice(practice_server):
    """The server without faults, in an open round."""
    practice_server.fault(None)
    if not process_control.server_status(practice_server.server)["open"]:
        practice_server.open_round()
    return practice_server


@pytest.fixture
def weekday_round(practice):
    """A round that has just opened, for an hour, before the live data are fetched."""
    return practice.open_weekday_round()


@dataclass
class Ended:
    """How a command ended."""

    code: int
    log: str
    out: str

    @property
    def verdict(self) -> str:
        return self.log.splitlines()[-1] if self.log else ""


@pytest.fixture
def environment(practice, clean_environment, tmp_path):
    """The variables of a user of the practice server."""
    return {
        **clean_environment,
        **practice.keys,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "NUMERAI_DATA_DIR": str(practice.folder.parent / "shared-data"),
    }


@pytest.fixture
def numerai(environment, tmp_path):
    """Run `numerai-predict`; a variable that is None is not set."""

    def run(*words, **variables):
        env = {**environment, **variables}
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=110,
            cwd=tmp_path,
            env={name: value for name, value in env.items() if value is not None},
            stdin=subprocess.DEVNULL,
        )
        return Ended(ended.returncode, ended.stderr, ended.stdout)

    return run


@pytest.fixture
def live(practice, numerai):
    """The live data of the current round."""
    ended = numerai("data", "get", "live", "features")
    assert ended.code == 0, ended.log
    return pd.read_parquet(Path(ended.out.splitlines()[0]))


@pytest.fixture
def csv(live, tmp_path):
    """Write a submission that passes the gates; `scale` makes it another."""

    def write(name="predictions.csv", values=None, scale=1.0):
        features = live.filter(like="feature_").iloc[:, :42]
        if values is None:
            values = features.mean(axis=1).rank(pct=True) * scale
        path = tmp_path / name
        pd.Series(values, live.index, name="prediction").to_csv(path)
        return path

    return write


def predict_mean(live_features):
    """A model that passes the gates."""
    features = [name for name in live_features if name.startswith("feature_")][:42]
    return live_features[features].mean(axis=1).rank(pct=True).to_frame("prediction")


@pytest.fixture
def pickled(tmp_path):
    """Write a model as a pickle that stands alone."""
    import cloudpickle

    def write(model=predict_mean, name="model.pkl"):
        module = sys.modules[model.__module__]
        cloudpickle.register_pickle_by_value(module)
        try:
            data = cloudpickle.dumps(model)
        finally:
            cloudpickle.unregister_pickle_by_value(module)
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write
