"""The line to the scanner: connects, again and again, and misses no message."""

import json
import socket
import threading

RETRY_SECONDS = 0.5
LINE_LIMIT = 1 << 20


class Feed:
    """Reads scans in a thread of its own and hands each to `on_scan(quotes, candidates, age)`.

    On every connection it says where it stopped, so that the scanner sends what was missed.
    """

    def __init__(self, address, on_scan, monotonic, log):
        self._on_scan = on_scan
        self._monotonic = monotonic
        self._log = log
        self._lock = threading.Lock()  # guards _address and _connection
        self._address = address
        self._connection = None
        # All below belongs to the thread.
        self._session = ""
        self._seq = 0
        self._ahead = None
        self._complained = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self):
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._hang_up()
        self._thread.join(5)

    def follow(self, address):
        """Uses this address from now on."""
        with self._lock:
            if address == self._address:
                return
            self._address = address
        self._hang_up()

    def _hang_up(self):
        with self._lock:
            connection = self._connection
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it was gone already

    def _run(self):
        while not self._stop.is_set():
            with self._lock:
                address = self._address
            try:
                self._read(address)
            except (OSError, ValueError, KeyError, TypeError) as error:
                if str(error) != self._complained:
                    self._complained = str(error)
                    self._log.warning("no candidates from the scanner at %s: %s; trying again", address, error)
            self._stop.wait(RETRY_SECONDS)

    def _read(self, address):
        host, _, port = address.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), timeout=5) as connection:
            with self._lock:
                if address != self._address:
                    return
                self._connection = connection
            connection.settimeout(None)
            # A scanner's machine that vanished says nothing; the kernel asks after it.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            hello = {"session": self._session, "after": self._seq}
            connection.sendall(json.dumps(hello).encode() + b"\n")
            with connection.makefile("rb") as lines:
                while line := lines.readline(LINE_LIMIT):
                    self._take(json.loads(line))
                    self._complained = ""
            raise ConnectionError("the scanner closed the connection")

    def _take(self, scan):
        session, seq = str(scan["session"]), int(scan["seq"])
        if session != self._session:
            self._log.info("receiving candidates session=%s from seq=%d", session, seq)
            self._ahead = None
        elif seq != self._seq + 1:
            self._log.warning("candidates lost from=%d to=%d", self._seq + 1, seq - 1)
        self._session, self._seq = session, seq
        # Both clocks only grow and run alike; the smallest distance seen is a message without delay.
        distance = self._monotonic() - scan["elapsed_ms"] / 1000
        self._ahead = distance if self._ahead is None else min(self._ahead, distance)
        self._log.debug("scan seq=%d candidates=%d", seq, len(scan["candidates"]))
        self._on_scan(scan["quotes"], scan["candidates"], distance - self._ahead)
