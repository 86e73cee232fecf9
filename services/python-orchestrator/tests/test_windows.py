import unittest
from datetime import date, time

from orchestrator.edges import DAYS
from orchestrator.windows import parse_schedule

from .support import at

WEEK = ["mon", "tue", "wed", "thu", "fri"]


def schedule(**keys):
    table = {"start": "09:30", "stop": "16:00", "timezone": "America/New_York", "days": WEEK}
    return parse_schedule(table | keys)


class WindowTest(unittest.TestCase):
    def check(self, plan, zone, *expected):
        for text, want in expected:
            with self.subTest(text):
                self.assertEqual(plan.at(at(text, zone)).open, want)

    def test_a_day(self):
        self.check(
            schedule(), "America/New_York",
            ("2026-03-04T09:29:59", False),
            ("2026-03-04T09:30", True),
            ("2026-03-04T15:59:59", True),
            ("2026-03-04T16:00", False),
            ("2026-03-07T12:00", False),  # a Saturday
        )

    def test_a_night_belongs_to_the_day_on_which_it_starts(self):
        self.check(
            schedule(start="22:00", stop="04:00"), "America/New_York",
            ("2026-03-06T23:00", True),  # Friday
            ("2026-03-07T03:59:59", True),
            ("2026-03-07T04:00", False),
            ("2026-03-07T23:00", False),
            ("2026-03-09T03:00", False),  # Monday: Sunday's night is none
        )

    def test_holidays_and_early_closes(self):
        plan = schedule(holidays=["2026-12-24"], early_closes={"2026-11-27": "13:00"})
        self.check(
            plan, "America/New_York",
            ("2026-12-24T12:00", False),
            ("2026-11-27T12:59:59", True),
            ("2026-11-27T13:00", False),
            ("2026-11-30T13:00", True),
        )

    def test_an_early_close_ends_the_night_before_too(self):
        plan = schedule(start="18:00", stop="17:00", early_closes={"2026-11-27": "13:00"})
        self.check(
            plan, "America/New_York",
            ("2026-11-27T12:59", True),
            ("2026-11-27T13:00", False),
            ("2026-11-27T18:00", True),
        )

    def test_dates_and_times_of_toml_itself(self):
        plan = schedule(stop=time(16), holidays=[date(2026, 12, 24)])
        self.check(plan, "America/New_York", ("2026-12-24T12:00", False), ("2026-12-23T12:00", True))

    def test_a_wall_time_that_the_clocks_skip_is_the_first_instant_after(self):
        plan = schedule(start="02:30", stop="05:00", days=["sun"])
        # On 2026-03-08 New York goes from 01:59:59 EST to 03:00 EDT.
        first = at("2026-03-08T03:00")
        self.assertFalse(plan.at(first - 1).open)
        self.assertTrue(plan.at(first).open)

    def test_a_gap_of_half_an_hour(self):
        plan = schedule(start="02:15", stop="05:00", days=["sun"], timezone="Australia/Lord_Howe")
        first = at("2026-10-04T02:30", "Australia/Lord_Howe")
        self.assertFalse(plan.at(first - 1).open)
        self.assertTrue(plan.at(first).open)

    def test_a_wall_time_that_they_repeat_counts_the_first_time(self):
        plan = schedule(start="00:30", stop="01:30", days=["sun"])
        first = at("2026-11-01T01:30")  # still summer time
        self.assertTrue(plan.at(first - 1).open)
        self.assertFalse(plan.at(first).open)
        self.assertFalse(plan.at(first + 3599).open)  # the second 01:29:59

    def test_a_night_over_a_clock_change_loses_or_gains_an_hour(self):
        plan = schedule(start="22:00", stop="04:00", days=["sat"])
        for start, stop, hours in (
            ("2026-03-07T22:00", "2026-03-08T04:00", 5),
            ("2026-10-31T22:00", "2026-11-01T04:00", 7),
        ):
            begins, ends = at(start), at(stop)
            self.assertEqual((ends - begins) / 3600, hours)
            self.assertEqual([plan.at(t).open for t in (begins - 1, begins, ends - 1, ends)], [False, True, True, False])

    def test_a_verdict_holds_until_the_next_edge(self):
        verdict = schedule().at(at("2026-03-06T17:00"))  # Friday evening
        self.assertEqual((verdict.since, verdict.until), (at("2026-03-06T16:00"), at("2026-03-09T09:30")))
        self.assertEqual(verdict.reason, "out of the window until Mon 09:30")

    def test_second_by_second_around_each_edge_of_a_year(self):
        plan = schedule(start="02:10", stop="01:50", timezone="Europe/London", days=list(DAYS))
        now, end, edges = at("2026-01-01T12:00", "UTC"), at("2027-01-01T12:00", "UTC"), 0
        while now < end:
            verdict = plan.at(now)
            self.assertGreater(verdict.until, now)
            self.assertEqual(plan.at(verdict.until - 1).open, verdict.open)
            self.assertNotEqual(plan.at(verdict.until).open, verdict.open)
            now, edges = verdict.until, edges + 1
        self.assertEqual(edges, 2 * 365 + 1)  # the last one lies beyond the year

    def test_cron_is_kept_alone(self):
        plan = schedule(start="30 9 * * mon-fri", stop="0 16,20 * * *")
        self.check(
            plan, "America/New_York",
            ("2026-03-04T09:29:59", False),
            ("2026-03-04T09:30", True),
            ("2026-03-04T16:00", False),
            ("2026-03-04T19:00", False),
            ("2026-03-07T12:00", False),  # a Saturday
        )
        plan = schedule(start="@daily", stop="16:00")
        self.check(plan, "America/New_York", ("2026-03-04T00:00", True), ("2026-03-04T16:00", False))

    def test_where_a_start_and_a_stop_come_at_the_same_minute_stop_wins(self):
        plan = schedule(start="0 9,12 * * *", stop="0 12 * * *")
        self.check(plan, "America/New_York", ("2026-03-04T11:59", True), ("2026-03-04T12:00", False), ("2026-03-04T12:01", False))

    def test_a_cron_day_of_month_or_of_week_is_enough_where_both_are_restricted(self):
        plan = schedule(start="0 9 4 * fri", stop="0 16 * * *")
        self.check(
            plan, "America/New_York",
            ("2026-03-04T10:00", True),  # the fourth, a Wednesday
            ("2026-03-06T10:00", True),  # a Friday
            ("2026-03-05T10:00", False),
        )

    def test_an_early_close_ends_a_cron_window_of_its_evening_and_of_the_night_before(self):
        plan = schedule(start="0 9,18 * * *", stop="0 12,23 * * *", early_closes={"2026-03-04": "10:00"})
        self.check(
            plan, "America/New_York",
            ("2026-03-04T09:59", True),
            ("2026-03-04T10:00", False),
            ("2026-03-04T18:00", False),  # the day has closed
            ("2026-03-05T18:00", True),
        )
        plan = schedule(start="0 22 * * *", stop="0 4 * * *", early_closes={"2026-03-04": "02:00"})
        self.check(plan, "America/New_York", ("2026-03-04T01:59", True), ("2026-03-04T02:00", False), ("2026-03-04T22:00", True))

    def test_windows_that_touch_where_the_clocks_skip_what_lay_between_are_one(self):
        plan = schedule(start="02:30", stop="02:15", days=list(DAYS))
        verdict = plan.at(at("2026-03-08T03:00"))  # at which both come: 02:15 and 02:30 are skipped
        self.assertEqual((verdict.since, verdict.until), (at("2026-03-07T02:30"), at("2026-03-09T02:15")))
        # Samoa skipped the whole of 30 December 2011.
        plan = schedule(start="09:00", stop="08:59", days=list(DAYS), timezone="Pacific/Apia")
        verdict = plan.at(at("2011-12-31T00:00", "Pacific/Apia"))
        self.assertTrue(verdict.open)
        self.assertEqual((verdict.since, verdict.until), (at("2011-12-29T09:00", "Pacific/Apia"), at("2011-12-31T08:59", "Pacific/Apia")))

    def test_of_a_calendar_only_what_lies_outside_of_start_to_stop_is_known(self):
        plan = schedule(calendar="XNYS", holidays=["2026-12-24"])
        for text, known in (
            ("2026-03-04T12:00", False),
            ("2026-03-04T09:29:59", True),
            ("2026-03-04T16:00", True),
            ("2026-03-07T12:00", True),  # a Saturday
            ("2026-12-24T12:00", True),
        ):
            with self.subTest(text):
                verdict = plan.at(at(text))
                self.assertEqual((verdict.open, verdict.known), (False, known), verdict.reason)
        self.assertEqual(plan.at(at("2026-03-07T12:00")).reason, "out of the window until at least Mon 09:30")

    def test_of_sessions_only_the_days_are_known(self):
        for keys, rows in (
            ({"start": "open", "stop": "close"}, (
                ("2026-03-04T04:00", False),
                ("2026-03-07T12:00", True),  # a Saturday
                ("2026-03-05T12:00", True),  # a Thursday
                ("2026-03-02T12:00", True),  # a holiday
            )),
            # An offset may reach into the next day.
            ({"start": "open", "stop": "close + 10h"}, (("2026-03-05T03:00", False), ("2026-03-05T10:00", True))),
        ):
            plan = schedule(calendar="XNYS", days=["mon", "tue", "wed", "fri"], holidays=["2026-03-02"], **keys)
            for text, known in rows:
                with self.subTest(text, **keys):
                    self.assertEqual(plan.at(at(text)).known, known)
        # The week of the futures begins on Sunday evening, with Monday's session.
        plan = schedule(start="open", stop="close", calendar="CMES", timezone="America/Chicago")
        self.assertEqual([plan.at(at(t, "America/Chicago")).known for t in ("2026-03-08T16:59", "2026-03-08T17:00")], [True, False])

    def test_without_a_zone_nothing_is_known_but_sessions_need_none(self):
        for keys in ({}, {"start": "0 9 * * *"}, {"calendar": "XNYS"}, {"calendar": "XNYS", "start": "open"}):
            with self.subTest(keys):
                verdict = schedule(timezone="", **keys).at(at("2026-03-07T03:00"))
                self.assertEqual((verdict.open, verdict.known), (False, False))
                self.assertIn("schedule.timezone is not set", verdict.reason)
        self.assertTrue(schedule(timezone="", calendar="XNYS", start="open", stop="close").at(at("2026-03-07T12:00")).known)


