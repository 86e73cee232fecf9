"""The reference orchestrator: paper orders from a scanner's candidates, behind a trading gate.

It shows what a service of a Pitstop stack does: it reloads its config on SIGUSR1 and keeps the old
one if the new one is bad, it never enters an order unless trading is enabled, it always exits, and
it says what it does in lines that Pitstop can follow.
"""
