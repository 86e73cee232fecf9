"""The orchestrator's own scheduler thread, so that trading opens and closes without the panel."""

import os
import threading
import time

import schedule

from .windows import Verdict

TICK_SECONDS = 0.1


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
        self._plan = plan
        if plan is None or not plan.fixed or plan.calendar:
            return
        # `schedule` before 1.2 knows no zones of its own: the process's zone is the schedule's.
        if plan.timezone:
            os.environ["TZ"] = plan.timezone
            time.tzset()
        self._jobs.every().day.at(plan.start).do(self._start_trading)
        self._jobs.every().day.at(plan.stop).do(self._stop_trading)

    def _start_trading(self):
        self._log.info("the clock shows %s: time to start trading", self._plan.start)
        self._evaluate()

    def _stop_trading(self):
        self._log.info("the clock shows %s: time to stop trading", self._plan.stop)
        self._evaluate()

    def _evaluate(self):
        if self._plan is None:
            self._trading_enabled.follow(Verdict(False, False, "the config has no schedule"))
            return
        self._trading_enabled.follow(self._plan.at(self._clock()))
