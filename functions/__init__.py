"""The doors: each turns a trigger into one call on the hub and the outcome back. No decisions in here."""
