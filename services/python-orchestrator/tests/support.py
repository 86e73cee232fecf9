"""What several tests use."""

import logging
from datetime import datetime
from zoneinfo import ZoneInfo


class Lines(logging.Handler):
    """A logger that keeps its lines."""

    def __init__(self):
        super().__init__()
        self.lines = []
        self.log = logging.Logger("test")
        self.log.addHandler(self)

    def emit(self, record):
        self.lines.append(f"{record.levelname} {record.getMessage()}")


class Clock:
    """A clock that stands until it is set, in seconds since 1970."""

    def __init__(self, text, zone="America/New_York"):
        self._zone = ZoneInfo(zone)
        self.set(text)

    def set(self, text):
        self.now = at(text, self._zone.key)

    def __call__(self):
        return self.now


def at(text, zone="America/New_York"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()
