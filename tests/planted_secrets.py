"""Secrets of every kind, and failures of every kind that could show one.

Each failure is a run of `predict.py` or of a command, against a server that sends back whatever it
received, and with models that show all that they find.
"""

from __future__ import annotations

import gzip
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cloudpickle
from web_server import Reply, Request, Web

ROOT = Path(__file__).parents[1]
COMMAND = "from numerai_predict.cli.main import main; raise SystemExit(main())"

SECRETS = {
    name: f"planted{number:02d}{name.replace(' ', '')}"
    for number, name in enumerate(
        (
            "secret access key",
            "session token",
            "key of a credentials file",
            "secret key",
            "public id",
            "key in a keys file",
            "token of another program",
            "query of a model",
            "query of live data",
            "query of an upload",
            "policy of a form",
            "signature of a form",
            "password in a URL",
            "password of a proxy",
        )
    )
}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAPUBLIC",
    "AWS_SECRET_ACCESS_KEY": SECRETS["secret access key"],
    "AWS_SESSION_TOKEN": SECRETS["session token"],
    "AWS_DEFAULT_REGION": "us-east-1",
    "NUMERAI_SECRET_KEY": SECRETS["secret key"],
    "NUMERAI_PUBLIC_ID": SECRETS["public id"],
    "GITHUB_TOKEN": SECRETS["token of another program"],
}
MODEL_QUERY = f"X-Amz-Signature={SECRETS['query of a model']}"
DATA_QUERY = f"X-Amz-Signature={SECRETS['query of live data']}"
UPLOAD_QUERY = f"sig={SECRETS['query of an upload']}"
FORM = f"key=p.csv&policy={SECRETS['policy of a form']}&x-amz-signature="
FORM += SECRETS["signature of a form"]


@dataclass(frozen=True)
class Failure:
    """One kind of failure: how it is started, and the exit codes that it may end with."""

    name: str
    argv: list[str]
    exit_codes: tuple[int, ...]
    environment: dict[str, str] = field(default_factory=dict)


def _show_everything() -> str:
    """All that a model finds in its process."""
    found = [repr(dict(os.environ))]
    for name in ("self/environ", "self/cmdline", f"{os.getppid()}/environ", "1/environ"):
        try:
            found.append(Path("/proc", name).read_text(errors="replace"))
        except OSError as error:
            found.append(str(error))
    return "\n".join(found)


def raises(_live: Any) -> None:
    """Raise all that it finds."""
    raise ValueError(_show_everything())


def prints(_live: Any) -> None:
    """Print all that it finds and exit."""
    print(_show_everything(), flush=True)
    os._exit(3)


def dumps_core(_live: Any) -> None:
    """Die by a signal that leaves a core dump."""
    _kept = _show_everything()
    os.kill(os.getpid(), signal.SIGSEGV)


def grows(_live: Any) -> None:
    """Use more memory than allowed."""
    kept = []
    while True:
        kept.append(bytearray(16 * 1024**2))


def hangs(_live: Any) -> None:
    """Take more time than allowed."""
    print(_show_everything(), flush=True)
    time.sleep(600)


def shows_in_ids(live: Any) -> Any:
    """Return all that it finds as ids."""
    import pandas as pd

    return pd.DataFrame({"prediction": 0.5}, index=[_show_everything()] * len(live))


def shows_in_columns(live: Any) -> Any:
    """Return all that it finds as names of columns."""
    import pandas as pd

    return pd.DataFrame({_show_everything(): 0.5, "b": 0.5}, index=live.index)


def connects(_live: Any) -> None:
    """Send all that it finds to a host whose name contains it."""
    import socket

    socket.create_connection((_show_everything()[:60], 80), 1)


def imports(_live: Any) -> None:
    """Import a module whose name is all that it finds."""
    __import__(_show_everything()[:300])


def forges(_live: Any) -> None:
    """Write all that it finds to every descriptor."""
    for descriptor in range(1, 20):
        try:
            os.write(descriptor, _show_everything().encode())
        except OSError:
            continue
    os._exit(0)


def three(_a: Any, _b: Any, _c: Any) -> None:
    """Take more arguments than there are."""


