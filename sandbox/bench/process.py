"""What a process has used, by the kernel's own accounting."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds of CPU since the process began, and memory in MB now and at most."""

    cpu_s: float
    resident_mb: float
    most_resident_mb: float


def used(pid: int) -> Used:
    """Read it. Raises OSError when the process is gone or the kernel does not tell (not Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    memory = {name: rest for name, _, rest in (line.partition(":") for line in status)}
    cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS
    return Used(cpu_s, _mb(memory["VmRSS"]), _mb(memory["VmHWM"]))


def _mb(text: str) -> float:
    return float(text.split(maxsplit=1)[0]) / 1024
