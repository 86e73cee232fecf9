"""Puts the orchestrator together and runs it until it is told to end."""

import argparse
import os
import signal
import sys
import threading
import time
from datetime import datetime

from . import config as configuration
from . import log as logging
from .feed import Feed
from .gate import TradingEnabled
from .gatefile import GateFile
from .scheduler import Scheduler
from .trader import Trader

GATE_SECONDS = 0.1


class App:
    """The parts, and the config they were last given. Owned by the main thread."""

    def __init__(self, path, scanner, log):
        self._path = path
        self._scanner = scanner
        self._log = log
        self.config = configuration.load(path)
        log.setLevel(self.config.log_level.upper())
        gate = os.path.join(os.path.dirname(os.path.abspath(path)), "trading.json")
        self.trading_enabled = TradingEnabled(GateFile(gate), time.time, log)
        self.scheduler = Scheduler(self.trading_enabled, time.time, log)
        self.trader = Trader(self.config.risk, self.trading_enabled, time.monotonic, self._today, log)
        self.feed = Feed(scanner or self.config.scanner, self.trader.on_scan, time.monotonic, log)
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._every, args=args, name=args[0], daemon=True)
            for args in (
                ("heartbeat", lambda: self.config.heartbeat_seconds, self._beat),
                ("gate", lambda: GATE_SECONDS, self.trading_enabled.look),
                ("exits", lambda: self.config.poll_seconds, self.trader.exits),
            )
        ]
        self._beats = 0

    def start(self):
        self._log.info("Config loaded revision=%s", self.config.revision)
        self.scheduler.plan(self.config.schedule)
        self.scheduler.start()
        self.feed.start()
        for thread in self._threads:
            thread.start()

    def reload(self):
        """Loads the config anew; a bad one changes nothing."""
        try:
            config = configuration.load(self._path)
        except configuration.ConfigError as error:
            self._log.error("Config reload failed: %s", error)
            return
        self.config = config
        self._log.setLevel(config.log_level.upper())
        self.trader.limit(config.risk)
        self.scheduler.plan(config.schedule)
        self.feed.follow(self._scanner or config.scanner)
        self._log.info("Config reloaded revision=%s", config.revision)

    def stop(self):
        self._ended.set()
        self.feed.stop()
        self.scheduler.stop()
        for thread in self._threads:
            thread.join(5)

    def _every(self, name, seconds, work):
        while not self._ended.wait(seconds()):
            try:
                work()
            except Exception as error:  # one bad passage must not end exits for good
                self._log.error("%s stumbled: %s", name, error)

    def _beat(self):
        self._beats += 1
        self._log.debug("heartbeat n=%d", self._beats)

    def _today(self):
        schedule = self.config.schedule
        zone = schedule.zone() if schedule else None
        return datetime.fromtimestamp(time.time(), zone).date()


def main(signals):
    parser = argparse.ArgumentParser(prog="python-orchestrator", description=__doc__)
    parser.add_argument(
        "--config", metavar="FILE",
        default=os.environ.get("PITSTOP_CONFIG") or "/config/config.toml",
        help="the stack's config file (or PITSTOP_CONFIG)",
    )
    parser.add_argument(
        "--scanner", metavar="ADDRESS", default=os.environ.get("SCANNER_ADDRESS", ""),
        help="where the scanner is, instead of the config's word (or SCANNER_ADDRESS)",
    )
    arguments = parser.parse_args()
    log = logging.new()
    try:
        app = App(arguments.config, arguments.scanner, log)
    except configuration.ConfigError as error:
        log.error("Config load failed: %s", error)
        sys.exit(1)
    app.start()
    # Stopping the scheduler thread is a drill: it shows that the panel's gate closes trading alone.
    drills = os.environ.get("ORCHESTRATOR_DRILLS") == "1"
    while True:
        for number in signals.wait():
            if number == signal.SIGUSR1:
                app.reload()
            elif number == signal.SIGUSR2 and drills:
                app.scheduler.stop()
                log.warning("drill: the scheduler thread was stopped")
            elif number in (signal.SIGTERM, signal.SIGINT):
                log.info("ending")
                app.stop()
                return
