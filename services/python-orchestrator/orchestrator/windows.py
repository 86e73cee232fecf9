"""The orchestrator's own idea of when trading is enabled: [schedule], compiled to instants.

Pure arithmetic, independent of the panel's, so that a mistake in one does not leave trading on. It
knows fixed times, cron, days, zones, nights, holidays and early closes. Of an exchange calendar it
knows only on which days there may be a session, and of a zone that the config does not name it knows
nothing: for those it says so, and the panel's gate decides (see gate.py).
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from .edges import DAYS, REACH_DAYS, Cursor, Edge, instant, minute_of, parse_edge
from .markets import MARKETS

DAY = 86400
# How far from an instant the next edges are looked for, the second only if the first has none.
REACHES = (DAY, 14 * DAY)

_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


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
    start: Edge
    stop: Edge
    timezone: str | None
    days: frozenset[str]
    calendar: str | None = None
    holidays: frozenset[date] = frozenset()
    early_closes: dict[date, int] = field(default_factory=dict)  # minutes of the day

    @property
    def sessions(self) -> bool:
        """An end of it is written by the sessions of an exchange."""
        return self.start.of_session or self.stop.of_session

    @property
    def zoneless(self) -> bool:
        """It has times of day, and does not say by which clock."""
        return not self.timezone and not (self.start.of_session and self.stop.of_session)

    def zone(self):
        """The zone of the wall times; None: the config names none."""
        return ZoneInfo(self.timezone) if self.timezone else None

    def at(self, now: float) -> Verdict:
        if self.zoneless:
            # Only the panel knows its own zone, and another clock's times would be hours off.
            return Verdict(False, False, "only the panel knows in which zone its times are, for schedule.timezone is not set")
        try:
            return self._at(now)
        except (ValueError, OverflowError, OSError):
            return Verdict(False, False, "the clock shows no date at all")

    def _at(self, now: float) -> Verdict:
        zone = self.zone() or ZoneInfo(MARKETS[self.calendar].zone)
        for reach in REACHES:
            low, high = now - reach, now + reach
            found = self.windows(low, high, zone)
            # An edge outside of the range may be that of a part, beyond which trading goes on.
            edges = [edge for window in found for edge in window if low < edge < high]
            since = max((edge for edge in edges if edge <= now), default=None)
            until = min((edge for edge in edges if edge > now), default=None)
            if since is not None and until is not None:
                break
        then = "" if until is None else f"{datetime.fromtimestamp(until, zone):%a %H:%M}"
        if any(begins <= now < ends for begins, ends in found):
            if self.calendar:
                return Verdict(False, False, f"only the panel knows the calendar {self.calendar}", since, until)
            return Verdict(True, True, f"in the window until {then}" if then else "in the window", since, until)
        if not then:
            return Verdict(False, True, "no window in the coming days", since, until)
        at_least = "at least " if self.calendar else ""
        return Verdict(False, True, f"out of the window until {at_least}{then}", since, until)

    def windows(self, low: float, high: float, zone) -> list[tuple[float, float]]:
        """The windows that overlap this range, ordered, apart from one another. With a calendar they
        are an outer bound: trading is enabled in a part of them, and never outside."""
        if self.sessions:
            return _merged(self._market_days(low, high, zone))
        if "cron" in (self.start.kind, self.stop.kind):
            found = self._cron_windows(low, high, zone)
        else:
            found = self._daily_windows(low, high, zone)
        if self.calendar:
            return _merged(_common(found, _merged(self._market_days(low, high, zone))))
        return _merged(part for window in found for part in self._less_closed_dates(window, zone))

    def _begins(self, day: date) -> bool:
        """Whether a window may begin on this local date. With a calendar, `holidays` are dates of its
        sessions, of which one may have opened the evening before: see _market_days."""
        return DAYS[day.weekday()] in self.days and (self.calendar is not None or day not in self.holidays)

    def _daily_windows(self, low, high, zone):
        start, stop = self.start.times.minutes[0], self.stop.times.minutes[0]
        night = stop <= start
        found = []
        for day in _dates(low - 2 * DAY, high + DAY, zone):
            if not self._begins(day):
                continue
            last = day + timedelta(days=1) if night else day
            begins, ends = instant(day, start, zone), instant(last, stop, zone)
            if not self.calendar:
                early = self.early_closes.get(day)
                # A night begins after the early close of its own evening, which is not its own.
                if early is not None and not (night and early <= start):
                    ends = min(ends, instant(day, early, zone))
                if night and (early := self.early_closes.get(last)) is not None:
                    ends = min(ends, instant(last, early, zone))
            found.append((begins, ends))
        return found

    def _cron_windows(self, low, high, zone):
        """They begin at a start and end at the next stop. A start within a window changes nothing;
        where both come at the same minute, stop wins."""
        at = self.stop.times.last(low, zone)
        if at is None:
            at = low - REACH_DAYS * DAY
        starts = Cursor(self.start.times, at, zone, self._begins)
        stops = Cursor(self.stop.times, at, zone)
        found = []
        while (start := starts.after(at)) and start[0] < high:
            begins, day = start
            stop = stops.after(begins - 1)
            at = ends = stop[0] if stop else high + REACH_DAYS * DAY
            if not self.calendar:
                ends = self._cut_early(begins, ends, day, zone)
                if ends == begins:  # the day's later starts come after its close too
                    at = max(begins, min(at, instant(day + timedelta(days=1), 0, zone) - 1))
            found.append((begins, ends))
        return found

    def _cut_early(self, begins, ends, day, zone):
        """Where a cron window that begins on this date ends: at the date's early close, or where it goes
        into the next date, at that one's. At once if the date has closed before."""
        last, after = datetime.fromtimestamp(ends, zone).date(), day + timedelta(days=1)
        for on, early in ((d, self.early_closes.get(d)) for d in (day, after)):
            if early is None or on == after and last != after:
                continue
            cut = instant(on, early, zone)
            if cut > begins:
                ends = min(ends, cut)
            elif on == day == last:
                return begins
        return ends

    def _less_closed_dates(self, window, zone):
        """Parts of a window that lasts longer than a day: a closed date or an early close in the middle
        of it holds too, not only on the date on which it begins."""
        begins, ends = window
        first, last = (datetime.fromtimestamp(edge, zone) for edge in window)
        if last.replace(tzinfo=None) - first.replace(tzinfo=None) <= timedelta(days=1):
            return [window]
        parts = []
        for day in sorted({*self.holidays, *self.early_closes}):
            if not first.date() <= day <= last.date():
                continue
            closes = instant(day, 0 if day in self.holidays else self.early_closes[day], zone)
            opens = instant(day + timedelta(days=1), 0, zone)
            if closes < opens and begins < opens and closes < ends:
                parts.append((begins, closes))
                begins = opens
        return [*parts, (begins, ends)]

    def _market_days(self, low, high, zone):
        """Within what the sessions of the exchange lie, or the windows that are written by them."""
        market = MARKETS[self.calendar]
        found = []
        for day in _dates(low - 3 * DAY, high + 3 * DAY, zone):
            span = market.day(day)
            if span is None or day in self.holidays:
                continue
            begins, ends = span
            if self.sessions:
                if DAYS[day.weekday()] not in self.days:
                    continue
                begins, ends = begins + 60 * min(0, self.start.offset), ends + 60 * max(0, self.stop.offset)
                if self.start.kind == "wall":
                    begins = min(begins, instant(day, 0, zone))
                if self.stop.kind == "wall":
                    ends = max(ends, instant(day + timedelta(days=1), 0, zone))
            found.append((begins, ends))
        return found


