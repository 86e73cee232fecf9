"""What schedule.start and schedule.stop may be, and the instants of wall times.

The panel reads the same notations in Go; schedule/testdata/notations.toml holds both to it.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# From one 29 February to the next it can be eight years: how far a time is looked for.
REACH_DAYS = 9 * 366

_HHMM = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_SESSION = re.compile(r"(open|close)(?: *([+-]) *(?=[0-9])(?:([0-9]+)h)? *(?:([0-9]+)m)?)?")
_PIECE = re.compile(r"(?:([*?])|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:/([0-9]{1,3}))?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIELDS = (  # the least, the most, and names that begin at the least
    (0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 6, (DAYS[-1], *DAYS[:-1])),
)
_SHORT = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}


@dataclass(frozen=True)
class Times:
    """Times of day on some dates: one time on each date, or what a cron expression says."""

    minutes: tuple[int, ...]  # of the day, ascending
    dom: frozenset[int] = frozenset(range(1, 32))
    month: frozenset[int] = frozenset(range(1, 13))
    dow: frozenset[int] = frozenset(range(7))  # 0 is Sunday
    either: bool = False  # day of month and day of week are both restricted: one of them is enough

    def on(self, day: date) -> bool:
        if day.month not in self.month:
            return False
        dom, dow = day.day in self.dom, day.isoweekday() % 7 in self.dow
        return dom or dow if self.either else dom and dow

    def last(self, now: float, zone) -> float | None:
        """The last of them that is not after now."""
        # From the day after: an hour that the clocks repeat around midnight comes again after it.
        day = datetime.fromtimestamp(now, zone).date() + timedelta(days=1)
        for _ in range(REACH_DAYS):
            if self.on(day):
                for minute in reversed(self.minutes):
                    if (at := instant(day, minute, zone)) <= now:
                        return at
            day -= timedelta(days=1)
        return None


class Cursor:
    """Walks forward through times, those on the dates that `keep` keeps."""

    def __init__(self, times: Times, now: float, zone, keep=lambda day: True):
        self._times, self._zone, self._keep = times, zone, keep
        self._day, self._index = self._before(now), 0

    def _before(self, now):
        # The day before: a time that the clocks skip may come on the day after its date.
        return datetime.fromtimestamp(now, self._zone).date() - timedelta(days=1)

    def after(self, now: float) -> tuple[float, date] | None:
        """The first one later than now, which must not be before that of the last call."""
        if (near := self._before(now)) > self._day:
            self._day, self._index = near, 0
        minutes = self._times.minutes
        for _ in range(REACH_DAYS):
            if self._times.on(self._day) and self._keep(self._day):
                while self._index < len(minutes):
                    if (at := instant(self._day, minutes[self._index], self._zone)) > now:
                        return at, self._day
                    self._index += 1
            self._day, self._index = self._day + timedelta(days=1), 0
        return None


def instant(day: date, minute: int, zone) -> float:
    """The instant of a wall time, as seconds since 1970. One that the clocks repeat counts the first
    time; one that they skip is the first instant after the gap."""
    wall = datetime.combine(day, time(minute // 60, minute % 60), zone)
    first = wall.timestamp()
    if datetime.fromtimestamp(first, zone).replace(tzinfo=None, fold=0) == wall.replace(tzinfo=None):
        return first
    # In a gap the two readings lie on either side of the change: find it to the second.
    low, high = sorted((first, wall.replace(fold=1).timestamp()))
    offset = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high


@dataclass(frozen=True)
class Edge:
    """One end of the windows."""

    text: str
    kind: str  # "wall": HH:MM; "cron"; "open" and "close": of an exchange's session
    times: Times | None = None  # wall, cron
    offset: int = 0  # open, close: in minutes

    @property
    def of_session(self) -> bool:
        return self.kind in ("open", "close")


def parse_edge(value) -> Edge:
    """A ValueError says what is wrong."""
    if isinstance(value, time):  # TOML's own local time
        if value.second or value.microsecond:
            raise ValueError(f"{value} has seconds: a schedule is kept to the minute")
        return wall(f"{value:%H:%M}")
    if not isinstance(value, str) or not (value.isascii() and value.isprintable()):
        raise ValueError(f"{value!r} is not a time such as '09:30'")
    text = value.strip()
    if session := _SESSION.fullmatch(text.lower()):
        kind, sign, hours, minutes = session.groups()
        offset = int(hours or 0) * 60 + int(minutes or 0)
        if offset > 24 * 60:
            raise ValueError(f"{text!r} is too far from the session: at most 24 hours before or after")
        return Edge(text, kind, offset=-offset if sign == "-" else offset)
    if text.startswith("@") or " " in text:
        return Edge(text, "cron", times=parse_cron(text))
    return wall(text)


def wall(text: str) -> Edge:
    return Edge(text, "wall", times=Times((minute_of(text),)))


def minute_of(value) -> int:
    """HH:MM as a minute of the day."""
    if isinstance(value, time) and not value.second and not value.microsecond:
        return value.hour * 60 + value.minute
    found = _HHMM.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"{value!r} is not HH:MM, a cron expression, or open or close with a calendar")
    return int(found[1]) * 60 + int(found[2])


def parse_cron(text: str) -> Times:
    fields = _SHORT.get(text, text).split()
    if len(fields) != 5:
        raise ValueError(f"{text!r} is not a cron expression of five fields")
    sets, stars = [], []
    for field, (least, most, names) in zip(fields, _FIELDS):
        found, star = set(), False
        for piece in field.split(","):
            match = _PIECE.fullmatch(piece.lower())
            if not match:
                raise ValueError(f"{text!r} is not a cron expression: {piece!r} is none of its parts")
            any_, first, last, step = match.groups()
            low, high = (least, most) if any_ else (_number(first, least, names), _number(last or first, least, names))
            if step and not any_ and not last:
                high = most  # "5/10" is "5-59/10"
            if not least <= low <= high <= most or step and int(step) == 0:
                raise ValueError(f"{text!r} is not a cron expression: {piece!r} is out of range")
            found.update(range(low, high + 1, int(step or 1)))
            star = star or bool(any_) and int(step or 1) == 1
        sets.append(frozenset(found))
        stars.append(star)
    minutes = tuple(60 * hour + minute for hour in sorted(sets[1]) for minute in sorted(sets[0]))
    times = Times(minutes, sets[2], sets[3], sets[4], not stars[2] and not stars[4])
    # A leap year has all the dates that there are, and each falls on every weekday in some year.
    if not times.either and not any(
        (date(2024, 1, 1) + timedelta(days=n)).day in times.dom
        and (date(2024, 1, 1) + timedelta(days=n)).month in times.month
        for n in range(366)
    ):
        raise ValueError(f"{text!r} never comes: no date matches it")
    return times


def _number(text, least, names):
    if text in names:
        return least + names.index(text)
    if not text.isdigit():
        raise ValueError(f"{text!r} is not known in a cron expression")
    return int(text)
