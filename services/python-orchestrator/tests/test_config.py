import hashlib
import pathlib
import unittest

from orchestrator.config import ConfigError, load, parse

SHIPPED = pathlib.Path(__file__).parents[3] / "deploy" / "config.toml"


class ConfigTest(unittest.TestCase):
    def test_the_shipped_config_is_good(self):
        config = load(str(SHIPPED))
        self.assertEqual(config.revision, hashlib.sha256(SHIPPED.read_bytes()).hexdigest()[:12])
        self.assertEqual(config.risk.max_position_usd, 5000)
        self.assertLessEqual(config.heartbeat_seconds, 0.1)

    def test_an_empty_config_is_all_defaults(self):
        self.assertIsNone(parse(b"").schedule)

    def test_mistakes_are_named(self):
        for content, want in (
            (b"[risk", "not TOML"),
            (b"\xff", "not UTF-8"),
            (b"risk = 5", "risk is not a table"),
            (b"schedule = 5", "schedule is not a table"),
            (b"[risk]\nmax_position_usd = 0", "risk.max_position_usd is 0; it must be at least 1"),
            (b"[risk]\nmax_position_usd = nan", "risk.max_position_usd is nan"),
            (b"[risk]\nmax_position_usd = inf", "risk.max_position_usd is inf"),
            (b"[risk]\nmax_order_usd = '5'", "risk.max_order_usd is '5'; it must be a number"),
            (b"[risk]\nmax_open_positions = true", "risk.max_open_positions is True; it must be a whole number"),
            (b"[risk]\nstop_loss_pct = 101", "it must be between 0 and 100"),
            (b"[orchestrator]\nheartbeat_ms = 101", "orchestrator.heartbeat_ms is 101"),
            (b"[orchestrator]\nlog_level = 'loud'", "it must be one of debug, info, warning, error"),
            (b"[orchestrator]\nscanner = 'here'", "orchestrator.scanner is 'here'"),
            (b"[broker]\nname = 'real'", "broker.name is 'real'"),
        ):
            with self.subTest(content), self.assertRaises(ConfigError) as raised:
                parse(content)
            self.assertIn(want, str(raised.exception))

    def test_a_file_that_is_not_there_is_said_so(self):
        with self.assertRaisesRegex(ConfigError, "cannot read /none/config.toml: No such file"):
            load("/none/config.toml")
