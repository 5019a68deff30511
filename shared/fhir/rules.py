"""The rules messages are judged by: what each asks, why, who says so, how grave a breach is, how to mend it.

A rule is data (`data/rules/*.json`, one file for each layer of the check, schema `rule.schema.json`); code only says
which rule was met where. Texts may hold `{placeholders}`, filled with words from FHIR's definitions, never with
anything from a message (P6).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

_FOLDER = Path(__file__).parent / "data" / "rules"


class Severity(StrEnum):
    """What a breach of a rule leads to."""

    ERROR = "error"
    """The message is refused."""
    WARNING = "warning"
    """The message is taken, and its sender told to mend the next one."""
    OFF = "off"
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing a message must live up to."""

    key: str
    """FHIR's own key for an invariant (`obs-6`), else a name that begins with the layer's (`repair-empty-string`)."""
    layer: str
    severity: Severity
    strict: Severity
    """What it is for a sender who asks for strict checking: what a strict R4 reader would make of the message."""
    fixed: bool
    """Whether it holds for everybody: nobody's registration can change it."""
    text: str
    """What is wrong, in one sentence that says what is due."""
    mend: str
    why: str
    source: str
    issue_type: str
    """FHIR's IssueType code (http://hl7.org/fhir/issue-type)."""
    vkp_code: str
    """Code of VKP's vkp-operation-outcome-v090."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How grave a breach of each rule is for one sender."""

    strict: bool = False
    """Whether the sender asked for strict checking (`Prefer: handling=strict`)."""
    overrides: Mapping[str, Severity] = field(default_factory=lambda: MappingProxyType({}))
    """What the sender's registration says about single rules. Does not make strict checking milder."""

    def severity(self, rule: Rule) -> Severity:
        """How grave a breach of this rule is here."""
        if self.strict:
            return rule.strict
        return rule.severity if rule.fixed else self.overrides.get(rule.key, rule.severity)


DEFAULT = Policy()
STRICT = Policy(strict=True)


def overrides(settings: Mapping[str, str]) -> Mapping[str, Severity]:
    """What a registration says about rules, checked. Raises ValueError for an unknown or fixed rule or severity."""
    known = rules()
    checked: dict[str, Severity] = {}
    for key, severity in settings.items():
        if key not in known:
            raise ValueError(f"there is no rule {key!r}")
        if known[key].fixed:
            raise ValueError(f"the rule {key} holds for every sender")
        checked[key] = Severity(severity)
    return MappingProxyType(checked)


def rule(key: str) -> Rule:
    """The rule of this name. Raises KeyError."""
    return rules()[key]


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its key, in the order of the layers and of their files."""
    found: dict[str, Rule] = {}
    for _, kept in chapters().values():
        for each in kept:
            if each.key in found:
                raise ValueError(f"the rule {each.key} is there twice")
            found[each.key] = each
    return MappingProxyType(found)


@cache
def chapters() -> Mapping[str, tuple[str, tuple[Rule, ...]]]:
    """For each layer what it looks at, and its rules."""
    found: dict[str, tuple[str, tuple[Rule, ...]]] = {}
    for layer in LAYERS:
        file = json.loads((_FOLDER / f"{layer}.json").read_text(encoding="utf-8"))
        kept = tuple(_rule(key, layer, facts) for key, facts in file["rules"].items())
        found[layer] = (file["about"], kept)
    return MappingProxyType(found)


LAYERS = ("json", "repair", "r4", "profile", "identifiers", "envelope")
"""In the order in which a message meets them; each has a file of its own."""


def _rule(key: str, layer: str, facts: dict[str, Any]) -> Rule:
    severity = Severity(facts["severity"])
    return Rule(
        key=key,
        layer=layer,
        severity=severity,
        strict=Severity(facts.get("strict", severity)),
        fixed=facts.get("fixed", False),
        text=facts["text"],
        mend=facts["mend"],
        why=facts["why"],
        source=facts["source"],
        issue_type=facts["issueType"],
        vkp_code=facts.get("vkpCode", "2"),
    )
