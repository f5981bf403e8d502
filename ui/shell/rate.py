"""How often something may happen."""

import time
from collections import deque


class Rate:
    """Lets something happen at most so many times within so many seconds."""

    def __init__(self, most: int, seconds: float) -> None:
        self._times: deque[float] = deque(maxlen=most)
        self._seconds = seconds

    def admits(self) -> bool:
        """Whether it may happen now, which then counts."""
        now = time.monotonic()
        if len(self._times) == self._times.maxlen and now - self._times[0] < self._seconds:
            return False
        self._times.append(now)
        return True
