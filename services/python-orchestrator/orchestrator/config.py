"""The orchestrator's part of the stack's config file, checked once, at the edge."""

import hashlib
import math
import os
import tomllib
from dataclasses import dataclass, field

from .log import LEVELS
from .windows import Schedule, parse_schedule


# Where broker.api_key comes from while the config file has none. The schema says the same, as
# x-secret-env and x-secret-file; the file is where Docker and Compose put a secret of that name.
API_KEY_ENV = "BROKER_API_KEY"
API_KEY_FILE = "/run/secrets/broker_api_key"


class ConfigError(Exception):
    """Says which key is wrong, what it holds and what it may hold."""


@dataclass(frozen=True)
class Risk:
    max_position_usd: float = 5000.0
    max_order_usd: float = 1000.0
    max_open_positions: int = 5
    daily_loss_limit_usd: float = 250.0
    stop_loss_pct: float = 2.0
    max_hold_seconds: float = 30.0


@dataclass(frozen=True)
class Config:
    revision: str  # the first 12 digits of the file's SHA-256
    schedule: Schedule | None
    risk: Risk
    log_level: str
    poll_seconds: float
    heartbeat_seconds: float
    scanner: str
    api_key: str = field(default="", repr=False)  # in no log, however a config is written there


def revision_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def load(path: str) -> Config:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    return parse(content)


def parse(content: bytes) -> Config:
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"the file is not UTF-8: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the file is not TOML: {error}") from error
    try:
        schedule = parse_schedule(document.get("schedule"))
    except ValueError as error:
        raise ConfigError(str(error)) from error

    risk = _Table(document, "risk")
    own = _Table(document, "orchestrator")
    broker = _Table(document, "broker")
    broker.choice("name", "paper", ("paper",))
    most, order = risk.number("max_position_usd", 5000, 1, math.inf), risk.number("max_order_usd", 1000, 1, math.inf)
    if order > most:
        # No JSON Schema can say this, so the panel does not know it either: it learns it from here.
        raise ConfigError(f"risk.max_order_usd is {order:g}; it must not be more than risk.max_position_usd, {most:g}")
    return Config(
        revision=revision_of(content),
        schedule=schedule,
        risk=Risk(
            max_position_usd=most,
            max_order_usd=order,
            max_open_positions=risk.whole("max_open_positions", 5, 0, 100_000),
            daily_loss_limit_usd=risk.number("daily_loss_limit_usd", 250, 0, math.inf),
            stop_loss_pct=risk.number("stop_loss_pct", 2, 0, 100),
            max_hold_seconds=risk.number("max_hold_seconds", 30, 0, math.inf),
        ),
        log_level=own.choice("log_level", "info", tuple(LEVELS)),
        poll_seconds=own.whole("poll_interval_ms", 250, 10, 60_000) / 1000,
        heartbeat_seconds=own.whole("heartbeat_ms", 50, 10, 100) / 1000,
        scanner=own.address("scanner", "127.0.0.1:7070"),
        api_key=broker.secret("api_key", API_KEY_ENV, API_KEY_FILE),
    )


class _Table:
    """Reads the keys of one table; each answer is checked or the default."""

    def __init__(self, document, name):
        self._name = name
        self._values = document.get(name, {})
        if not isinstance(self._values, dict):
            raise ConfigError(f"{name} is not a table")

    def number(self, key, default, low, high):
        value = self._values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._wrong(key, value, "must be a number")
        if not (low <= value <= high) or math.isinf(value):  # written so that NaN is refused too
            bounds = f"at least {low}" if math.isinf(high) else f"between {low} and {high}"
            raise self._wrong(key, value, f"must be {bounds}")
        return float(value)

    def whole(self, key, default, low, high):
        value = self._values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(key, value, "must be a whole number")
        return int(self.number(key, default, low, high))

    def choice(self, key, default, choices):
        value = self._values.get(key, default)
        if value not in choices:
            raise self._wrong(key, value, "must be one of " + ", ".join(choices))
        return value

    def address(self, key, default):
        value = self._values.get(key, default)
        host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise self._wrong(key, value, 'must be an address such as "127.0.0.1:7070"')
        return value

    def secret(self, key, variable, path):
        """What the config file holds; else the environment variable, else the file. Named in no error."""
        value = self._values.get(key, "")
        if not isinstance(value, str):
            raise ConfigError(f"{self._name}.{key} must be a text")
        if value or os.environ.get(variable):
            return value or os.environ[variable]
        try:
            with open(path, encoding="utf-8") as file:
                return file.read().rstrip("\r\n")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ConfigError(f"{self._name}.{key} is to come from {path}, which cannot be read: {why}") from None

    def _wrong(self, key, value, must):
        return ConfigError(f"{self._name}.{key} is {value!r}; it {must}")
