"""The program as it is run: a real process, real signals, a scanner on a real socket."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

from orchestrator.config import revision_of

MAIN = str(pathlib.Path(__file__).parents[1] / "main.py")
PATIENCE = 60
CONFIG = """[orchestrator]
log_level = "debug"
poll_interval_ms = 10
[risk]
max_hold_seconds = 0
"""
FORCED = {"trading_enabled": True, "mode": "forced", "reason": "a test", "since": "2026-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z", "by": "test"}


class Scanner:
    """Accepts clients on a free port and says to each what the test tells it to."""

    def __init__(self, test):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(PATIENCE)
        test.addCleanup(self._socket.close)
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        self._test = test

    def accept(self):
        client, _ = self._socket.accept()
        client.settimeout(PATIENCE)
        self._test.addCleanup(client.close)
        with client.makefile("rb") as lines:
            return client, json.loads(lines.readline())

    @staticmethod
    def scan(client, seq, session="s"):
        message = {
            "session": session, "seq": seq, "elapsed_ms": seq * 10, "quotes": {"AAPL": 100.0},
            "candidates": [{"symbol": "AAPL", "price": 100.0, "score": 0.9}],
        }
        client.sendall(json.dumps(message).encode() + b"\n")


class ProcessTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "config.toml")
        self.gate = os.path.join(folder.name, "trading.json")
        self.scanner = Scanner(self)

    def write(self, path, content):
        with open(path + ".new", "w") as file:
            file.write(content)
        os.replace(path + ".new", path)

    def start(self, config=CONFIG):
        self.write(self.path, config)
        process = subprocess.Popen(
            [sys.executable, "-B", MAIN, "--config", self.path, "--scanner", self.scanner.address],
            stdout=subprocess.PIPE, text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        # A test that waits in vain ends all the same: the pipe closes when the process does.
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        self.addCleanup(watchdog.cancel)
        return process

    def wait(self, process, text):
        seen = []
        for line in process.stdout:
            seen.append(line)
            if text in line:
                return line
        self.fail(f"never logged {text!r}, only:\n{''.join(seen[-30:])}")

    def test_it_reloads_on_the_signal_and_keeps_the_old_config_if_the_new_one_is_bad(self):
        process = self.start()
        self.wait(process, "INFO Config loaded revision=" + revision_of(CONFIG.encode()))
        self.wait(process, "heartbeat")
        other = CONFIG.replace("poll_interval_ms = 10", "poll_interval_ms = 20")
        self.write(self.path, other)
        process.send_signal(signal.SIGUSR1)
        line = self.wait(process, "Config reload")
        self.assertEqual(line.split(" ", 1)[1], f"INFO Config reloaded revision={revision_of(other.encode())}\n")
        self.write(self.path, CONFIG + "max_order_usd = -1\n")
        process.send_signal(signal.SIGUSR1)
        line = self.wait(process, "Config reload")
        self.assertEqual(
            line.split(" ", 1)[1],
            "ERROR Config reload failed: risk.max_order_usd is -1; it must be at least 1\n",
        )
        self.write(self.path, other)
        process.send_signal(signal.SIGUSR1)
        self.wait(process, f"INFO Config reloaded revision={revision_of(other.encode())}")
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_bad_config_at_start_ends_it_with_the_reason(self):
        process = self.start("[risk]\nmax_order_usd = -1\n")
        self.wait(process, "ERROR Config load failed: risk.max_order_usd is -1")
        self.assertEqual(process.wait(PATIENCE), 1)

    def test_orders_are_entered_while_the_gate_is_open_refused_when_halted_and_always_exited(self):
        self.write(self.gate, json.dumps(FORCED))
        process = self.start()
        client, _ = self.scanner.accept()
        self.scanner.scan(client, 1)
        self.wait(process, "order placed symbol=AAPL")
        self.wait(process, "exit placed symbol=AAPL")
        self.write(self.gate, json.dumps(FORCED | {"trading_enabled": False, "mode": "halted"}))
        self.wait(process, "trading_enabled=false reason=halted: a test")
        self.scanner.scan(client, 2)
        self.wait(process, "order refused: trading is not enabled symbol=AAPL")

    def test_it_connects_again_and_asks_for_what_it_missed(self):
        process = self.start()
        client, hello = self.scanner.accept()
        self.assertEqual(hello, {"session": "", "after": 0})
        self.scanner.scan(client, 7)
        self.wait(process, "scan seq=7")
        client.shutdown(socket.SHUT_RDWR)
        client, hello = self.scanner.accept()
        self.assertEqual(hello, {"session": "s", "after": 7})
        self.scanner.scan(client, 8)
        self.wait(process, "scan seq=8")
        self.scanner.scan(client, 10)
        self.wait(process, "WARNING candidates lost from=9 to=9")
