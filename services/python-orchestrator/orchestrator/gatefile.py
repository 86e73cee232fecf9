"""Reads trading.json, the panel's gate, beside the config file."""

import json
import os
from dataclasses import dataclass
from datetime import datetime

MODES = ("schedule", "halted", "forced")


@dataclass(frozen=True)
class Missing:
    """There is no gate to read: nobody has said anything."""

    why: str


@dataclass(frozen=True)
class Garbled:
    """There is a gate, and it cannot be understood."""

    why: str


@dataclass(frozen=True)
class Gate:
    enabled: bool
    mode: str
    reason: str
    by: str
    since: float | None
    until: float | None
    written: float  # when the panel last stood by it: `since`, or the file's own time if later


class GateFile:
    """The newest reading. A look costs one stat; the file is read only when it was replaced."""

    def __init__(self, path):
        self.path = path
        self._identity = None
        self._reading = Missing("not looked yet")

    def read(self) -> Missing | Garbled | Gate:
        try:
            found = os.stat(self.path)
            identity = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size, found.st_ctime_ns)
            if identity != self._identity:
                with open(self.path, "rb") as file:
                    content = file.read(1 << 16)
                self._reading = parse(content, found.st_mtime)
                self._identity = identity
        except OSError as error:
            self._identity = None
            self._reading = Missing(f"the gate file cannot be read ({error.strerror})")
        return self._reading


def parse(content: bytes, modified: float) -> Garbled | Gate:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        return Garbled(f"the gate file is not JSON ({error})")
    if not isinstance(value, dict) or not isinstance(value.get("trading_enabled"), bool):
        return Garbled("the gate file does not say trading_enabled")
    if value.get("mode") not in MODES:
        return Garbled(f"the gate file has an unknown mode {value.get('mode')!r}")
    try:
        since, until = _instant(value.get("since")), _instant(value.get("until"))
    except (ValueError, OverflowError):
        return Garbled("the gate file holds a time that is none")
    if value["mode"] == "forced" and until is None:
        return Garbled("the gate file forces trading on without an end")
    return Gate(
        enabled=value["trading_enabled"],
        mode=value["mode"],
        reason=str(value.get("reason") or ""),
        by=str(value.get("by") or ""),
        since=since,
        until=until,
        written=max(since or 0.0, modified),
    )


def _instant(value):
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(value)
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError(value)
    return found.timestamp()