def _dates(low, high, zone):
    day, last = (datetime.fromtimestamp(at, zone).date() for at in (low, high))
    while day <= last:
        yield day
        day += timedelta(days=1)


def _merged(windows):
    """In order, and one where they touch, as they do where the clocks skip what lay between."""
    merged = []
    for begins, ends in sorted(windows):
        if begins >= ends:
            continue
        if merged and begins <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ends))
        else:
            merged.append((begins, ends))
    return merged


def _common(windows, others):
    return [
        (max(begins, first), min(ends, last))
        for begins, ends in windows
        for first, last in others
        if first < ends and begins < last
    ]


def parse_schedule(table) -> Schedule | None:
    """Checks [schedule]; None where there is none. A ValueError is a sentence for a person."""
    if table is None:
        return None
    if not isinstance(table, dict):
        raise ValueError("schedule is not a table")
    start, stop = _edge(table, "start"), _edge(table, "stop")
    zone = _zone(table.get("timezone", ""))
    days = table.get("days", list(DAYS))
    if not isinstance(days, list) or not days or any(day not in DAYS for day in days):
        raise ValueError(f"schedule.days is {days!r}; it is a list of some of {', '.join(DAYS)}, or not set for every day")
    calendar = table.get("calendar", "")
    if not isinstance(calendar, str) or calendar and calendar not in MARKETS:
        raise ValueError(f"schedule.calendar is {calendar!r}; known are {', '.join(MARKETS)}")
    holidays = table.get("holidays", [])
    early = table.get("early_closes", {})
    if not isinstance(holidays, list):
        raise ValueError(f"schedule.holidays is {holidays!r}; it must be a list of dates")
    if not isinstance(early, dict):
        raise ValueError(f"schedule.early_closes is {early!r}; it must map dates to times")
    schedule = Schedule(
        start=start,
        stop=stop,
        timezone=zone,
        days=frozenset(days),
        calendar=calendar or None,
        holidays=frozenset(_date("holidays", day) for day in holidays),
        early_closes={_date("early_closes", day): _time(at) for day, at in early.items()},
    )
    _together(schedule)
    return schedule


