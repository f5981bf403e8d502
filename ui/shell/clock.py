"""What time it is for the reader, and in which zone."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from queries.session import cache

# Chromium still calls some zones by names that the people there do not use any more.
_NEW_NAMES = {
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "Europe/Kiev": "Europe/Kyiv",
}

_LONGEST = 64  # letters of a zone's name; each “/” of one is a folder to look into


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of one run, and the reader's time zone."""

    now: datetime
    zone: ZoneInfo

    @property
    def local(self) -> datetime:
        """The time as the reader's own clock shows it."""
        return self.now.astimezone(self.zone)

    @classmethod
    def of_reader(cls) -> "Clock":
        """The time as of now, in the browser's time zone; UTC when it names none that we know."""
        name = (st.context.timezone or "UTC")[:_LONGEST]
        try:
            zone = ZoneInfo(_NEW_NAMES.get(name, name))
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones, a name longer than a file's
            zone = ZoneInfo("UTC")
        return cls(cache.clock(), zone)
