"""Engines that are full of records: one table pair per size on each, named after the size."""

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.support import dataset
from data.dynamodb.client import Store
from data.settings import Settings
from tests.support import engines

FULL_SIZE = 100_000  # evaluations, at which some goals are set


@dataclass(frozen=True, slots=True)
class World:
    """Both tables with `count` evaluations on a running engine."""

    engine: str
    url: str
    count: int
    loaded_at: datetime

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which the dashboard reads these tables."""
        return {
            "BANDUP_SOURCE": "aws",
            "AWS_REGION": engines.REGION,
            "AWS_ENDPOINT_URL_DYNAMODB": self.url,
            "AWS_ACCESS_KEY_ID": engines.CREDENTIALS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": engines.CREDENTIALS["aws_secret_access_key"],
            "DYNAMODB_EVALUATIONS": f"evaluations-{self.count}",
            "DYNAMODB_FLASHCARD_SETS": f"sets-{self.count}",
        }

    @property
    def settings(self) -> Settings:
        """The same as settings."""
        return Settings.read(self.environ)

    def store(self) -> Store:
        """A Store of its own."""
        return Store.open(self.settings, **engines.CREDENTIALS)

    def __str__(self) -> str:
        return f"{self.count:,} on {self.engine}"


@contextmanager
def worlds(sizes: Mapping[str, Sequence[int]], days: int = 365, *, whole: bool = True) -> Iterator[list[World]]:
    """Start each engine of `sizes` (name -> sizes), fill it with so many days, and stop it at the end."""
    with ExitStack() as stack:
        full = []
        for name, counts in sizes.items():
            url = stack.enter_context(engines.running(name))
            for count in counts:
                world = World(name, url, count, datetime.now(UTC))
                print(f"filling {world} …", flush=True)
                dataset.load(url, world.settings, count, world.loaded_at, days, whole=whole)
                full.append(world)
        yield full


def use(world: World) -> None:
    """Let everything in this process read from `world`."""
    from ui.shell import sign_in  # noqa: PLC0415 - it brings Streamlit, which not every benchmark needs in this process

    os.environ.update(world.environ)
    # Pages that run in process have no connection: Streamlit's tests put a mock in its place, which would be refused.
    sign_in._client = lambda: None
    sign_in._secrets = dict  # nor is this machine's secrets.toml any of theirs


def quiet() -> None:
    """No files and variables of this user, and none of the remarks that pages make outside of a server."""
    for variable in [name for name in os.environ if name.startswith(("AWS_", "DYNAMODB_", "BANDUP_SOURCE"))]:
        del os.environ[variable]
    empty = tempfile.mkdtemp()
    os.environ |= {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": f"{empty}/config",
        "AWS_SHARED_CREDENTIALS_FILE": f"{empty}/credentials",
        "NO_PROXY": "127.0.0.1",
    }
    logging.disable(logging.WARNING)
