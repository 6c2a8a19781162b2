"""A provider of messages that can be told to misbehave, and keeps its own ledger: an SMS gateway, two SMS clouds, three
group robots and a webhook endpoint on one loopback port.

A fault is chosen for each request by `faults`: what is taken is in the ledger, whatever was answered.
"""

import asyncio
import contextlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

TAKES = frozenset({"ok", "drop", "hang", "garbage", "endless", "taken_500"})  # faults after which it has the message
_ROBOTS = {"wecom": {"text": 2048, "markdown": 4096}, "dingtalk": {"text": 20_000}}
_PHRASES = {200: "OK", 302: "Found", 404: "Not Found", 410: "Gone", 429: "Too Many Requests", 500: "Error"}


@dataclass(frozen=True)
class Request:
    """What came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Taken:
    """One entry of the ledger: the kind of provider, the id under which it came (its text where there is none), and
    what it said."""

    kind: str
    key: str
    text: str


@dataclass
class Provider:
    """`async with Provider() as provider`: it listens at `provider.url`."""

    faults: Callable[[Request], str] = field(default=lambda request: "ok")
    handed: Counter[str] = field(default_factory=Counter)  # by key: how often it came, whatever became of it
    ledger: dict[str, Taken] = field(default_factory=dict)  # what an idempotent provider has
    taken: list[Taken] = field(default_factory=list)  # what one that may double has
    requests: list[Request] = field(default_factory=list)
    listed: bool = True  # whether it tells of what it took
    keep_requests: bool = True

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._open: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def count(self, key: str) -> int:
        """How often a provider that may double took what bears `key`."""
        return sum(its.key == key for its in self.taken)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._serve(reader, writer):
                    pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answers one request; False when the connection is to be closed."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, target, _ = first.split(" ")
        parts = urlsplit(target)
        request = Request(method, parts.path, dict(parse_qsl(parts.query)), headers, body)
        if self.keep_requests:
            self.requests.append(request)
        fault = self.faults(request)
        answer = self._answer(request, fault in TAKES)
        await _write(writer, fault, answer)
        return fault in ("ok", "429", "500", "410", "302", "garbage", "taken_500")

    def _answer(self, request: Request, takes: bool) -> tuple[int, object]:
        """What is answered if nothing goes wrong; if it `takes` the message, that is in the ledger."""
        action = request.headers.get("x-acs-action") or request.headers.get("x-tc-action")
        if action in ("QuerySendDetails", "PullSmsSendStatusByPhoneNumber"):
            return 200, self._told(action)
        if request.method == "GET":
            its = self.ledger.get(request.path.rpartition("/")[2]) if self.listed else None
            return (200, {"ref": its.key, "state": "accepted"}) if its else (404, {})
        kind, key, text = _read(request, action)
        self.handed[key] += 1
        if kind in _ROBOTS and len(text.encode()) > _longest(request):
            return 200, {"errcode": 45002, "errmsg": "content size out of limit"}
        if takes:
            self.ledger.setdefault(key, Taken(kind, key, text))
            self.taken.append(Taken(kind, key, text))
        return 200, _yes(kind, key)

    def _told(self, action: str) -> object:
        its = list(self.ledger.values()) if self.listed else []
        if action == "QuerySendDetails":
            details = [{"OutId": each.key, "SendStatus": 3, "ErrCode": "DELIVERED"} for each in its]
            return {"Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": details}}
        statuses = [{"SessionContext": each.key, "SerialNo": each.key, "ReportStatus": "SUCCESS"} for each in its]
        return {"Response": {"PullSmsSendStatusSet": statuses, "RequestId": uuid4().hex}}


@contextmanager
def listening() -> Iterator[Provider]:
    """A provider beside a program that waits for nobody: it runs in a thread of its own."""
    loop, provider = asyncio.new_event_loop(), Provider()
    thread = threading.Thread(target=loop.run_forever, name="provider", daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(provider.__aenter__(), loop).result()
    try:
        yield provider
    finally:
        asyncio.run_coroutine_threadsafe(provider.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _read(request: Request, action: str | None) -> tuple[str, str, str]:
    """Kind, key and text of a message, in whichever provider's form it came."""
    if action == "SendSms" and "x-acs-action" in request.headers:
        return "aliyun", request.query["OutId"], request.query["TemplateParam"]
    content = json.loads(request.body)
    if action == "SendSms":
        return "tencent", content["SessionContext"], json.dumps(content["TemplateParamSet"], ensure_ascii=False)
    if "webhook-id" in request.headers:
        return "webhook", request.headers["webhook-id"], request.body.decode()
    if request.path[1:] in _ROBOTS:
        said = content[content["msgtype"]]["content"]
        return request.path[1:], said, said
    if request.path.startswith("/feishu"):
        return "feishu", content["content"]["text"], content["content"]["text"]
    return "gateway", content["id"], content["text"]


def _longest(request: Request) -> int:
    """Bytes of a text that a robot takes, by kind."""
    return _ROBOTS[request.path[1:]][json.loads(request.body)["msgtype"]]


def _yes(kind: str, key: str) -> object:
    match kind:
        case "aliyun":
            return {"Code": "OK", "Message": "OK", "BizId": f"biz-{key}"}
        case "tencent":
            return {"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": f"serial-{key}"}]}}
        case "feishu":
            return {"code": 0, "msg": "success"}
        case "gateway":
            return {"code": "0", "ref": f"ref-{key}"}
    return {"errcode": 0, "errmsg": "ok"}


async def _write(writer: asyncio.StreamWriter, fault: str, answer: tuple[int, object]) -> None:
    status, content = answer
    match fault:
        case "drop" | "lost":
            return
        case "hang" | "silent":
            await asyncio.sleep(3600)
            return
        case "endless":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                await writer.drain()
                await asyncio.sleep(0)
        case "garbage":
            _respond(writer, 200, b"<html>\xff\x00 not what you think", {})
        case "302":
            _respond(writer, 302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"})
        case "429":
            _respond(writer, 429, b"slow down", {"Retry-After": "1"})
        case "500" | "taken_500":
            _respond(writer, 500, b"oops", {})
        case "410":
            _respond(writer, 410, b"", {})
        case _:
            _respond(writer, status, json.dumps(content).encode(), {"Content-Type": "application/json"})
    await writer.drain()


def _respond(writer: asyncio.StreamWriter, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    lines = [f"HTTP/1.1 {status} {_PHRASES[status]}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
