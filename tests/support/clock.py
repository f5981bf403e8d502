"""A clock that stands still, for pages whose words name times."""

import importlib
from datetime import datetime, tzinfo
from typing import Any

import pytest

from tests.support.engines import ROOT

_FOLDERS = ("data", "analysis", "queries", "wording", "exports", "ui")


class _OfAny(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime)


def stand_still(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """Let every module of ours find this time, whatever time it is."""

    class Still(datetime, metaclass=_OfAny):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return now.astimezone(tz)

    for path in (path for folder in _FOLDERS for path in (ROOT / folder).rglob("[!_]*.py")):
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        if getattr(module, "datetime", None) is datetime:
            monkeypatch.setattr(module, "datetime", Still)