def ranks(live: Any) -> Any:
    """Return good predictions."""
    return (
        live.iloc[:, -1:]
        .set_axis(["prediction"], axis=1)
        .assign(prediction=[(number + 1) / (len(live) + 1) for number in range(len(live))])
    )


def write_models(folder: Path) -> dict[str, str]:
    """Write every model as a pickle; their paths by name."""
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    made = {}
    for model in (raises, prints, dumps_core, grows, hangs, shows_in_ids, shows_in_columns,
                  connects, imports, forges, three, ranks):  # fmt: skip
        path = folder / f"{model.__name__}.pkl"
        path.write_bytes(cloudpickle.dumps(model))
        made[model.__name__] = str(path)
    cloudpickle.unregister_pickle_by_value(module)
    return made


def _echo(status: int, **headers: str) -> Any:
    def reply(request: Request) -> Reply:
        repeated = f"{request.path}?{request.query}\n{request.headers}\n".encode() + request.body
        return Reply(b"<Error><Code>Refused</Code><Message>" + repeated + b"</Message></Error>",
                     status, headers)  # fmt: skip

    return reply


def fill(web: Web, good: bytes) -> None:
    """Give the server a reply of every kind; most repeat the request."""
    for status in (400, 401, 403, 404, 407, 409, 410, 429, 500, 503, 200):
        web.replies[f"/{status}.pkl"] = web.replies[f"/{status}"] = _echo(status)
    for path in ("/again.pkl", "/away.pkl", "/file.pkl"):
        target = {"/again.pkl": "/again.pkl", "/away.pkl": "/404.pkl", "/file.pkl": "file:///etc"}
        web.replies[path] = lambda request, to=target[path]: Reply(
            b"", 302, {"Location": f"{to}?{request.query}"}
        )
    web.replies["/short.pkl"] = Reply(good[:50], headers={"Content-Length": str(len(good))})
    web.replies["/broken.pkl.gz"] = Reply(gzip.compress(good)[:40])
    web.replies["/encoded.pkl"] = Reply(b"no gzip", headers={"Content-Encoding": "gzip"})
    web.replies["/slow.pkl"] = Reply(b"", headers={"Content-Length": "999"}, drip_seconds=0.2)
    web.replies["/large.pkl"] = Reply(b"x" * 5000)
    web.replies["/graphql"] = _echo(200)


def failures(web: Web, sample: Path, folder: Path, closed: int) -> list[Failure]:
    """Every kind of failure."""
    models = write_models(folder)
    fill(web, Path(models["ranks"]).read_bytes())
    refused = f"http://127.0.0.1:{closed}"
    return [
        *_of_fetching(web.url, refused, sample, folder),
        *_of_models(models, sample, folder),
        *_of_deliveries(web.url, refused, models["ranks"], sample, folder),
        *_of_options(models["ranks"], sample, folder),
        *_of_commands(web.url, refused, models["ranks"], sample, folder),
    ]


def _predict(
    name: str, codes: tuple[int, ...], folder: Path, *options: Any, **more: str
) -> Failure:
    record = folder / f"{name.replace(' ', '-').replace('/', '-')}.json"
    output = folder / "output"
    output.mkdir(exist_ok=True)
    argv = [sys.executable, ROOT / "predict.py", "--output_dir", output, "--result", record]
    return Failure(name, [str(word) for word in (*argv, *options)], codes, more)


