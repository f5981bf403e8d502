"""An HTTP proxy in front of an engine that fails on demand: which requests, how, and how many of them.

It knows what DynamoDB, Lambda, IAM, CloudWatch and SNS are asked; what others are asked, it passes on.
"""

import http.client
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

JSON = {"Content-Type": "application/x-amz-json-1.0"}
_PREFIX = "com.amazonaws.dynamodb.v20120810#"
_SERVICES = {"monitoring": "cloudwatch"}  # how IAM calls what signatures call otherwise
# Lambda's operations by method and the end of the path.
_LAMBDA = {
    ("GET", "configuration"): "GetFunctionConfiguration",
    ("PUT", "configuration"): "UpdateFunctionConfiguration",
    ("GET", "aliases"): "ListAliases",
    ("GET", "concurrency"): "GetFunctionConcurrency",
}


@dataclass(frozen=True)
class Asked:
    """A request: what it asks of which table and index, with which access key."""

    operation: str
    table: str
    index: str
    key_id: str
    service: str = "dynamodb"

    @property
    def arn(self) -> str:
        """What IAM would have to allow it on."""
        if self.service != "dynamodb":
            return self.table
        arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{self.table}"
        return f"{arn}/index/{self.index}" if self.index else arn


@dataclass(frozen=True)
class Reply:
    """An answer. `cut` sends only so much of the body that it announces, then resets the connection."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    delay: float = 0.0
    drip: float = 0.0


Fault = Callable[[Asked, Callable[[], Reply]], Reply]
"""The answer to a request, which may be made of the engine's own: calling the second argument asks the engine."""


@dataclass
class Rule:
    """The first `skip` requests that `of` holds for pass, the next `times` (None: all) meet the fault."""

    fault: Fault
    of: Callable[[Asked], bool] = lambda _: True
    times: int | None = None
    skip: int = 0


@dataclass
class Proxy:
    """A running proxy. `rules` may be changed at any time; the first one that applies decides."""

    url: str
    rules: list[Rule] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    failed: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def fail(
        self,
        fault: Fault,
        of: Callable[[Asked], bool] | None = None,
        *,
        times: int | None = None,
        skip: int = 0,
    ) -> None:
        """From now on only this rule."""
        with self.lock:
            self.rules[:] = [Rule(fault, of or (lambda _: True), times, skip)]

    def heal(self) -> None:
        """No rules."""
        with self.lock:
            self.rules.clear()
            self.asked.clear()
            self.failed.clear()

    def judge(self, asked: Asked) -> Fault | None:
        """The fault that this request meets."""
        with self.lock:
            self.asked.append(asked)
            for rule in self.rules:
                if not rule.of(asked):
                    continue
                if rule.skip:
                    rule.skip -= 1
                    continue
                if rule.times is None or rule.times > 0:
                    rule.times = None if rule.times is None else rule.times - 1
                    self.failed.append(asked)
                    return rule.fault
            return None


def operation(*names: str) -> Callable[[Asked], bool]:
    """Requests of these operations."""
    return lambda asked: asked.operation in names


def lost(asked: Asked, engine: Callable[[], Reply]) -> Reply:
    """The engine does what it is asked, and its answer is lost: boto3 then asks again."""
    engine()
    return refusal("InternalServerError", "injected", 500)(asked, engine)


def refusal(code: str, message: str | Callable[[Asked], str], status: int = 400) -> Fault:
    """AWS's answer that refuses, with a request id."""

    def fault(asked: Asked, _: Callable[[], Reply]) -> Reply:
        content = message if isinstance(message, str) else message(asked)
        headers = {"x-amzn-RequestId": f"REQ-{code}"}
        if asked.service in ("sns", "iam"):
            xml = f"<ErrorResponse><Error><Code>{code}</Code><Message>{content}</Message></Error></ErrorResponse>"
            return Reply(status, xml.encode(), {**headers, "Content-Type": "text/xml"})
        body = json.dumps({"__type": _PREFIX + code, "message": content}).encode()
        return Reply(status, body, {**JSON, **headers})

    return fault


def plain(status: int, body: bytes = b"") -> Fault:
    """A bare status, as a load balancer gives it."""
    return lambda *_: Reply(status, body, {"x-amzn-RequestId": f"REQ-{status}"})


