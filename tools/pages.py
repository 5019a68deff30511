"""The generated pages of `docs/`: each a function from what the code declares to the text of the page."""

import json
import logging
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from shared.api import openapi, refusals
from shared.api.reasons import REASONS
from shared.azure.settings import Settings
from shared.azure.trail_settings import TrailSettings
from shared.errors import HubError
from shared.fhir.rules import LAYERS, Rule, Severity, chapters
from shared.log import FIELDS, LogEvent
from shared.messages.lifecycle import RESTING, TRANSITIONS, State
from shared.registry.schemas import of_file
from tools import fhir_pages, infra_pages
from tools.markdown import page, table

_FUNCTIONS: Final = Path(__file__).resolve().parent.parent / "functions"
_EITHER: Final = (
    ("ServiceBus", "ServiceBus__fullyQualifiedNamespace"),
    ("Cosmos", "Cosmos__accountEndpoint"),
)
_READ_BY_TRIGGERS: Final = {
    "WakingSchedule": "When it is looked whether a receiver takes messages again",
    "OrphanCheckSchedule": "When the orphan check runs, as an NCRONTAB expression of six fields",
    "TrailSchedule": "When what has happened is written to the audit log",
    "CheckpointSchedule": "When the audit log is signed for",
    "ReconcileSchedule": "When it is looked for stations that the audit log lacks",
    "WatchSchedule": "When it is looked whether anything is wrong that people must be told of",
    "NoticesSchedule": "When notices that wait are sent",
    "NumbersSchedule": "When what waits is counted for the metrics",
    "ReplaySchedule": "When replays are worked on",
    "ExpirySchedule": "When it is looked for what has been set aside for too long; once a day",
}


def api() -> str:
    """openapi.json"""
    return json.dumps(openapi.document(None), indent=2, ensure_ascii=False)


def register_file() -> str:
    """registry.schema.json"""
    return json.dumps(of_file(), indent=2, ensure_ascii=False)


def states() -> str:
    """states.md"""
    arrows = [
        f"    {before} --> {after}: {step}" for before, steps in TRANSITIONS.items() for step, after in steps.items()
    ]
    ends = [f"    {state} --> [*]" for state, steps in TRANSITIONS.items() if not steps]
    rows = (
        (f"`{state}`", ", ".join(f"{step} → `{after}`" for step, after in TRANSITIONS[state].items()), _rests(state))
        for state in State
    )
    return page(
        "A message's life",
        "From the table in `shared/messages/lifecycle.py`. An event is received and routed in one go, or "
        "quarantined when nobody is there to get it; each of its deliveries starts as routed and lives on by the same "
        "table. In a resting state the hub does nothing more by itself.",
        "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> received", *arrows, *ends, "```"]),
        table(("state", "what can happen there", "resting"), rows),
    )


def settings() -> str:
    """settings.md"""
    return page(
        "Settings",
        "Environment variables (in Azure: application settings), read once when the app starts. A missing or malformed "
        "one is named in one line, its value never shown. Secrets come as Key Vault references. A connection is given "
        "either by identity or as a connection string; the latter is how the sandbox and emulators are reached.",
        table(("name", "type", "default", "required", "meaning"), _setting_rows(Settings)),
        "The audit log and its checkpoints:",
        table(("name", "type", "default", "required", "meaning"), _setting_rows(TrailSettings)),
        "Read by the triggers themselves:",
        table(("name", "type", "required", "meaning"), _trigger_rows()),
    )


def errors() -> str:
    """errors.md"""
    return page(
        "Codes",
        "Every refusal is a FHIR OperationOutcome whose second `details.coding` is one of these codes. `SEND_`: the "
        "sender must change something. `HUB_`: the hub's own trouble, try again. `REC_`: the receiver.",
        "## Answers to calls",
        table(
            ("code", "status", "whose fault", "what is wrong", "what to do", "FHIR issue", "VKP code"),
            (_error_row(kind) for kind in refusals.kinds()),
        ),
        "## Why a message waits or stopped",
        "In `receivers[].reason` of the status, in the trail and in the log.",
        table(("code", "what happened", "what to do"), ((f"`{r.code}`", r.text, r.advice) for r in REASONS)),
    )


def log_events() -> str:
    """log-events.md"""

    rows = (
        (f"`{each.code}`", logging.getLevelName(each.level).lower(), each.sentence, f"`{each.name}`")
        for each in sorted(LogEvent, key=lambda each: each.code)
    )
    return page(
        "Log lines",
        "Every line the hub logs. A line is its code, its sentence and some of a closed list of fields, never a word "
        "of a message, a person's number or a token.",
        table(("code", "level", "sentence", "name"), rows),
        "Fields: " + ", ".join(f"`{name}`" for name in sorted(FIELDS)) + ".",
    )


