"""The practice server over HTTP: GraphQL at `/`, files at presigned URLs, its controls."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from ariadne import graphql_sync
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from numerai_predict.storage.files import sha256_of
from numerai_predict.tournament.practice.faults import Fault, FaultEndpoint, FaultKind
from numerai_predict.tournament.practice.request_context import INVALID_SESSION, RequestContext
from numerai_predict.tournament.practice.schedule import next_round
from numerai_predict.tournament.practice.schema import build_schema
from numerai_predict.tournament.practice.service import PracticeService
from numerai_predict.tournament.practice.store import Caller

CONTROL_HEADER = "X-Practice-Control"

_OWN_HOSTS = ["127.0.0.1", "localhost"]

_DENIED = '<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
_LOST = Response("bad gateway", status_code=502)


def make_app(practice: PracticeService, control: str) -> Starlette:
    """The server's ASGI application; `control` is the password of its controls."""
    handlers = _Handlers(practice, control)
    return Starlette(
        routes=[
            Route("/", handlers.graphql, methods=["POST"]),
            Route("/upload/{name:path}", handlers.upload, methods=["PUT"]),
            Route("/data/{name:path}", handlers.data),
            Route("/submission/{name:path}", handlers.submission),
            Route("/practice/status", handlers.status),
            Route("/practice/clock", handlers.clock, methods=["POST"]),
            Route("/practice/fault", handlers.fault, methods=["POST"]),
            Route("/practice/stake", handlers.stake, methods=["POST"]),
        ],
        # A web page whose name resolves to this machine (DNS rebinding) must not use the server.
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=_OWN_HOSTS, www_redirect=False)
        ],
    )


