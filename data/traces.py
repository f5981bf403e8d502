"""Where an error comes from, for the log: its places, without its words, which may quote a student's work."""

import traceback

_OUTER, _INNER = 10, 30
"""Places that are named: one that comes of going too deep has a thousand."""


def places(error: BaseException) -> list[str]:
    """The places of an error, the innermost last, each as Python prints it; of very many, those at both ends."""
    frames = traceback.extract_tb(error.__traceback__)
    if len(frames) <= _OUTER + _INNER:
        return traceback.format_list(frames)
    between = f"  … {len(frames) - _OUTER - _INNER} more …\n"
    return [*traceback.format_list(frames[:_OUTER]), between, *traceback.format_list(frames[-_INNER:])]
