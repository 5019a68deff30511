"""The generated pages about what the check knows: what it leaves out, and the code lists with their editions."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import shared.fhir
from shared.fhir.codes import Code, CodeList, Meaning, code_lists
from tools.markdown import page, table

_DATA: Final = Path(shared.fhir.__file__ or "").parent / "data"


def not_enforced() -> str:
    """not-enforced.md"""
    base, profiles = _read("not_enforced.json"), _read("profiles_not_enforced.json")
    return page(
        "What is not checked",
        "Every rule of R4 4.0.1 and of the published profiles that the check leaves out, with the reason. Tests "
        "compare both lists with the definitions and the checker: one that grows, or names something in vain, fails.",
        "## Base R4",
        table(("rule", "why not"), ((f"`{key}`", why) for key, why in base["rules"].items())),
        "Required code lists:",
        table(("element", "why not"), ((f"`{key}`", why) for key, why in base["bindings"].items())),
        "What R4 says in words:",
        table(("what", "why not"), ((f"`{key}`", why) for key, why in base["prose"].items())),
        "Resources in use: " + ", ".join(base["resources_in_use"]) + ".",
        "Of other resources: " + base["other_resources_reason"],
        table(
            ("resource", "not checked"),
            ((kind, ", ".join(f"`{key}`" for key in keys)) for kind, keys in base["other_resources"].items()),
        ),
        "## Profiles",
        "\n".join(f"- {line}" for line in profiles["everywhere"]),
        table(
            ("profile", "elements", "what", "why not"),
            (
                (each["profile"], ", ".join(f"`{name}`" for name in each["elements"]), each["what"], each["reason"])
                for each in profiles["notEnforced"]
            ),
        ),
    )


def codes() -> str:
    """codes.md"""
    parts = [part for each in code_lists().values() for part in _chapter(each)]
    return page(
        "Code lists",
        "The lists that VKP traffic uses, with every meaning a code is known to have had under the same url. What a "
        "sender writes beside a code is never replaced. A code that is not here is not refused where FHIR lets a list "
        "be extended.",
        *parts,
    )


def _chapter(found: CodeList) -> Iterable[str]:
    about = f"{found.about} `{found.system}`"
    if found.also_written:
        about += "; also written " + ", ".join(f"`{each}`" for each in found.also_written)
    state = " Withdrawn: old messages still have it." if found.withdrawn else ""
    state += " Some codes of a larger system." if found.part else ""
    yield f"## {found.name}"
    yield f"{about}.{state} Source: {found.source}."
    yield table(("code", "means", "meant earlier"), (_row(each) for each in found.codes.values()))


def _row(code: Code) -> tuple[str, str, str]:
    now = _said(code.current) if code.current is not None else "(withdrawn)"
    return f"`{code.code}`", now, "; ".join(_said(each) for each in code.earlier)


def _said(meaning: Meaning) -> str:
    words = meaning.display or "(display not known)"
    if meaning.gloss:
        words += f" – {meaning.gloss}"
    span = [
        text
        for text in (meaning.since and f"since {meaning.since}", meaning.until and f"until {meaning.until}")
        if text
    ]
    return words + (f" ({', '.join(span)})" if span else "")


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_DATA / name).read_text(encoding="utf-8"))
    return found
