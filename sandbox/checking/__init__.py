"""Checking files as the API would judge them, with no hub running."""
