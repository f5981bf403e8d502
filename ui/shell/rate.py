"""How often something may happen."""

import time
from collections import deque


class Rate:
    """Lets something happen at most so many times within so many seconds."""

    def __init__(self, most: int, seconds: float) -> None:
        self._times: deque[float] = deque(maxlen=most)
        self._seconds = seconds

    @property
    def is_idle(self) -> bool:
        """Whether none of it has happened of late."""
        return not self._times or time.monotonic() - self._times[-1] >= self._seconds

    def admits(self) -> bool:
        """Whether it may happen now, which then counts."""
        now = time.monotonic()
        if len(self._times) == self._times.maxlen and now - self._times[0] < self._seconds:
            return False
        self._times.append(now)
        return True


class Pace:
    """Lets things happen at most so many a second, after so many at once: what is more waits for its turn."""

    def __init__(self, at_once: int, a_second: float) -> None:
        self._step = 1 / a_second
        self._at_once = at_once
        self._until = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits or has happened of late."""
        return self._until <= time.monotonic()

    @property
    def delay(self) -> float:
        """Seconds that the next one would wait."""
        return max(0.0, self._until - time.monotonic() - (self._at_once - 1) * self._step)

    def book(self, weight: float = 1.0) -> float:
        """The next turn, of something that counts for so many; the seconds until it comes."""
        now = time.monotonic()
        self._until = max(self._until, now) + weight * self._step
        wait = self._until - now - self._at_once * self._step
        return wait if wait > 1e-6 else 0.0
