"""How many examples Hypothesis invents: a quarter of them in a quick run."""

import hypothesis

_DEFAULT = 100
share = 1.0
"""Set by conftest before any test is collected."""


def use(new_share: float) -> None:
    """Set it, also for the tests that name no number. How long an example takes says nothing about it."""
    global share  # noqa: PLW0603 - one for the whole run
    share = new_share
    hypothesis.settings.register_profile("ours", deadline=None, max_examples=_count(_DEFAULT))
    hypothesis.settings.load_profile("ours")


def examples(most: int) -> hypothesis.settings:
    """At most so many examples."""
    return hypothesis.settings(max_examples=_count(most))


def _count(most: int) -> int:
    return max(8, round(most * share))