def rules() -> str:
    """rules.md"""
    parts = []
    for layer in LAYERS:
        about, kept = chapters()[layer]
        overview = table(
            ("rule", "normally", "strict", "what is wrong"),
            ((f"[`{each.key}`](#{each.key})", _severity(each), each.strict.value, each.text) for each in kept),
        )
        parts += [f"## {layer}", about, overview, *(_rule(each) for each in kept)]
    return page(
        "Rules",
        "What messages are judged by. `normally`: an error refuses the message, a warning comes back in the 202. "
        "`strict`: the same for a call with the header `Prefer: handling=strict`, which asks what a strict R4 reader "
        "would say. A system's registration can make a rule graver or milder for it, but not one that holds for "
        "everybody (*fixed*). `{…}` stands for a word of FHIR's definitions, never of the message. The key is the "
        "third `details.coding` of an issue; `./hub check FILE` tells the same of a file, offline.",
        *parts,
    )


PAGES: Final = {
    "openapi.json": api,
    "registry.schema.json": register_file,
    "states.md": states,
    "settings.md": settings,
    "errors.md": errors,
    "rules.md": rules,
    "not-enforced.md": fhir_pages.not_enforced,
    "codes.md": fhir_pages.codes,
    "log-events.md": log_events,
    **infra_pages.PAGES,
}


def _severity(rule: Rule) -> str:
    return f"{rule.severity.value} (fixed)" if rule.fixed else rule.severity.value


def _rule(rule: Rule) -> str:
    strict = f"; strict: {rule.strict.value}" if rule.strict is not rule.severity else ""
    off = " Nobody is told of it unless a registration says so." if rule.severity is Severity.OFF else ""
    return (
        f"### {rule.key}\n\n{rule.text} *{_severity(rule)}{strict}*{off}\n\n"
        f"- Mend: {rule.mend}\n- Why: {rule.why}\n- Source: {rule.source}\n"
        f"- FHIR issue `{rule.issue_type}`, VKP code `{rule.vkp_code}`"
    )


def _rests(state: State) -> str:
    return "yes" if state in RESTING else ""


def _error_row(kind: type[HubError]) -> tuple[str, ...]:
    fault = {"SEND": "sender", "HUB": "hub", "REC": "receiver"}[kind.code.partition("_")[0]]
    return (
        f"`{kind.code}`", str(kind.status), fault, kind.text(), kind.advice(), f"`{kind.issue_type}`", kind.vkp_code,
    )  # fmt: skip


def _setting_rows(model: type[BaseModel]) -> Iterable[tuple[str, ...]]:
    for field in model.model_fields.values():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _setting_rows(inner)
        elif field.alias:
            # A field that says nothing of its own means what its group says.
            meaning = field.description or (model.__doc__ or "").strip()
            kind = "URL" if _is_url(field) else _type(field.annotation)
            yield (f"`{field.alias}`", kind, _default(field), _required(field), meaning)


def _trigger_rows() -> Iterable[tuple[str, ...]]:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(_FUNCTIONS.glob("*.py")))
    for name in sorted(set(re.findall(r"\"%(\w+)%\"", text))):
        yield (f"`{name}`", "text", "yes", _READ_BY_TRIGGERS[name])


def _type(annotation: Any) -> str:
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(_type(each) for each in get_args(annotation) if each is not type(None))
    if hasattr(annotation, "__metadata__"):
        return _type(annotation.__origin__)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{each.value}`" for each in annotation)
    if get_origin(annotation) is frozenset:
        return "words"
    if get_origin(annotation) is tuple:
        kind = get_args(annotation)[0]
        return {timedelta: "numbers", SecretBytes: "secrets"}.get(kind, "several")
    if isinstance(get_origin(annotation), type) and issubclass(get_origin(annotation), Mapping):
        return "secrets"
    if annotation in (SecretStr, SecretBytes):
        return "secret"
    # What is none of these is read from a text.
    return {int: "number", float: "number", bool: "true or false"}.get(annotation, "text")


def _is_url(field: FieldInfo) -> bool:
    # Pydantic takes the mark off a plain annotation and leaves it on one within a union.
    inner = [each.__metadata__ for each in get_args(field.annotation) if hasattr(each, "__metadata__")]
    return any(isinstance(mark, AfterValidator) for marks in (field.metadata, *inner) for mark in marks)


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined or field.default is None:
        return ""
    if isinstance(field.default, frozenset | tuple):
        words = " ".join(sorted(str(each) for each in field.default))
        return f"`{words}`" if words else ""
    if isinstance(field.default, Enum):
        return f"`{field.default.value}`"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def _required(field: FieldInfo) -> str:
    for pair in _EITHER:
        if field.alias in pair:
            other = next(name for name in pair if name != field.alias)
            return f"this or `{other}`"
    return "yes" if field.is_required() else ""
