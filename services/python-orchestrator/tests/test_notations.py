import pathlib
import tomllib
import unittest

from orchestrator.windows import parse_schedule

TABLE = pathlib.Path(__file__).parents[3] / "schedule" / "testdata" / "notations.toml"


class NotationsTest(unittest.TestCase):
    """The table that the panel's test goes through too: what the panel takes, the orchestrator takes."""

    def setUp(self):
        self.cases = tomllib.loads(TABLE.read_text())

    def read(self, case):
        return parse_schedule({"start": "09:30", "stop": "16:00"} | case)

    def test_what_both_take(self):
        for case in self.cases["accept"] + self.cases["panel_refuses"]:
            with self.subTest(case):
                schedule = self.read(case)
                for now in (1_772_600_000.0, 1_772_640_000.0):
                    schedule.at(now)

    def test_what_both_refuse(self):
        for case in self.cases["refuse"]:
            with self.subTest(case), self.assertRaises(ValueError) as raised:
                self.read(case)
            self.assertIn("schedule", str(raised.exception))
