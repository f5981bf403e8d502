"""What is opened once a process, and what is not asked for again."""

from typing import Any

import pytest

from data.dynamodb.errors import Failure
from queries import source


@pytest.mark.parametrize(("kind", "times"), [("not_offered", 1), ("expired", 2), ("unreachable", 2)])
def test_an_endpoint_of_dynamodb_alone_is_asked_for_no_other_services_again(
    kind: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To find that out, botocore reads megabytes, and each visit of Setup did."""
    opened: list[Any] = []

    def cannot(store: Any) -> Any:
        opened.append(store)
        raise Failure(kind)  # type: ignore[arg-type] # one of its kinds

    monkeypatch.setattr(source, "open_clients", cannot)
    monkeypatch.setattr(source, "store", lambda: "the store")
    source.close()
    for _ in range(2):
        with pytest.raises(Failure) as caught:
            source.clients()
        assert caught.value.kind == kind
    assert opened == ["the store"] * times
    source.close()
    with pytest.raises(Failure):
        source.clients()
    assert len(opened) == times + 1
    source.close()
