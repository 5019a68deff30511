"""The benchmarks behind `hub bench`: one run, one table, and what limits it."""
