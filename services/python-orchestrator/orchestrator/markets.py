"""What this service itself knows of the exchanges: which of their days may have a session at all.

When a session opens and closes, and on which holidays there is none, only the panel knows. This is
an outer bound: what lies outside of it is closed, whatever the gate file says. A test of the panel's
(schedule/agree_test.go) holds it against every session of its calendars.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Market:
    zone: str  # in which its dates are meant
    evening: int = 0  # how many hours before midnight the session of a date may open
    weekend: bool = False  # it has sessions of a Saturday and a Sunday

    def day(self, day: date) -> tuple[float, float] | None:
        """Within what the session of this date lies; None: there is none."""
        if day.weekday() >= 5 and not self.weekend:
            return None
        zone = ZoneInfo(self.zone)
        begins, ends = (datetime.combine(d, time(0), zone) for d in (day, day + timedelta(days=1)))
        return begins.timestamp() - 3600 * self.evening, ends.timestamp()


MARKETS = {
    "24-5": Market("UTC"),
    "24-7": Market("UTC", weekend=True),
    "CMES": Market("America/Chicago", evening=7),
    "XAMS": Market("Europe/Amsterdam"),
    "XASX": Market("Australia/Sydney"),
    "XETR": Market("Europe/Berlin"),
    "XHKG": Market("Asia/Hong_Kong"),
    "XLON": Market("Europe/London"),
    "XNAS": Market("America/New_York"),
    "XNYS": Market("America/New_York"),
    "XPAR": Market("Europe/Paris"),
    "XSWX": Market("Europe/Zurich"),
    "XTKS": Market("Asia/Tokyo"),
    "XTSE": Market("America/Toronto"),
}
