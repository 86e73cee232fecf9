import json
import os
import tempfile
import unittest

from orchestrator.gate import TradingEnabled, decide
from orchestrator.gatefile import Garbled, Gate, GateFile, Missing, parse
from orchestrator.windows import Verdict

from .support import Lines

NOW = 1_800_000_000.0
OPEN = Verdict(True, True, "in the window", NOW - 3600, NOW + 3600)
CLOSED = Verdict(False, True, "out of the window", NOW - 3600, NOW + 3600)
UNKNOWN = Verdict(False, False, "only the panel knows")


def gate(enabled, mode="schedule", until=None, written=NOW - 60):
    return Gate(enabled, mode, "because", "somebody", NOW - 7200, until, written)


class DecideTest(unittest.TestCase):
    def check(self, *rows):
        for own, found, want in rows:
            with self.subTest(own=own.reason, gate=found):
                self.assertEqual(decide(own, found, NOW)[0], want)

    def test_trading_takes_both_the_gate_and_the_own_schedule(self):
        self.check(
            (OPEN, gate(True), True),
            (OPEN, gate(False), False),
            (CLOSED, gate(True), False),
            (CLOSED, gate(False), False),
        )

    def test_a_halt_wins_over_everything(self):
        for written in (0, NOW):
            self.check(
                (OPEN, gate(False, "halted", written=written), False),
                (OPEN, gate(True, "halted", written=written), False),
                (UNKNOWN, gate(True, "halted", until=NOW + 60, written=written), False),
            )

    def test_forced_overrules_the_schedule_until_its_end(self):
        self.check(
            (CLOSED, gate(True, "forced", until=NOW + 1), True),
            (CLOSED, gate(True, "forced", until=NOW), False),
            (UNKNOWN, gate(True, "forced", until=NOW - 1, written=NOW), False),
            (OPEN, gate(True, "forced", until=NOW), True),
            (UNKNOWN, gate(True, "forced", until=NOW - 60, written=NOW - 120), False),
            (OPEN, gate(False, "forced", until=NOW + 1), False),
        )

    def test_a_missing_gate_leaves_it_to_the_own_schedule(self):
        self.check(
            (OPEN, Missing("gone"), True),
            (CLOSED, Missing("gone"), False),
            (UNKNOWN, Missing("gone"), False),
        )

    def test_a_garbled_gate_means_no_entries(self):
        self.check((OPEN, Garbled("what?"), False))

    def test_a_stale_gate_leaves_it_to_the_own_schedule(self):
        stale = NOW - 7200  # before the last edge of the own schedule
        self.check(
            (OPEN, gate(False, written=stale), True),
            (CLOSED, gate(True, written=stale), False),
            (UNKNOWN, gate(True, until=NOW - 6, written=stale), False),
        )

    def test_nothing_is_entered_after_the_close_that_only_the_panel_knows(self):
        # The panel is down or late, or its file has a time from a clock that was ahead.
        for written in (NOW - 3600, NOW, NOW + 86400):
            self.check(
                (UNKNOWN, gate(True, until=NOW + 0.1, written=written), True),
                (UNKNOWN, gate(True, until=NOW, written=written), False),
                (UNKNOWN, gate(True, until=NOW - 4, written=written), False),
            )

    def test_where_only_the_panel_knows_it_is_obeyed(self):
        self.check((UNKNOWN, gate(True), True), (UNKNOWN, gate(False), False))

    def test_a_verdict_that_has_run_out_is_closed_even_if_nobody_looked(self):
        old = Verdict(True, True, "in the window", NOW - 3600, NOW)
        self.check((old, gate(True), False), (old, Missing("gone"), False))


class ParseTest(unittest.TestCase):
    def test_what_cannot_be_understood_is_garbled(self):
        good = {"trading_enabled": True, "mode": "schedule", "reason": "", "since": None, "until": None, "by": ""}
        for content in (
            b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000,
            json.dumps(good | {"trading_enabled": 1}).encode(),
            json.dumps(good | {"mode": "party"}).encode(),
            json.dumps(good | {"mode": ["halted"]}).encode(),
            json.dumps(good | {"until": "soon"}).encode(),
            json.dumps(good | {"until": "2026-01-01T00:00:00"}).encode(),  # of which zone?
            json.dumps(good | {"since": 5}).encode(),
            json.dumps(good | {"mode": "forced"}).encode(),  # until when?
        ):
            with self.subTest(content[:40]):
                self.assertIsInstance(parse(content, NOW), Garbled)

    def test_the_panels_own_times_are_understood(self):
        found = parse(b'{"trading_enabled":true,"mode":"forced","reason":"r","since":"2026-03-04T14:30:00.123456789Z","until":"2026-03-04T16:00:00-05:00","by":"b"}', 0)
        self.assertEqual((found.until, found.written), (1772658000.0, 1772634600.123456))


class TradingEnabledTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "trading.json")
        self.lines = Lines()
        self.now = NOW
        self.enabled = TradingEnabled(GateFile(self.path), lambda: self.now, self.lines.log)

    def write(self, **keys):
        value = {"trading_enabled": True, "mode": "schedule", "reason": "open", "since": "2027-01-15T07:59:00Z", "until": None, "by": "schedule"}
        with open(self.path + ".new", "w") as file:
            json.dump(value | keys, file)
        os.replace(self.path + ".new", self.path)

    def test_a_halt_counts_at_the_very_next_entry(self):
        self.enabled.follow(OPEN)
        self.write()
        self.assertTrue(self.enabled.get())
        self.write(trading_enabled=False, mode="halted", reason="enough")
        self.assertFalse(self.enabled.get())
        self.assertEqual(self.lines.lines[-1], "INFO trading_enabled=false reason=halted: enough")

    def test_each_change_is_logged_once(self):
        self.enabled.follow(OPEN)
        self.write()
        for _ in range(5):
            self.enabled.get()
        self.write(trading_enabled=False, reason="closing bell")
        for _ in range(5):
            self.enabled.get()
        self.assertEqual(
            self.lines.lines[-2:],
            ["INFO trading_enabled=true reason=schedule: in the window", "INFO trading_enabled=false reason=gate: closing bell"],
        )

    def test_before_the_scheduler_has_looked_there_is_no_trading(self):
        self.assertFalse(self.enabled.get())

    def test_a_halt_holds_while_the_file_is_gone_and_until_one_says_otherwise(self):
        self.enabled.follow(OPEN)
        self.write(trading_enabled=False, mode="halted", reason="enough")
        self.assertFalse(self.enabled.get())
        os.remove(self.path)
        self.assertFalse(self.enabled.get())
        self.assertEqual(
            self.lines.lines[-1],
            "INFO trading_enabled=false reason=halted: enough, and now the gate file cannot be read (No such file or directory)",
        )
        os.mkdir(self.path)  # there, and unreadable
        self.assertFalse(self.enabled.get())
        os.rmdir(self.path)
        self.write()
        self.assertTrue(self.enabled.get())
        os.remove(self.path)
        self.assertTrue(self.enabled.get())

    def test_a_file_that_could_not_be_understood_holds_while_it_is_gone(self):
        self.enabled.follow(OPEN)
        for content in ("{", json.dumps({"trading_enabled": True, "mode": "party"})):
            with open(self.path, "w") as file:
                file.write(content)
            self.assertFalse(self.enabled.get())
            os.remove(self.path)
            self.assertFalse(self.enabled.get())
            self.write()
            self.assertTrue(self.enabled.get())

    def test_a_start_without_a_gate_file_keeps_the_own_schedule(self):
        self.write(trading_enabled=False, mode="halted")
        self.enabled.get()
        os.remove(self.path)
        again = TradingEnabled(GateFile(self.path), lambda: NOW, self.lines.log)
        again.follow(OPEN)
        self.assertTrue(again.get())

    def test_a_close_that_only_the_gate_file_knew_is_remembered_when_the_clock_is_set_back(self):
        self.enabled.follow(UNKNOWN)
        self.write(until="2027-01-15T08:30:00Z")
        self.assertTrue(self.enabled.get())
        self.now = NOW + 1800
        self.assertFalse(self.enabled.get())
        self.now = NOW
        self.assertFalse(self.enabled.get())
        self.assertIn("the clock was set back", self.lines.lines[-1])
        os.remove(self.path)
        self.assertFalse(self.enabled.get())
        self.write(until="2027-01-15T08:29:00Z")
        self.assertFalse(self.enabled.get())
        self.write(until="2027-01-15T08:31:00Z")  # a later close is another window
        self.assertTrue(self.enabled.get())

    def test_a_clock_that_was_ahead_by_days_closes_no_window_of_today(self):
        self.enabled.follow(UNKNOWN)
        self.now = NOW + 3 * 86400
        self.write(until="2027-01-18T08:30:00Z")
        self.assertTrue(self.enabled.get())
        self.now += 1800
        self.assertFalse(self.enabled.get())
        self.now = NOW
        self.write(until="2027-01-15T08:30:00Z")
        self.assertTrue(self.enabled.get())

    def test_a_forced_gate_that_ended_does_not_begin_again_but_another_may(self):
        self.enabled.follow(CLOSED)
        forced = {"mode": "forced", "since": "2027-01-15T07:59:00Z"}
        self.write(**forced, until="2027-01-15T08:30:00Z")
        self.assertTrue(self.enabled.get())
        self.now = NOW + 1800
        self.assertFalse(self.enabled.get())
        self.now = NOW
        self.assertFalse(self.enabled.get())
        self.write(mode="forced", since="2027-01-15T08:00:01Z", until="2027-01-15T08:20:00Z")
        self.assertTrue(self.enabled.get())

    def test_a_forced_gate_goes_beyond_what_the_own_schedule_knows_and_a_plain_one_does_not(self):
        self.enabled.follow(Verdict(False, True, "out of the window until at least Mon 09:30"))
        self.write(until="2027-01-15T08:30:00Z")
        self.assertFalse(self.enabled.get())
        self.write(mode="forced", until="2027-01-15T08:30:00Z")
        self.assertTrue(self.enabled.get())

    def test_a_folder_in_its_place_is_unreadable_not_fatal(self):
        os.mkdir(self.path)
        self.enabled.follow(OPEN)
        self.assertTrue(self.enabled.get())
