"""What the package is built for, and what of this checkout goes into it."""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

PYTHON: Final = (3, 13)
"""The Python that Flex Consumption runs the app with (`infra/`: functionAppConfig.runtime)."""

PLATFORMS: Final = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 16, -1)),
    "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64",
)  # fmt: skip
"""Wheels that run where Flex Consumption does (Linux on x86-64, glibc 2.28 or newer), as pip names them."""

PIP_TARGET: Final = (
    "--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON[0]}.{PYTHON[1]}",
    *(f"--platform={platform}" for platform in PLATFORMS),
)  # fmt: skip
"""pip's arguments for installing for that target, whatever machine it runs on. Source packages are never built."""

SITE_PACKAGES: Final = ".python_packages/lib/site-packages"
"""Where the platform looks for an app's packages, from the root of the zip."""

DEPLOYED_AT: Final = "/home/site/wwwroot"
"""Where the platform puts the zip's content: what tracebacks name before Python knows better."""

FILES: Final = ("function_app.py", "host.json")
FOLDERS: Final = ("functions", "shared")
"""All of the checkout that goes into the package."""

SUFFIXES: Final = frozenset({".py", ".json"})
"""Kinds of files the app consists of. Another kind is refused, so that nothing comes along by chance."""

LEFT_OUT: Final = {
    "fhir-resources": "not imported by the app: the tests' second opinion, at 570 modules",
    "fhir-core": "needed by fhir-resources alone",
}
"""Packages of the lock that the app runs without, and why they are required at all."""

UNUSED_SUFFIXES: Final = frozenset({".pyi", ".pyx", ".pxd", ".pxi", ".c", ".h", ".cpp", ".hpp"})
"""Files of packages that only compilers and type checkers read."""


class CannotPackage(Exception):
    """The package cannot be built or does not hold what it must. The message is for the person who builds it."""


def right_python() -> None:
    """Raises CannotPackage unless this is the Python that Azure runs: byte code is of one version."""
    if sys.version_info[:2] != PYTHON or sys.implementation.name != "cpython":
        raise CannotPackage(
            f"the package is built with CPython {PYTHON[0]}.{PYTHON[1]}, which Azure runs it with; this is "
            f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"
        )