def hang(seconds: float) -> Fault:
    """Nothing for so long."""
    return lambda _, engine: replace(engine(), delay=seconds)


def drip(seconds: float) -> Fault:
    """The answer a byte at a time, with so long in between."""
    return lambda _, engine: replace(engine(), drip=seconds)


def reset(_: Asked, engine: Callable[[], Reply]) -> Reply:
    """The connection is reset in the middle of the body."""
    reply = engine()
    return replace(reply, cut=len(reply.body) // 2)


def truncated(_: Asked, engine: Callable[[], Reply]) -> Reply:
    """Half of the JSON, as if that were all of it."""
    reply = engine()
    headers = {**JSON, "x-amzn-RequestId": "REQ-HALF"}
    return Reply(reply.status, reply.body[: len(reply.body) // 2], headers)


def denied(asked: Asked) -> str:
    """What AWS says when no policy allows a request."""
    return (
        "User: arn:aws:sts::123456789012:assumed-role/teacher/dashboard is not authorized to perform: "
        f"{asked.service}:{asked.operation} on resource: {asked.arn} because no identity-based policy allows the "
        f"{asked.service}:{asked.operation} action"
    )


@contextmanager
def in_front_of(engine: str) -> Iterator[Proxy]:
    """A proxy on a free loopback port, in front of the engine at that URL."""
    where = urlsplit(engine)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = _asked(self.command, self.path, self.headers, body)
            fault = proxy.judge(asked)
            self.send(fault(asked, lambda: self.forward(body)) if fault else self.forward(body))

        def forward(self, body: bytes) -> Reply:
            connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
            prefixes = ("x-amz-", "content-type", "authorization")
            headers = {n: v for n, v in self.headers.items() if n.lower().startswith(prefixes)}
            with closing(connection):
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                kept = {n: v for n, v in answer.getheaders() if n.lower().startswith(("x-amz", "content-type"))}
                return Reply(answer.status, answer.read(), kept)

        do_GET = do_PUT = do_POST  # noqa: N815 - http.server calls them so

        def send(self, reply: Reply) -> None:
            if reply.delay and proxy.closing.wait(reply.delay):
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if reply.cut is not None:
                self.wfile.write(reply.body[: reply.cut])
                self.wfile.flush()
                # Closing with lingering for no time sends a reset.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
                return
            if not reply.drip:
                self.wfile.write(reply.body)
                return
            for n in range(len(reply.body)):
                self.wfile.write(reply.body[n : n + 1])
                if proxy.closing.wait(reply.drip):
                    self.close_connection = True
                    return

        def handle(self) -> None:
            try:
                super().handle()
            except (OSError, ValueError):
                self.close_connection = True  # the client did not wait

        def finish(self) -> None:
            with suppress(OSError, ValueError):
                super().finish()

        def log_message(self, *_: Any) -> None:
            """Nothing on the console."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _asked(method: str, path: str, headers: Any, body: bytes) -> Asked:
    signed = str(headers.get("Authorization", "")).partition("Credential=")[2].split("/")
    key_id, scope = signed[0], signed[3] if len(signed) > 3 else "dynamodb"
    service = _SERVICES.get(scope, scope)
    operation = str(headers.get("X-Amz-Target", "")).rpartition(".")[2]
    if service == "cloudwatch":
        return Asked(operation, "arn:aws:cloudwatch:us-east-1:123456789012:alarm:*", "", key_id, service)
    if service == "lambda":
        parts = urlsplit(path).path.split("/")
        named = _LAMBDA.get((method, parts[-1]), "ListTags" if "tags" in parts else "")
        function = next((name for before, name in pairwise(parts) if before in ("functions", "tags")), "")
        return Asked(named, unquote(function), "", key_id, service)
    if service != "dynamodb":
        form = parse_qs(body.decode("utf-8", "replace")) if service in ("sns", "iam") else {}
        about = form.get("TopicArn") or form.get("PolicySourceArn") or [""]
        return Asked(form.get("Action", [""])[0], about[0], "", key_id, service)
    parameters = json.loads(body or b"{}")
    tables = list(parameters.get("RequestItems", {})) or [str(parameters.get("ResourceArn", "")).rpartition("/")[2]]
    return Asked(
        operation=operation,
        table=parameters.get("TableName") or tables[0],
        index=parameters.get("IndexName", ""),
        key_id=key_id,
    )
