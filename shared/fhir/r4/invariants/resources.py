"""The invariants of the resources in use, by R4's own keys: each says whether it holds for the object it is placed on.

R4's expressions are in the definitions of the types (http://hl7.org/fhir/R4/resourcelist.html).
"""

from typing import Final

from shared.fhir.r4.invariants.facts import (
    UCUM,
    at_most_one,
    coded,
    count,
    has,
    has_any,
    has_choice,
    implies,
    in_order,
    inside,
    number,
    objects,
    together,
)
from shared.fhir.values import JsonObject

_ALLERGY_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_CONDITION_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
# R4's expression says no-show, its value set noshow.
_MISSED: Final = ("no-show", "noshow", "cancelled")
_CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def _allergy_is_error(owner: JsonObject) -> bool:
    return coded(owner, "verificationStatus", _ALLERGY_VERIFICATION, "entered-in-error")


def _no_time_only_before_it_is_agreed(owner: JsonObject) -> bool:
    timed = has(owner, "start") and has(owner, "end")
    return timed or owner.get("status") in ("proposed", "cancelled", "waitlist")


def _abated_condition(owner: JsonObject) -> bool:
    ended = coded(owner, "clinicalStatus", _CONDITION_CLINICAL, "resolved", "remission", "inactive")
    return ended or not has_choice(owner, "abatement")


def _condition_in_error(owner: JsonObject) -> bool:
    wrong = coded(owner, "verificationStatus", _CONDITION_VERIFICATION, "entered-in-error")
    return not (wrong and has(owner, "clinicalStatus"))


def _no_value_repeated_by_component(owner: JsonObject) -> bool:
    if "component" not in owner or not has_choice(owner, "value"):
        return True
    own = {_content(coding) for coding in objects(inside(owner, "code").get("coding"))}
    components = (inside(each, "code") for each in objects(owner["component"]))
    return not any(_content(coding) in own for code in components for coding in objects(code.get("coding")))


def _content(coding: JsonObject) -> str:
    """All that a coding says, to be compared without comparing each with each."""
    return repr(sorted(coding.items()))


def _one_parameter(owner: JsonObject) -> bool:
    given = (has(owner, "part"), has_choice(owner, "value"), has(owner, "resource"))
    return sum(given) == 1


def _only_entries(owner: JsonObject, name: str) -> bool:
    return not any(has(entry, name) for entry in objects(owner.get("entry")))


def _not_at_home(owner: JsonObject) -> bool:
    return owner.get("use") != "home"


def _percentage(owner: JsonObject) -> bool:
    ends = [end for end in (inside(owner, "low"), inside(owner, "high")) if end]
    return all(end.get("code") == "%" and end.get("system") == UCUM for end in ends)


def _probable(owner: JsonObject) -> bool:
    value = number(owner.get("probabilityDecimal"))
    return value is None or value <= 100


