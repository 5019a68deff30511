"""A collector of OpenTelemetry's on this machine: takes what the app exports, keeps it in a file, and is looked through
by `hub trace`."""
