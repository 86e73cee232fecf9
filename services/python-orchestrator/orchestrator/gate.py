"""The gate in front of every order entry: the panel's word and the own schedule, put together."""

import threading
from dataclasses import replace

from .gatefile import Garbled, Gate, Missing
from .windows import Verdict

# A clock set back by more than this was wrong before, not now.
BELIEVED_SECONDS = 26 * 3600
# How long after an edge the panel may still not have kept it before its file counts as stale.
GRACE_SECONDS = 5.0


def decide(own: Verdict, gate, now: float) -> tuple[bool, str]:
    """Whether trading is enabled, and why.

    A halt wins over everything. Else trading takes both, the panel's gate and the own schedule; only
    a person's "trade until" overrules the schedule. Where the panel has nothing to say, the own
    schedule decides alone, and where that cannot tell either, there is no trading.
    """
    if isinstance(gate, Garbled):
        return False, gate.why
    if isinstance(gate, Gate) and gate.mode == "halted":
        return False, f"halted: {gate.reason}" if gate.reason else "halted"
    if own.open and own.until is not None and now >= own.until:
        own = Verdict(False, True, "the window has closed")  # also if nobody looked since
    if isinstance(gate, Gate) and gate.mode == "forced" and now < gate.until:
        return gate.enabled, f"forced: {gate.reason}" if gate.reason else "forced"
    silence = _silence(own, gate, now)
    if silence:
        if not own.known:
            return False, f"{own.reason}, and {silence}"
        return own.open, f"own schedule: {own.reason} ({silence})"
    if not gate.enabled:
        return False, f"gate: {gate.reason}" if gate.reason else "gate closed"
    if not own.known:
        if gate.until is not None and now >= gate.until:  # no grace: nobody else knows of this close
            return False, f"the gate's time has passed, and {own.reason}"
        return True, f"gate: {gate.reason} ({own.reason})" if gate.reason else f"gate ({own.reason})"
    if not own.open:
        return False, f"own schedule: {own.reason}"
    return True, f"schedule: {own.reason}"


def _silence(own: Verdict, gate, now: float) -> str:
    """Why the panel's file has nothing to say; empty if it has.

    The file is replaced at every edge. An edge that passed without it, by the file's own word or by
    the own schedule, means that nobody keeps it any more.
    """
    if isinstance(gate, Missing):
        return gate.why
    for edge in (gate.until, own.since if own.known else None):
        if edge is not None and gate.written < edge and now >= edge + GRACE_SECONDS:
            return "the gate file is stale"
    return ""


class TradingEnabled:
    """`trading_enabled.get()` stands before every order entry. Safe for concurrent use.

    It remembers two things. A window that has closed, by the own schedule or by the gate file's
    `until`, does not open again because the clock was set back: whoever looks first, an order entry
    or the scheduler's tick, sees the close for both. And a
    halt, or a file that could not be understood, holds until a file that can be read says otherwise:
    that the file went away is nobody's word. Both are remembered in this process alone. One that
    starts without a gate file knows of no halt and keeps its own schedule; the panel, which keeps a
    halt in its own state too, writes the file again within a second.
    """

    def __init__(self, gatefile, clock, log):
        self._gatefile = gatefile
        self._clock = clock
        self._log = log
        self._lock = threading.Lock()  # guards what follows
        self._own = Verdict(False, False, "the scheduler has not looked yet")
        self._closed_through = None
        self._latched = None
        self._awaited = None  # the gate that is open, while its end is to come
        self._ended = None  # the last gate whose end came
        self._said = None

    def get(self) -> bool:
        return self.look()[0]

    def follow(self, own: Verdict):
        """Takes the scheduler's newest verdict."""
        with self._lock:
            self._settled(self._clock())  # the old verdict's close, if nobody has looked since
            self._own = own
        self.look()

    def look(self) -> tuple[bool, str]:
        """Decides anew, from the file as it is now, and logs what changed."""
        with self._lock:
            now = self._clock()
            decision = decide(self._settled(now), self._less_ended(self._heard(), now), now)
            if decision != self._said:
                self._said = decision
                self._log.info("trading_enabled=%s reason=%s", str(decision[0]).lower(), decision[1])
            return decision

    def _heard(self):
        """The gate file's word, or where there is none, the last one if that stopped trading."""
        gate = self._gatefile.read()
        if not isinstance(gate, Missing):
            halted = isinstance(gate, Garbled) or gate.mode == "halted"
            self._latched = gate if halted else None
            return gate
        if isinstance(self._latched, Garbled):
            return Garbled(f"{self._latched.why}, and now {gate.why}")
        if self._latched is not None:
            reason = f"{self._latched.reason}, and now " if self._latched.reason else ""
            return replace(self._latched, reason=reason + gate.why)
        return gate

    def _less_ended(self, gate, now: float):
        """The gate, less a window whose end was seen to come. While the panel runs it says so itself;
        without it, where only it knew of the end, a clock that was set back would open it again."""
        if self._awaited is not None and now >= self._awaited.until:
            self._ended, self._awaited = self._awaited, None
        if isinstance(gate, Missing):
            return gate
        open_now = isinstance(gate, Gate) and gate.enabled and gate.until is not None and now < gate.until
        if open_now and self._ended is not None and self._ended.until - now < BELIEVED_SECONDS:
            # Of a person's "trade until", only the same one has ended.
            same = (gate.since, gate.until) == (self._ended.since, self._ended.until)
            if same or gate.mode == "schedule" and gate.until <= self._ended.until:
                why = "its window has closed already, and the clock was set back"
                return replace(gate, enabled=False, mode="schedule", reason=why)
        self._awaited = gate if open_now else None
        return gate

    def _settled(self, now: float) -> Verdict:
        """The scheduler's verdict, less a window that was seen to close."""
        own = self._own
        if not own.open or own.until is None:
            return own
        if now >= own.until:
            self._closed_through = own.until
            return Verdict(False, True, "the window has closed")
        through = self._closed_through
        if through is not None and own.until <= through and through - now < BELIEVED_SECONDS:
            why = "this window has closed already, and the clock was set back"
            return Verdict(False, True, why, own.since, own.until)
        return own
