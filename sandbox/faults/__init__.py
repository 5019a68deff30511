"""Breaks a sandbox of its own in every way there is a word for, and counts what became of what was accepted.

ledger.py     what a sender wrote down, what a receiver holds, and what the two say together
letters.py    the messages that are sent
sender.py     a vendor that sends until it is answered 202
rig.py        a running hub with a handle on everything that can be broken
scenario.py   what a scenario is; the modules beside it are the scenarios
run.py        runs them, one after another, and reports
host.py       the local Functions host with a clock that can be moved
"""
