"""Paper positions and the limits that bind them. Pure bookkeeping; no threads, no clock."""

from dataclasses import dataclass

from .config import Risk


@dataclass
class Position:
    symbol: str
    quantity: int
    price: float  # what was paid for one, on average
    opened: float  # by the monotonic clock

    @property
    def cost(self) -> float:
        return self.quantity * self.price


class Refused(Exception):
    """Why an order is not placed."""


class Book:
    def __init__(self):
        self.positions: dict[str, Position] = {}
        self._day = None
        self._realised = 0.0

    def realised(self, day) -> float:
        """What this day's exits have brought; each new day begins at nothing."""
        if day != self._day:
            self._day, self._realised = day, 0.0
        return self._realised

    def size(self, risk: Risk, symbol: str, price: float, day) -> int:
        """How many may be bought now; Refused if none."""
        if -self.realised(day) >= risk.daily_loss_limit_usd:
            raise Refused(
                f"the daily loss limit is reached ({-self._realised:.2f} of {risk.daily_loss_limit_usd:.2f} USD)"
            )
        held = self.positions.get(symbol)
        if held is None and len(self.positions) >= risk.max_open_positions:
            raise Refused(f"{len(self.positions)} positions are open, and {risk.max_open_positions} may be")
        room = risk.max_position_usd - (held.cost if held else 0.0)
        quantity = int(min(risk.max_order_usd, room) // price)
        if quantity < 1:
            if room < price:
                raise Refused(f"the position limit of {risk.max_position_usd:.2f} USD leaves no room for one at {price:.2f}")
            raise Refused(f"one at {price:.2f} costs more than the order limit of {risk.max_order_usd:.2f} USD")
        return quantity

    def buy(self, symbol: str, quantity: int, price: float, now: float):
        held = self.positions.get(symbol)
        if held is None:
            self.positions[symbol] = Position(symbol, quantity, price, now)
            return
        held.price = (held.cost + quantity * price) / (held.quantity + quantity)
        held.quantity += quantity

    def sell(self, symbol: str, price: float, day) -> float:
        """Closes the position; returns what it brought."""
        held = self.positions.pop(symbol)
        result = held.quantity * (price - held.price)
        self.realised(day)
        self._realised += result
        return result
