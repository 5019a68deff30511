"""Compiles every module of a folder, so that no instance does it at its start (it would at each: the zip is read-only).

Byte code goes by the source's hash, not by its time, and is never checked against it (PEP 552, "unchecked"): the two
lie in the same read-only zip. A script of its own, run in a fresh interpreter: what the compiler writes depends a
little on what the process did before.
"""

import os
import py_compile
import subprocess
import sys
from pathlib import Path

if __name__ != "__main__":
    from tools.package.target import DEPLOYED_AT, CannotPackage


def compile_all(folder: Path) -> None:
    """Compile all modules below a folder. Raises CannotPackage when there is one that Python cannot read."""
    environment = {"PYTHONHASHSEED": "0", "PATH": os.environ.get("PATH", "")}
    command = [sys.executable, "-S", "-P", __file__, str(folder), DEPLOYED_AT]
    # Our own script, no shell.
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise CannotPackage(f"a module cannot be compiled:\n{done.stderr.strip()[-2000:]}")


def _main(folder: Path, deployed_at: str) -> None:
    for module in sorted(folder.rglob("*.py")):
        py_compile.compile(
            str(module),
            dfile=f"{deployed_at}/{module.relative_to(folder).as_posix()}",
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2])
