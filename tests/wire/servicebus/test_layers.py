"""The order of the modules that the package tells its readers is the order in which they import."""

import ast
import re
from pathlib import Path

from sandbox import servicebus

PACKAGE = "sandbox.servicebus"
FOLDER = Path(servicebus.__file__).parent
TOLD = re.findall(r"^ {4}\w[\w ]*?  +(\w.*)$", servicebus.__doc__ or "", re.MULTILINE)
ORDER = [name.strip() for line in TOLD for name in line.split(",")]


def test_every_module_has_its_place_in_the_order() -> None:
    assert sorted(ORDER) == sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def test_a_module_imports_only_what_comes_before_it() -> None:
    for place, module in enumerate(ORDER):
        for node in ast.walk(ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
                inside = (node.module or "").removeprefix(PACKAGE).removeprefix(".")
                for name in [inside] if inside else [each.name for each in node.names]:
                    assert name in ORDER[:place], f"{module}.py:{node.lineno} imports {name}"
