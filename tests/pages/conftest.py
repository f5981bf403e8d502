"""Fixtures of the pages in front of an engine whose answers a proxy can spoil."""

from tests.support.outage import aws, engine_store, names, running_proxy  # noqa: F401 - fixtures