def _of_fetching(url: str, refused: str, sample: Path, folder: Path) -> list[Failure]:
    live = ("--dataset", f"{sample}/live.parquet", "--deadline", "10")
    bad_model = {
        **{f"{status}": f"{url}/{status}.pkl?" for status in (403, 404, 410, 429, 500, 503)},
        "page": f"{url}/200.pkl?",
        "redirects": f"{url}/again.pkl?",
        "redirect": f"{url}/away.pkl?",
        "redirect to a file": f"{url}/file.pkl?",
        "cut": f"{url}/short.pkl?",
        "cut archive": f"{url}/broken.pkl.gz?",
        "encoding": f"{url}/encoded.pkl?",
        "slow": f"{url}/slow.pkl?",
        "refused": f"{refused}/m.pkl?",
        "no TLS": f"{url.replace('http', 'https')}/404.pkl?",
        "no host": "http://host.invalid/m.pkl?",
        "no port": "http://127.0.0.1:port/m.pkl?",
    }
    made = [
        _predict(
            f"model {name}",
            (10, 11, 50),
            folder,
            *("--model", source + MODEL_QUERY, *live),
            *(("--deadline", "2") if name in ("slow", "500", "503", "429") else ()),
        )
        for name, source in bad_model.items()
    ]
    user = url.replace("//", f"//user:{SECRETS['password in a URL']}@")
    made.append(_predict("model password", (10, 50), folder, "--model", f"{user}/404.pkl", *live))
    large = {"NUMERAI_MAX_FETCHED_SIZE": "1k"}
    source = f"{url}/large.pkl?{MODEL_QUERY}"
    made.append(_predict("model large", (10,), folder, "--model", source, *live, **large))
    proxy = refused.replace("//", f"//user:{SECRETS['password of a proxy']}@")
    for name, through in (("refused", proxy), ("407", proxy.replace(refused[7:], url[7:]))):
        proxies = {"http_proxy": through, "HTTP_PROXY": through, "NO_PROXY": "", "no_proxy": ""}
        source = f"http://models.invalid/407.pkl?{MODEL_QUERY}"
        made.append(
            _predict(f"proxy {name}", (10, 50), folder, "--model", source, *live, **proxies)
        )
    for name, endpoint in (("refused", refused), ("403", f"{url}/403")):
        s3 = {"AWS_ENDPOINT_URL_S3": endpoint}
        source = "s3://bucket/m.pkl"
        made.append(_predict(f"bucket {name}", (10, 50), folder, "--model", source, *live, **s3))
    model = ("--model", folder / "ranks.pkl", "--deadline", "10")
    for status in ("403", "404", "500", "200"):
        data = f"{url}/{status}?{DATA_QUERY}"
        made.append(_predict(f"data {status}", (15, 50), folder, *model, "--dataset", data))
    data = f"{refused}/live.parquet?{DATA_QUERY}"
    made.append(_predict("data refused", (15, 50), folder, *model, "--dataset", data))
    api = {"NUMERAI_API_URL": f"{url}/403"}
    name = "v5.2/live.parquet"
    made.append(_predict("data by name", (15, 50), folder, *model, "--dataset", name, **api))
    return made


def _of_models(models: dict[str, str], sample: Path, folder: Path) -> list[Failure]:
    data = (
        "--dataset",
        f"{sample}/live.parquet",
        "--post_url",
        "http://127.0.0.1:9/?" + UPLOAD_QUERY,
        "--post_data",
        FORM,
    )
    limits = {"grows": ("--memory", "300m"), "hangs": ("--timeout", "2")}
    codes = {"prints": (21,), "dumps_core": (21,), "grows": (22,), "hangs": (23,), "forges": (21,),
             "shows_in_ids": (30,), "shows_in_columns": (30,), "three": (14,)}  # fmt: skip
    made = [
        _predict(
            f"model {name}",
            codes.get(name, (20, 13)),
            folder,
            "--model",
            path,
            *data,
            *limits.get(name, ()),
        )
        for name, path in models.items()
        if name != "ranks"
    ]
    for name in ("raises", "imports"):
        options = ("--model", models[name], *data, "--debug")
        made.append(_predict(f"model {name} debug", (20, 13), folder, *options))
    text = ("--model", ROOT / "LICENSE", *data)
    return [*made, _predict("model of text", (11,), folder, *text)]


def _of_deliveries(url: str, refused: str, model: str, sample: Path, folder: Path) -> list[Failure]:
    good = ("--model", model, "--dataset", f"{sample}/live.parquet", "--deadline", "15")
    targets = {f"upload {status}": f"{url}/{status}" for status in (200, 400, 403, 409, 500)}
    targets |= {"upload refused": refused, "upload redirect": f"{url}/away.pkl"}
    made = [
        _predict(
            name,
            (40, 50),
            folder,
            *good,
            "--post_url",
            f"{target}?{UPLOAD_QUERY}",
            "--post_data",
            FORM,
        )
        for name, target in targets.items()
    ]
    target = f"{url}/403?{UPLOAD_QUERY}"
    debug = ("--post_url", target, "--post_data", FORM, "--debug")
    return [*made, _predict("upload 403 debug", (40, 50), folder, *good, *debug)]