class _Handlers:
    def __init__(self, practice: PracticeService, control: str) -> None:
        self._practice = practice
        self._control = control
        self._schema = build_schema()

    async def graphql(self, request: Request) -> Response:
        """One query or mutation."""
        body = await request.body()
        document = _parse_object(body)
        if document is None:
            return JSONResponse({"errors": [{"message": "expected JSON"}]}, 400)
        fault = self._practice.faults.next_fault(
            FaultEndpoint.GRAPHQL, body.decode(errors="replace")
        )
        response = await _early_response(fault)
        if response is not None:
            return response
        if fault and fault.kind is FaultKind.INVALID_SESSION:
            return JSONResponse({"errors": [{"message": INVALID_SESSION}]})
        if fault and fault.kind is FaultKind.GRAPHQL_ERROR:
            return JSONResponse({"errors": [{"message": "Internal server error"}]})
        result = await run_in_threadpool(self._execute, document, request.headers)
        return _LOST if _loses_response(fault) else JSONResponse(result)

    def _execute(self, document: Any, headers: Any) -> dict[str, Any]:
        context = RequestContext(self._practice, self._caller(headers.get("Authorization", "")))
        _, result = graphql_sync(self._schema, document, context_value=context)
        return dict(result)

    def _caller(self, header: str) -> Caller | None:
        scheme, _, token = header.partition(" ")
        public_id, _, secret = token.partition("$")
        return self._practice.store.caller(public_id, secret) if scheme == "Token" else None

    async def upload(self, request: Request) -> Response:
        """Upload a file to the presigned URL of a ticket."""
        name = request.path_params["name"]
        if refusal := self._refusal(request, "upload", name):
            return refusal
        fault = self._practice.faults.next_fault(FaultEndpoint.UPLOAD)
        response = await _early_response(fault)
        if response is not None:
            return response
        target = self._practice.upload_path(name)
        part = target.with_name(f".{name}.{secrets.token_hex(4)}.part")
        digest = hashlib.sha256()
        try:
            with open(part, "wb") as handle:
                async for chunk in request.stream():
                    digest.update(chunk)
                    handle.write(chunk)
            os.replace(part, target)  # noqa: PTH105 - beside open()
        finally:
            part.unlink(missing_ok=True)
        self._practice.store.rows(
            "UPDATE tickets SET sha256 = ? WHERE filename = ?", digest.hexdigest(), name
        )
        return _LOST if _loses_response(fault) else Response(status_code=200)

    async def data(self, request: Request) -> Response:
        """A data file of a round."""
        number, _, name = request.path_params["name"].partition("/")
        return await self._file(
            request, "data", lambda: self._practice.datasets.path(name, int(number))
        )

    async def submission(self, request: Request) -> Response:
        """The bytes of a submission."""
        name = request.path_params["name"]
        return await self._file(request, "submission", lambda: self._practice.upload_path(name))

    async def _file(self, request: Request, area: str, find: Callable[[], Path | None]) -> Response:
        if refusal := self._refusal(request, area, request.path_params["name"]):
            return refusal
        response = await _early_response(self._practice.faults.next_fault(FaultEndpoint.DATA))
        if response is not None:
            return response
        path = await run_in_threadpool(find)
        if path is None or not path.is_file():
            return _denied(404, "NoSuchKey", "The specified key does not exist.")
        etag = f'"{(await run_in_threadpool(_etag, path))}"'
        if request.headers.get("If-None-Match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        return FileResponse(path, headers={"ETag": etag})

    def _refusal(self, request: Request, area: str, name: str) -> Response | None:
        expires = request.query_params.get("expires", "")
        signature = request.query_params.get("signature", "")
        if not self._practice.is_signed(area, name, expires, signature):
            return _denied(403, "SignatureDoesNotMatch", "The signature does not match.")
        if int(expires) < datetime.now().timestamp():  # noqa: DTZ005 - seconds since the epoch
            return _denied(403, "AccessDenied", "Request has expired")
        return None

    async def status(self, request: Request) -> Response:
        """The state of the server, for `practice status`."""
        if refused := self._controls(request):
            return refused
        return JSONResponse(await run_in_threadpool(self._state))

    def _state(self) -> dict[str, Any]:
        practice, store = self._practice, self._practice.store
        now, current = practice.now(), practice.current_round()
        fault = practice.faults.current
        stakes = practice.stakes()
        counts = {
            table: (store.row(f"SELECT COUNT(*) AS n FROM {table}") or {})["n"]  # noqa: S608
            for table in ("submissions", "pickles")
        }
        return {
            "pid": os.getpid(),
            "clock": now.isoformat(timespec="seconds"),
            "round": current.number,
            "open": current.is_open(now),
            "closes": current.closes.isoformat(),
            "next_opens": next_round(now).opens.isoformat(),
            # The same times as the API shows them.
            "client_closes": practice.to_client_time(current.closes),
            "client_next_opens": practice.to_client_time(next_round(now).opens),
            "models": list(stakes),
            "stakes": stakes,
            "fault": asdict(fault) if fault else None,
            **counts,
        }

    async def clock(self, request: Request) -> Response:
        """Set the clock: `to` is a time, or null for the real one."""
        if refused := self._controls(request):
            return refused
        document = _parse_object(await request.body())
        try:
            to = (document or {})["to"]
            self._practice.set_clock(datetime.fromisoformat(to) if to else None)
        except (KeyError, TypeError, ValueError):
            return JSONResponse({"error": "expected an object with a time or null as `to`"}, 400)
        return JSONResponse(await run_in_threadpool(self._state))

    async def fault(self, request: Request) -> Response:
        """Activate a fault; null deactivates it."""
        if refused := self._controls(request):
            return refused
        document = _parse_object(await request.body())
        try:
            fault = (document or {})["fault"]
            self._practice.faults.switch(Fault(**fault) if fault else None)
        except KeyError:
            return JSONResponse({"error": "expected an object with `fault`"}, 400)
        except (TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(await run_in_threadpool(self._state))

    async def stake(self, request: Request) -> Response:
        """Set the stake of the models, by their names, to an amount of `nmr`."""
        if refused := self._controls(request):
            return refused
        document = _parse_object(await request.body()) or {}
        try:
            await run_in_threadpool(
                self._practice.set_stakes, document.get("models"), document.get("nmr")
            )
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(await run_in_threadpool(self._state))

    def _controls(self, request: Request) -> Response | None:
        given = request.headers.get(CONTROL_HEADER, "")
        if secrets.compare_digest(given.encode(), self._control.encode()):
            return None
        return Response("the controls need the password of the server's owner", status_code=403)


def _parse_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object of a request; `None` for other JSON, or one that is nested too deeply."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


async def _early_response(fault: Fault | None) -> Response | None:
    """The response of a fault that prevents the request; `slow` waits and has none."""
    if fault and fault.kind is FaultKind.SERVER_ERROR:
        return Response("practice: an injected fault", status_code=503)
    if fault and fault.kind is FaultKind.SLOW:
        await asyncio.sleep(fault.seconds)
    return None


def _loses_response(fault: Fault | None) -> bool:
    return fault is not None and fault.kind is FaultKind.LOST_RESPONSE


def _denied(status: int, code: str, message: str) -> Response:
    text = _DENIED.format(code=code, message=message)
    return Response(text, status_code=status, media_type="application/xml")


_etags: dict[tuple[Path, int, int], str] = {}


def _etag(path: Path) -> str:
    """The hash of the file's bytes; cached while size and modification time stay."""
    status = path.stat()
    key = (path, status.st_mtime_ns, status.st_size)
    if key not in _etags:
        _etags[key] = sha256_of(path)[:32]
    return _etags[key]
