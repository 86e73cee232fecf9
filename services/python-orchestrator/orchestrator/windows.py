"""The orchestrator's own idea of when trading is enabled: [schedule], compiled to instants.

Pure arithmetic, independent of the panel's, so that a mistake in one does not leave trading on. It
knows fixed times, days, zones, nights, holidays and early closes. It does not know exchange
calendars or cron: for those it says so, and the panel's gate alone decides (see gate.py).
"""

import os
import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENVIRONMENT_ZONE = os.environ.get("TZ")  # as it was before the scheduler set it for itself

_HHMM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_CRON = re.compile(r"@\w+|\S+(\s+\S+){4}")
_SESSION = re.compile(r"(open|close)\s*([+-]\s*\w+)?")


@dataclass(frozen=True)
class Verdict:
    """What a schedule says at an instant. It holds from the moment asked for, before `until`."""

    open: bool
    known: bool  # False: this schedule cannot tell; the panel must
    reason: str
    since: float | None = None  # the edge before, if there is one nearby; seconds since 1970
    until: float | None = None  # the next edge, if there is one nearby


@dataclass(frozen=True)
class Schedule:
    start: str
    stop: str
    timezone: str | None
    days: frozenset[str]
    calendar: str | None = None
    holidays: frozenset[date] = frozenset()
    early_closes: dict[date, time] = field(default_factory=dict)

    @property
    def fixed(self) -> bool:
        """Both ends are times of day, so that Python's `schedule` can plan them."""
        return bool(_HHMM.fullmatch(self.start) and _HHMM.fullmatch(self.stop))

    def zone(self):
        """The zone of the wall times; without one in the config, the process's own."""
        return ZoneInfo(self.timezone) if self.timezone else _local_zone()

    def at(self, now: float) -> Verdict:
        if self.calendar:
            return Verdict(False, False, f"only the panel knows the calendar {self.calendar}")
        if not self.fixed:
            return Verdict(False, False, f"only the panel knows when {self.start} to {self.stop} is")
        zone = self.zone()
        try:
            today = datetime.fromtimestamp(now, zone).date()
        except (ValueError, OverflowError, OSError):
            return Verdict(False, False, "the clock shows no date at all")
        windows = [
            window
            for offset in range(-3, 11)  # nights on one side, a week with a holiday on the other
            if (window := self._window(today + timedelta(days=offset), zone))
        ]
        edges = [edge for window in windows for edge in window]
        since = max((edge for edge in edges if edge <= now), default=None)
        until = min((edge for edge in edges if edge > now), default=None)
        for begins, ends in windows:
            if begins <= now < ends:
                close = datetime.fromtimestamp(ends, zone)
                return Verdict(True, True, f"in the window until {close:%a %H:%M}", since, until)
        if until is None:
            return Verdict(False, True, "no window in the coming days", since, until)
        begin = datetime.fromtimestamp(until, zone)
        return Verdict(False, True, f"out of the window until {begin:%a %H:%M}", since, until)

    def _window(self, day: date, zone) -> tuple[float, float] | None:
        """The window that starts on this local day, as seconds since 1970."""
        if DAYS[day.weekday()] not in self.days or day in self.holidays:
            return None
        start, stop = time.fromisoformat(self.start), time.fromisoformat(self.stop)
        night = stop <= start
        begins = instant(day, start, zone)
        ends = instant(day + timedelta(days=1) if night else day, stop, zone)
        early = self.early_closes.get(day)
        if early is not None and not (night and early <= start):
            ends = min(ends, instant(day, early, zone))
        if night and (early := self.early_closes.get(day + timedelta(days=1))) is not None:
            ends = min(ends, instant(day + timedelta(days=1), early, zone))
        return (begins, ends) if begins < ends else None


def instant(day: date, wall: time, zone) -> float:
    """The instant of a wall time. One that the clocks repeat counts the first time; one that they
    skip is the first instant after the gap."""
    before = datetime.combine(day, wall, zone)
    after = before.replace(fold=1)
    low, high = sorted((before.timestamp(), after.timestamp()))
    back = datetime.fromtimestamp(before.timestamp(), zone).replace(tzinfo=None, fold=0)
    if back == before.replace(tzinfo=None):
        return before.timestamp()
    # In a gap the two readings lie on either side of the change: find it to the second.
    offset = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high


def _local_zone():
    """The machine's own zone, for a config that names none."""
    try:
        if name := _ENVIRONMENT_ZONE:
            return ZoneInfo(name)
        with open("/etc/localtime", "rb") as file:
            return ZoneInfo.from_file(file, "local")
    except Exception:  # zoneinfo raises what its loader met: many kinds
        return ZoneInfo("UTC")


def parse_schedule(table) -> Schedule | None:
    """Checks [schedule]; None where there is none. A ValueError is a sentence for a person."""
    if table is None:
        return None
    if not isinstance(table, dict):
        raise ValueError("schedule is not a table")
    start, stop = _edge(table, "start"), _edge(table, "stop")
    if start == stop:
        raise ValueError(f"schedule.start and schedule.stop are both {start!r}; they must differ")
    zone = table.get("timezone") or None
    if zone is not None:
        try:
            ZoneInfo(zone)
        except Exception as error:  # zoneinfo raises what its loader met: many kinds
            raise ValueError(f"schedule.timezone {zone!r} is not a known time zone") from error
    days = table.get("days") or list(DAYS)
    if not isinstance(days, list) or any(day not in DAYS for day in days):
        raise ValueError(f"schedule.days is {days!r}; it may hold {', '.join(DAYS)}")
    calendar = table.get("calendar") or None
    if calendar is not None and not isinstance(calendar, str):
        raise ValueError(f"schedule.calendar is {calendar!r}; it must be a code such as XNYS")
    if calendar is None and (_SESSION.fullmatch(start) or _SESSION.fullmatch(stop)):
        raise ValueError(f"schedule: {start!r} to {stop!r} needs a calendar")
    holidays = table.get("holidays", [])
    early = table.get("early_closes", {})
    if not isinstance(holidays, list):
        raise ValueError(f"schedule.holidays is {holidays!r}; it must be a list of dates")
    if not isinstance(early, dict):
        raise ValueError(f"schedule.early_closes is {early!r}; it must map dates to times")
    return Schedule(
        start=start,
        stop=stop,
        timezone=zone,
        days=frozenset(days),
        calendar=calendar,
        holidays=frozenset(_date("holidays", day) for day in holidays),
        early_closes={_date("early_closes", day): _time(at) for day, at in early.items()},
    )


def _edge(table, key):
    value = table.get(key)
    if isinstance(value, time):  # TOML's own local time
        value = f"{value:%H:%M}"
    if isinstance(value, str):
        value = value.strip()
        if any(form.fullmatch(value) for form in (_HHMM, _SESSION, _CRON)):
            return value
    raise ValueError(
        f"schedule.{key} is {value!r}; it must be HH:MM, a cron expression, or open or close"
    )


def _date(key, value):
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"schedule.{key}: {value!r} is not a date such as 2026-12-24") from error


def _time(value):
    if isinstance(value, time):
        return value.replace(second=0, microsecond=0)
    if not isinstance(value, str) or not _HHMM.fullmatch(value):
        raise ValueError(f"schedule.early_closes: {value!r} is not a time such as 13:00")
    return time.fromisoformat(value)