def _of_options(model: str, sample: Path, folder: Path) -> list[Failure]:
    good = ("--model", model, "--dataset", f"{sample}/live.parquet")
    wrong = {
        "url alone": ("--post_url", f"http://127.0.0.1/?{UPLOAD_QUERY}"),
        "form alone": ("--post_data", FORM),
        "no form": ("--post_url", "http://127.0.0.1/", "--post_data", SECRETS["policy of a form"]),
        "no url": ("--post_url", SECRETS["query of an upload"], "--post_data", FORM),
        "unknown": ("--post_dat", FORM),
        "number": ("--timeout", f"http://127.0.0.1/?{UPLOAD_QUERY}"),
        "folder": ("--output_dir", f"http://127.0.0.1/?{UPLOAD_QUERY}"),
        "bucket": ("--output_dir", f"s3://b/p?{UPLOAD_QUERY}"),
    }
    return [
        _predict(f"option {name}", (2, 10, 40, 41), folder, *good, *options)
        for name, options in wrong.items()
    ]


def _of_commands(url: str, refused: str, model: str, sample: Path, folder: Path) -> list[Failure]:
    keys = folder / "keys.env"
    keys.write_text(f"NUMERAI_PUBLIC_ID=A\nNUMERAI_SECRET_KEY={SECRETS['key in a keys file']}\n")
    keys.chmod(0o600)
    open_keys = folder / "open.env"
    open_keys.write_text(keys.read_text())
    open_keys.chmod(0o644)
    unknown = folder / "unknown.env"
    unknown.write_text(f"NUMERAI_SECRETKEY={SECRETS['key in a keys file']}\n")
    unknown.chmod(0o600)
    csv = folder / "p.csv"
    csv.write_text("id,prediction\na,0.5\nb,0.6\n")
    codes = (2, 10, 15, 40, 50, *range(80, 93))
    commands = {
        "rounds": ("rounds",),
        "status": ("status", "--model-name", "m"),
        "submit": ("submit", str(csv), "--model-name", "m"),
        "upload": ("upload", model, "--model-name", "m"),
        "round": ("round", model, "--model-name", "m"),
    }
    variants = {
        "echo": {"NUMERAI_API_URL": f"{url}/graphql"},
        "keys file": {"NUMERAI_API_URL": f"{url}/401", "NUMERAI_KEYS_FILE": str(keys),
                      "NUMERAI_PUBLIC_ID": "", "NUMERAI_SECRET_KEY": ""},
    }  # fmt: skip
    made = [
        _command(f"{name} {variant}", codes, words, settings)
        for name, words in commands.items()
        for variant, settings in variants.items()
    ]
    for name, file in (("open keys", open_keys), ("unknown key", unknown)):
        settings = {"NUMERAI_API_URL": refused, "NUMERAI_KEYS_FILE": str(file)}
        made.append(_command(name, codes, ("rounds",), settings))
    post = ("--post-url", f"{url}/403?{UPLOAD_QUERY}", "--post-data", FORM)
    made.append(_command("deliver", (40,), ("deliver", str(csv), *post), {}))
    made.append(_command("inspect", (10, 11), ("inspect", f"{url}/200.pkl?{MODEL_QUERY}"), {}))
    source = f"{url}/404.pkl?{MODEL_QUERY}"
    run = ("run", source, "--no-container", "--dataset", f"{sample}/live.parquet")
    return [*made, _command("run", (10,), (*run, "--output-dir", str(folder / "output")), {})]


def _command(
    name: str, codes: tuple[int, ...], words: tuple[str, ...], settings: dict[str, str]
) -> Failure:
    return Failure(f"command {name}", [sys.executable, "-c", COMMAND, *words], codes, settings)
