import unittest
from datetime import date, time

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
        plan = schedule(start="02:10", stop="01:50", timezone="Europe/London", days=[])
        now, end, edges = at("2026-01-01T12:00", "UTC"), at("2027-01-01T12:00", "UTC"), 0
        while now < end:
            verdict = plan.at(now)
            self.assertGreater(verdict.until, now)
            self.assertEqual(plan.at(verdict.until - 1).open, verdict.open)
            self.assertNotEqual(plan.at(verdict.until).open, verdict.open)
            now, edges = verdict.until, edges + 1
        self.assertEqual(edges, 2 * 365 + 1)  # the last one lies beyond the year

    def test_what_only_the_panel_knows(self):
        for keys in (
            {"calendar": "XNYS"},
            {"start": "open+5m", "stop": "close-10m", "calendar": "XNYS"},
            {"start": "0 9 * * 1-5", "stop": "0 16 * * 1-5"},
            {"start": "@daily", "stop": "16:00"},
        ):
            with self.subTest(keys):
                verdict = schedule(**keys).at(at("2026-03-04T12:00"))
                self.assertEqual((verdict.open, verdict.known), (False, False))


class ParseTest(unittest.TestCase):
    def test_mistakes_are_named(self):
        for keys, want in (
            ({"start": "25:00"}, "schedule.start is '25:00'"),
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