class ParseTest(unittest.TestCase):
    def test_mistakes_are_named(self):
        for keys, want in (
            ({"start": "25:00"}, "schedule.start is '25:00'"),
            ({"start": "24:00"}, "schedule.start is '24:00'"),
            ({"start": "09:30:00"}, "schedule.start is '09:30:00'"),
            ({"start": "0 9 30 2 *"}, "never comes"),
            ({"start": "0 9 * * 1", "stop": "0 9 * * *"}, "would never open"),
            ({"days": []}, "or not set for every day"),
            ({"calendar": "XNYX"}, "known are 24-5,"),
            ({"timezone": "localtime"}, "means something else on each machine"),
            ({"timezone": "right/UTC"}, "means something else on each machine"),
            ({"stop": 16}, "schedule.stop is 16"),
            ({"stop": "09:30"}, "both '09:30'"),
            ({"timezone": "Mars/Olympus"}, "'Mars/Olympus' is not a known time zone"),
            ({"timezone": "../../etc/passwd"}, "is not a known time zone"),
            ({"days": ["monday"]}, "schedule.days"),
            ({"days": "mon"}, "schedule.days"),
            ({"start": "open"}, "needs a calendar"),
            ({"holidays": ["soon"]}, "schedule.holidays: 'soon'"),
            ({"early_closes": {"2026-11-27": "noon"}}, "schedule.early_closes: 'noon'"),
            ({"early_closes": {"x": "13:00"}}, "schedule.early_closes: 'x'"),
        ):
            with self.subTest(keys), self.assertRaisesRegex(ValueError, want.replace(".", r"\.")):
                schedule(**keys)

    def test_no_table_is_no_schedule(self):
        self.assertIsNone(parse_schedule(None))