def _edge(table, key):
    if key not in table:
        raise ValueError(f"schedule.{key} is missing")
    try:
        return parse_edge(table[key])
    except ValueError as error:
        raise ValueError(f"schedule.{key} is {table[key]!r}: {error}") from error


def _together(schedule):
    """What is wrong with start and stop only in each other's company."""
    start, stop = schedule.start, schedule.stop
    said = f"schedule.start is {start.text!r} and schedule.stop is {stop.text!r}"
    if schedule.sessions:
        if not schedule.calendar:
            raise ValueError(f"{said}, which needs a calendar")
        if "cron" in (start.kind, stop.kind):
            raise ValueError(f"{said}: a cron expression and a time of a session cannot be combined")
        if start.kind == stop.kind and start.offset >= stop.offset:
            raise ValueError(f"{said}: the window would be empty")
    elif start.kind == stop.kind == "wall":
        if start.times == stop.times:
            raise ValueError(f"schedule.start and schedule.stop are both {start.text!r}; they must differ")
    elif not _ever(schedule):
        raise ValueError(f"{said}: start never comes without stop at the same minute, so trading would never open")


def _ever(schedule) -> bool:
    """Whether there is a date on which a window can begin. A weekday and 29 February meet once in 28
    or 40 years."""
    start, stop = schedule.start.times, schedule.stop.times
    alone = not set(start.minutes) <= set(stop.minutes)
    first = date(2024, 1, 1)
    return any(
        start.on(day) and DAYS[day.weekday()] in schedule.days and (alone or not stop.on(day))
        for day in (first + timedelta(days=n) for n in range(41 * 366))
    )


def _zone(name) -> str | None:
    if name == "":
        return None
    wrong = f"schedule.timezone {name!r} is not a known time zone"
    if not isinstance(name, str) or not _ZONE.fullmatch(name):
        raise ValueError(wrong)
    if name.lower() in ("local", "localtime", "posixrules") or name.lower().startswith(("right/", "posix/")):
        raise ValueError(f"schedule.timezone {name!r} means something else on each machine; write a name such as America/New_York")
    try:
        ZoneInfo(name)
    except Exception as error:  # zoneinfo raises what its loader met: many kinds
        raise ValueError(wrong) from error
    return name


def _date(key, value):
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValueError
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"schedule.{key}: {value!r} is not a date such as 2026-12-24") from error


def _time(value):
    try:
        return minute_of(value)
    except ValueError as error:
        raise ValueError(f"schedule.early_closes: {value!r} is not a time such as 13:00") from error
