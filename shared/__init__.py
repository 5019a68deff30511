"""The rooms of the hub: what it decides, apart from how it is called (`functions/`) and where it runs."""
