"""Starts the orchestrator: python3 main.py [--config FILE]. See orchestrator/app.py."""

from orchestrator.signals import Signals

# Before anything that takes time is imported: SIGUSR1 that nobody handles ends a process.
signals = Signals()

from orchestrator.app import main  # noqa: E402

if __name__ == "__main__":
    main(signals)
