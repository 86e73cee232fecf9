"""Signals as numbers in a queue: the handlers do nothing themselves."""

import os
import select
import signal


class Signals:
    """Collects signals from its creation on; only the main thread may create it and wait."""

    HANDLED = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT)

    def __init__(self):
        self._read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # Python's own C handler writes each number to this pipe. Nothing else happens in the handler,
        # so no lock can be held by the thread that it interrupts.
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in self.HANDLED:
            signal.signal(number, lambda *_: None)

    def wait(self, seconds=None):
        """The signals that came, in order; empty if none came in time."""
        ready, _, _ = select.select([self._read], [], [], seconds)
        if not ready:
            return []
        try:
            return [signal.Signals(number) for number in os.read(self._read, 4096)]
        except BlockingIOError:
            return []
