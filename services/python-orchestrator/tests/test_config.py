import hashlib
import json
import os
import pathlib
import tempfile
import unittest
from unittest import mock

from orchestrator import config as configuration
from orchestrator.config import ConfigError, load, parse

SCHEMA = pathlib.Path(__file__).parents[3] / "schema" / "default.json"
SHIPPED_KEY_FILE = configuration.API_KEY_FILE
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


class SecretTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name) / "broker_api_key"
        for patch in (
            mock.patch.object(configuration, "API_KEY_FILE", str(self.file)),
            mock.patch.dict(os.environ),
        ):
            patch.start()
            self.addCleanup(patch.stop)
        os.environ.pop(configuration.API_KEY_ENV, None)

    def test_the_config_file_counts_first_then_the_environment_then_the_file(self):
        for key in (b"", b"[broker]\napi_key = ''\n"):
            with self.subTest(key):
                self.file.unlink(missing_ok=True)
                os.environ.pop(configuration.API_KEY_ENV, None)
                self.assertEqual(parse(key).api_key, "")
                self.file.write_text("from-the-file\n")
                self.assertEqual(parse(key).api_key, "from-the-file")
                os.environ[configuration.API_KEY_ENV] = "from-the-environment"
                self.assertEqual(parse(key).api_key, "from-the-environment")
        self.assertEqual(parse(b"[broker]\napi_key = 'from-the-config'\n").api_key, "from-the-config")

    def test_it_is_named_in_no_error_and_no_log(self):
        config = parse(b"[broker]\napi_key = 's3cret'\n")
        self.assertNotIn("s3cret", repr(config))
        for content in (b"[broker]\napi_key = ['s3cret']\n", b"[broker]\nname = 'real'\napi_key = 's3cret'\n"):
            with self.assertRaises(ConfigError) as raised:
                parse(content)
            self.assertNotIn("s3cret", str(raised.exception))

    def test_a_file_that_cannot_be_read_is_said(self):
        self.file.write_bytes(b"\xff")
        with self.assertRaisesRegex(ConfigError, "broker.api_key is to come from .*: it is not UTF-8"):
            parse(b"")

    def test_the_schema_names_the_same_places(self):
        key = json.loads(SCHEMA.read_text())["properties"]["broker"]["properties"]["api_key"]
        self.assertEqual((key["x-secret-env"], key["x-secret-file"]), (configuration.API_KEY_ENV, SHIPPED_KEY_FILE))
