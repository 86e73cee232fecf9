"""The orchestrator's own scheduler thread, so that trading opens and closes without the panel."""

import os
import threading
import time
from datetime import datetime

import schedule

from .windows import Verdict

TICK_SECONDS = 0.1
# A cron expression with more times of day than this gets one job a minute instead of one for each.
MOST_JOBS = 48
# A verdict holds until its next edge; where none is near, it is asked for again after this.
FRESH_SECONDS = 3600.0

_ENVIRONMENT_ZONE = os.environ.get("TZ")  # as it was before the schedule's was set


class Scheduler:
    """Plans the edges with `schedule` and evaluates the window at each, and on every tick.

    The jobs only wake the evaluation: whether trading is on follows from the schedule and the time,
    never from which jobs ran, so a restart in mid-window, a sleep or a clock that was set are right
    at the next tick.
    """

    def __init__(self, trading_enabled, clock, log):
        self._trading_enabled = trading_enabled
        self._clock = clock
        self._log = log
        self._lock = threading.Lock()  # guards _planned
        self._planned = None
        # All below belongs to the thread.
        self._jobs = schedule.Scheduler()
        self._plan = None
        self._verdict = (0.0, 0.0, None)  # it, and from and until when it holds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def plan(self, plan):
        """Follows this [schedule] from now on; None: there is none."""
        with self._lock:
            self._planned = (plan,)

    def start(self):
        self.tick()
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.wait(TICK_SECONDS):
            try:
                self.tick()
            except Exception as error:  # this thread must outlive whatever a clock or a zone can do
                self._log.error("the scheduler stumbled: %s", error)

    def tick(self):
        """One passage: plan anew if asked to, run what is due, look where we are."""
        with self._lock:
            planned, self._planned = self._planned, None
        if planned is not None:
            self._replan(planned[0])
        self._jobs.run_pending()
        self._evaluate()

    def _replan(self, plan):
        self._jobs.clear()
        self._plan, self._verdict = plan, (0.0, 0.0, None)
        zone = plan.timezone if plan else None
        # `schedule` before 1.2 knows no zones of its own: the process's zone is the schedule's.
        if zone or _ENVIRONMENT_ZONE:
            os.environ["TZ"] = zone or _ENVIRONMENT_ZONE
        else:
            os.environ.pop("TZ", None)
        time.tzset()
        if plan is None:
            return
        if plan.zoneless:
            self._log.warning(
                "schedule.timezone is not set: this service cannot keep the schedule by itself, and trades by the panel's gate alone"
            )
            return
        self._plan_jobs(plan.start, "start", plan)
        self._plan_jobs(plan.stop, "stop", plan)

    def _plan_jobs(self, edge, word, plan):
        if edge.of_session:
            return  # only the panel knows when that is
        if len(edge.times.minutes) > MOST_JOBS:
            self._jobs.every().minute.at(":00").do(self._wake)
            return
        for minute in edge.times.minutes:
            at = f"{minute // 60:02d}:{minute % 60:02d}"
            self._jobs.every().day.at(at).do(self._at_edge, edge, at, word)

    def _wake(self):
        self._verdict = (0.0, 0.0, None)

    def _at_edge(self, edge, at, word):
        self._wake()
        # On a day without the schedule's cron, its time of day means nothing.
        if edge.times.on(datetime.fromtimestamp(self._clock(), self._plan.zone()).date()):
            self._log.info("the clock shows %s: time to %s trading", at, word)

    def _evaluate(self):
        if self._plan is None:
            self._trading_enabled.follow(Verdict(False, False, "the config has no schedule"))
            return
        now = self._clock()
        since, until, verdict = self._verdict
        if verdict is None or not since <= now < until:
            verdict = self._plan.at(now)
            until = now + FRESH_SECONDS
            if verdict.until is not None:
                until = min(until, verdict.until)
            self._verdict = (now, until, verdict)
        self._trading_enabled.follow(verdict)
