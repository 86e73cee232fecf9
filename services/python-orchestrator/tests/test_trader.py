import unittest

from orchestrator.config import Risk
from orchestrator.trader import Trader

from .support import Lines


class Switch:
    def __init__(self):
        self.on = True

    def get(self):
        return self.on


class TraderTest(unittest.TestCase):
    def setUp(self):
        self.now, self.day, self.lines, self.gate = 1000.0, "monday", Lines(), Switch()

    def trader(self, **limits):
        return Trader(Risk(**limits), self.gate, lambda: self.now, lambda: self.day, self.lines.log)

    def offer(self, trader, symbol="AAPL", price=100.0, age=0.0):
        before = len(self.lines.lines)
        trader.on_scan({symbol: price}, [{"symbol": symbol, "price": price, "score": 1}], age)
        return self.lines.lines[before:]

    def test_sizes_follow_the_limits(self):
        trader = self.trader(max_order_usd=1000, max_position_usd=2500)
        placed = "INFO order placed symbol=AAPL side=buy quantity={} price=100.00 usd={}.00"
        self.assertEqual(self.offer(trader), [placed.format(10, 1000)])
        self.assertEqual(self.offer(trader), [placed.format(10, 1000)])
        self.assertEqual(self.offer(trader), [placed.format(5, 500)])
        self.assertIn("the position limit of 2500.00 USD leaves no room", self.offer(trader)[0])

    def test_an_order_that_cannot_be_for_one_is_refused(self):
        self.assertIn("more than the order limit", self.offer(self.trader(max_order_usd=50))[0])

    def test_the_number_of_positions_binds(self):
        trader = self.trader(max_open_positions=1)
        self.offer(trader, "AAPL")
        self.assertIn("order refused: 1 positions are open, and 1 may be symbol=MSFT", self.offer(trader, "MSFT")[0])

    def test_a_closed_gate_refuses_entries_and_lets_exits_through(self):
        trader = self.trader(max_hold_seconds=30)
        self.offer(trader)
        self.gate.on = False
        self.assertEqual(self.offer(trader), ["INFO order refused: trading is not enabled symbol=AAPL"])
        self.now += 30
        trader.exits()
        self.assertEqual(
            self.lines.lines[-1],
            "INFO exit placed symbol=AAPL side=sell quantity=10 price=100.00 result=0.00 reason=held long enough",
        )

    def test_a_stop_loss_acts_and_the_daily_loss_binds_until_the_next_day(self):
        trader = self.trader(stop_loss_pct=2, daily_loss_limit_usd=20)
        self.offer(trader, price=100)
        trader.exits()
        self.assertNotIn("exit", self.lines.lines[-1])
        trader.on_scan({"AAPL": 98.0}, [], 0)
        trader.exits()
        self.assertIn("result=-20.00 reason=stop-loss", self.lines.lines[-1])
        self.assertIn("the daily loss limit is reached (20.00 of 20.00 USD)", self.offer(trader)[0])
        self.day = "tuesday"
        self.assertIn("order placed", self.offer(trader)[0])

    def test_new_limits_count_at_once(self):
        trader = self.trader(max_order_usd=1000)
        trader.limit(Risk(max_order_usd=300))
        self.assertIn("quantity=3", self.offer(trader)[0])

    def test_a_candidate_that_waited_out_a_pause_is_not_entered(self):
        self.assertIn("order refused: the candidate is too old", self.offer(self.trader(), age=6)[0])

    def test_the_same_refusal_is_said_once_a_second(self):
        trader = self.trader()
        self.gate.on = False
        self.assertEqual(len(self.offer(trader)), 1)
        self.assertEqual(len(self.offer(trader)), 0)
        self.now += 1
        self.assertEqual(len(self.offer(trader)), 1)
