import os
import time
import unittest
from datetime import datetime as real
from unittest import mock
from zoneinfo import ZoneInfo

import schedule

from orchestrator.gate import TradingEnabled
from orchestrator.gatefile import Missing
from orchestrator.scheduler import Scheduler
from orchestrator.windows import parse_schedule

from .support import Clock, Lines

TABLE = {"start": "09:30", "stop": "16:00", "timezone": "America/New_York", "days": ["mon", "tue", "wed", "thu", "fri"]}


class NoGate:
    def read(self):
        return Missing("no panel")


class SchedulerTest(unittest.TestCase):
    """The library's clock and ours are the same fake one; the thread is not started."""

    def setUp(self):
        self.clock = Clock("2026-03-04T12:00")  # a Wednesday
        self.lines = Lines()
        clock = self.clock

        class Now(real):
            @classmethod
            def now(cls, tz=None):
                return real.fromtimestamp(clock.now, ZoneInfo("America/New_York")).replace(tzinfo=None)

        patch = mock.patch.object(schedule.datetime, "datetime", Now)
        patch.start()
        self.addCleanup(patch.stop)
        self.before = (time.tzname, os.environ.get("TZ"))
        self.addCleanup(time.tzset)
        environment = mock.patch.dict(os.environ)
        environment.start()
        self.addCleanup(environment.stop)
        self.enabled = TradingEnabled(NoGate(), clock, self.lines.log)
        self.scheduler = Scheduler(self.enabled, clock, self.lines.log)
        self.follow()

    def follow(self, **keys):
        self.scheduler.plan(parse_schedule(TABLE | keys))

    def at(self, text):
        self.clock.set(text)
        self.scheduler.tick()
        return self.enabled.get()

    def test_it_opens_and_closes_by_the_clock(self):
        got = [self.at(f"2026-03-04T{t}") for t in ("12:00", "15:59:59", "16:00", "23:00")]
        got += [self.at(f"2026-03-05T{t}") for t in ("09:29:59", "09:30")]
        self.assertEqual(got, [True, True, False, False, False, True])
        self.assertIn("INFO the clock shows 16:00: time to stop trading", self.lines.lines)
        self.assertIn("INFO the clock shows 09:30: time to start trading", self.lines.lines)

    def test_a_start_in_mid_window_is_right_at_once(self):
        self.assertTrue(self.at("2026-03-04T12:00"))

    def test_a_sleep_over_the_bell_is_right_at_the_next_look(self):
        self.assertTrue(self.at("2026-03-04T12:00"))
        self.assertFalse(self.at("2026-03-05T08:00"))

    def test_a_close_that_only_an_order_entry_saw_is_remembered(self):
        self.at("2026-03-04T15:59:59")
        self.clock.set("2026-03-04T16:00")
        self.assertFalse(self.enabled.get())  # before the scheduler's tick
        self.assertFalse(self.at("2026-03-04T15:00"))
        self.assertTrue(self.at("2026-03-05T10:00"))

    def test_the_clock_set_back_does_not_open_a_window_that_has_closed(self):
        self.assertTrue(self.at("2026-03-04T15:59"))
        self.assertFalse(self.at("2026-03-04T16:00"))
        self.assertFalse(self.at("2026-03-04T15:00"))
        self.assertTrue(self.at("2026-03-05T09:30"))

    def test_a_clock_that_was_wrong_by_days_does_not_close_the_days_between(self):
        self.assertTrue(self.at("2026-03-04T12:00"))
        self.assertTrue(self.at("2026-06-03T12:00"))
        self.assertFalse(self.at("2026-06-03T17:00"))
        self.assertTrue(self.at("2026-03-04T12:05"))

    def test_a_reload_plans_anew(self):
        self.assertTrue(self.at("2026-03-04T12:00"))
        self.follow(stop="12:30")
        self.assertTrue(self.at("2026-03-04T12:01"))
        self.assertFalse(self.at("2026-03-04T12:30"))
        self.follow(stop="13:00")
        self.assertTrue(self.at("2026-03-04T12:31"))

    def test_a_schedule_taken_away_leaves_it_to_the_panel(self):
        self.scheduler.plan(None)
        self.assertFalse(self.at("2026-03-04T12:00"))
        self.assertIn("the config has no schedule", self.lines.lines[-1])

    def test_a_cron_schedule_is_kept_and_its_jobs_are_planned(self):
        self.follow(start="30 9 * * mon-fri", stop="0 16 * * *")
        got = [self.at(f"2026-03-{t}") for t in ("04T12:00", "04T16:00", "05T09:30", "07T09:29", "07T09:30")]
        self.assertEqual(got, [True, False, True, False, False])
        said = [line for line in self.lines.lines if "time to start" in line]
        self.assertEqual(said, ["INFO the clock shows 09:30: time to start trading"])  # not on Saturday

    def test_a_cron_of_every_minute_is_one_job(self):
        self.follow(start="*/2 * * * *", stop="1-59/2 * * * *")
        got = [self.at(f"2026-03-04T12:0{n}") for n in range(4)]
        self.assertEqual(got, [True, False, True, False])
        self.assertLess(len(self.scheduler._jobs.get_jobs()), 50)

    def test_with_a_calendar_the_jobs_and_the_zone_are_planned_too(self):
        self.follow(calendar="XTKS", timezone="Asia/Tokyo")
        self.scheduler.tick()
        self.assertEqual(time.tzname[0], "JST")
        self.assertEqual(len(self.scheduler._jobs.get_jobs()), 2)

    def test_a_schedule_without_a_zone_is_not_kept_and_says_so(self):
        self.follow(timezone="")
        self.assertFalse(self.at("2026-03-04T12:00"))
        self.assertTrue(any(line.startswith("WARNING schedule.timezone is not set") for line in self.lines.lines))
        self.assertIn("for schedule.timezone is not set, and no panel", self.lines.lines[-1])
        self.assertEqual(self.scheduler._jobs.get_jobs(), [])

    def test_the_zone_is_put_back_when_the_schedule_names_none_any_more(self):
        for plan in (parse_schedule(TABLE | {"timezone": ""}), None):
            with self.subTest(plan):
                self.follow(timezone="Asia/Tokyo")
                self.scheduler.tick()
                self.scheduler.plan(plan)
                self.scheduler.tick()
                self.assertEqual((time.tzname, os.environ.get("TZ")), self.before)

    def test_the_process_lives_in_the_schedules_zone(self):
        self.follow(timezone="Asia/Tokyo")
        self.scheduler.tick()
        self.assertEqual(time.tzname[0], "JST")
