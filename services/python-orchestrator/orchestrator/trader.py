"""Places paper orders: entries behind the gate, exits never."""

import threading

from .book import Book, Refused
from .config import Risk

# A candidate that waited longer than this, as in a pause, is received but no longer entered.
FRESH_SECONDS = 5.0
# While every candidate is refused for the same reason, it is said once in this time.
REPEAT_SECONDS = 1.0


class Trader:
    """`monotonic` and `today` are injected: seconds that only grow, and the schedule's date."""

    def __init__(self, risk: Risk, trading_enabled, monotonic, today, log):
        self._trading_enabled = trading_enabled
        self._monotonic = monotonic
        self._today = today
        self._log = log
        self._lock = threading.Lock()  # guards what follows
        self._risk = risk
        self._book = Book()
        self._quotes: dict[str, float] = {}
        self._refused: dict[str, tuple[str, float]] = {}

    def limit(self, risk: Risk):
        with self._lock:
            self._risk = risk

    def on_scan(self, quotes: dict[str, float], candidates, age: float):
        """Takes one message of the scanner: prices, and what looks worth an order."""
        with self._lock:
            self._quotes.update(quotes)
            for candidate in candidates:
                self._enter(candidate["symbol"], candidate["price"], age)

    def _enter(self, symbol, price, age):
        try:
            if age > FRESH_SECONDS:
                raise Refused("the candidate is too old")
            quantity = self._book.size(self._risk, symbol, price, self._today())
            # Last, so that nothing lies between this look and the order.
            if not self._trading_enabled.get():
                raise Refused("trading is not enabled")
        except Refused as refusal:
            self._say_refused(symbol, str(refusal))
            return
        self._book.buy(symbol, quantity, price, self._monotonic())
        self._refused.pop(symbol, None)
        self._log.info(
            "order placed symbol=%s side=buy quantity=%d price=%.2f usd=%.2f",
            symbol, quantity, price, quantity * price,
        )

    def _say_refused(self, symbol, why):
        last, when = self._refused.get(symbol, ("", 0.0))
        now = self._monotonic()
        if why == last and now - when < REPEAT_SECONDS:
            return
        self._refused[symbol] = (why, now)
        self._log.info("order refused: %s symbol=%s", why, symbol)

    def exits(self):
        """Leaves what has to be left. No gate is asked: getting out is always allowed."""
        with self._lock:
            now = self._monotonic()
            for position in list(self._book.positions.values()):
                price = self._quotes.get(position.symbol, position.price)
                loss = 100 * (position.price - price) / position.price
                if loss >= self._risk.stop_loss_pct:
                    why = "stop-loss"
                elif now - position.opened >= self._risk.max_hold_seconds:
                    why = "held long enough"
                else:
                    continue
                result = self._book.sell(position.symbol, price, self._today())
                self._log.info(
                    "exit placed symbol=%s side=sell quantity=%d price=%.2f result=%.2f reason=%s",
                    position.symbol, position.quantity, price, result, why,
                )