RESOURCES: Final = {
    "ait-1": lambda owner: _allergy_is_error(owner) or has(owner, "clinicalStatus"),
    "ait-2": lambda owner: not (_allergy_is_error(owner) and has(owner, "clinicalStatus")),
    "app-1": lambda owner: has_any(owner, "type", "actor"),
    "app-2": lambda owner: together(owner, "start", "end"),
    "app-3": _no_time_only_before_it_is_agreed,
    "app-4": lambda owner: not has(owner, "cancelationReason") or owner.get("status") in _MISSED,
    "cmp-1": lambda owner: has_any(owner, "text", "entry", "section"),
    "cmp-2": lambda owner: at_most_one(owner, "emptyReason", "entry"),
    "con-1": lambda owner: has_any(owner, "summary", "assessment"),
    "con-2": lambda owner: has_any(owner, "code", "detail"),
    "con-4": _abated_condition,
    "con-5": _condition_in_error,
    "cpl-3": lambda owner: at_most_one(owner, "detail", "reference"),
    "gol-1": lambda owner: not has_choice(owner, "detail") or has(owner, "measure"),
    "grp-1": lambda owner: not has(owner, "member") or owner.get("actual") is True,
    "imm-1": lambda owner: has_any(owner, "documentType", "reference"),
    "inv-1-parameters": _one_parameter,
    "inv-1-task": lambda owner: in_order(owner.get("authoredOn"), owner.get("lastModified")),
    "lst-1": lambda owner: at_most_one(owner, "emptyReason", "entry"),
    "lst-2": lambda owner: owner.get("mode") == "changes" or _only_entries(owner, "deleted"),
    "lst-3": lambda owner: owner.get("mode") == "working" or _only_entries(owner, "date"),
    "mad-1": lambda owner: has(owner, "dose") or has_choice(owner, "rate"),
    "mdd-1": lambda owner: in_order(owner.get("whenPrepared"), owner.get("whenHandedOver")),
    "obs-3": lambda owner: has_any(owner, "low", "high", "text"),
    "obs-6": lambda owner: not has(owner, "dataAbsentReason") or not has_choice(owner, "value"),
    "obs-7": _no_value_repeated_by_component,
    "org-1": lambda owner: has_any(owner, "identifier", "name"),
    "org-2": _not_at_home,
    "org-3": _not_at_home,
    "pat-1": lambda owner: has_any(owner, "name", "telecom", "address", "organization"),
    "prr-1": lambda owner: implies(owner, "orderDetail", "code"),
    "qrs-1": lambda owner: at_most_one(owner, "answer", "item"),
    "ras-1": _percentage,
    "ras-2": _probable,
    "sev-1": lambda owner: at_most_one(owner, "name", "query"),
}

_CHOSEN: Final = ("choice", "open-choice", "decimal", "integer", "date", "dateTime", "time", "string", "quantity")
_OF_SOME_LENGTH: Final = ("boolean", "decimal", "integer", "string", "text", "url", "open-choice")


def _items(owner: JsonObject) -> bool:
    kind = owner.get("type")
    return has(owner, "item") if kind == "group" else not (kind == "display" and has(owner, "item"))


def _not_for_display(owner: JsonObject, *names: str) -> bool:
    return owner.get("type") != "display" or not has_any(owner, *names)


def _is_there_operator(owner: JsonObject) -> bool:
    return owner.get("operator") != "exists" or isinstance(owner.get("answerBoolean"), bool)


def _link_ids_once(owner: JsonObject) -> bool:
    seen: set[str] = set()
    waiting = list(objects(owner.get("item")))
    while waiting:
        item = waiting.pop()
        waiting += objects(item.get("item"))
        link = item.get("linkId")
        if isinstance(link, str):
            if link in seen:
                return False
            seen.add(link)
    return True


QUESTIONNAIRES: Final = {
    "que-1": _items,
    "que-2": _link_ids_once,
    "que-3": lambda owner: _not_for_display(owner, "code"),
    "que-4": lambda owner: at_most_one(owner, "answerOption", "answerValueSet"),
    "que-5": lambda owner: owner.get("type") in _CHOSEN or not has_any(owner, "answerOption", "answerValueSet"),
    "que-6": lambda owner: _not_for_display(owner, "required", "repeats"),
    "que-7": _is_there_operator,
    "que-8": lambda owner: owner.get("type") not in ("group", "display") or not has(owner, "initial"),
    "que-9": lambda owner: _not_for_display(owner, "readOnly"),
    "que-10": lambda owner: owner.get("type") in _OF_SOME_LENGTH or not has(owner, "maxLength"),
    "que-11": lambda owner: at_most_one(owner, "answerOption", "initial"),
    "que-12": lambda owner: count(owner, "enableWhen") <= 2 or has(owner, "enableBehavior"),
    "que-13": lambda owner: owner.get("repeats") is True or count(owner, "initial") <= 1,
}
