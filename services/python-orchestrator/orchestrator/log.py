"""One plain line per record on standard output: TIME LEVEL message."""

import logging
import sys
import time

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class _OneLine(logging.Formatter):
    converter = time.gmtime  # the process's zone is the schedule's; the log's is UTC

    def format(self, record):
        return super().format(record).replace("\n", " ")


def new(stream=None):
    logging.raiseExceptions = False  # a reader that went away is no reason to stop trading
    log = logging.Logger("orchestrator")
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        _OneLine("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    )
    log.addHandler(handler)
    return log
