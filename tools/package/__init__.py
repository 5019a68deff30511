"""The package that Azure runs: built from this checkout and the lock, and proven by running from it."""
