"""ASP.NET route templates: parsing, precedence and matching, as the Functions host uses them.

Rules from Microsoft's "Routing in ASP.NET Core": literals before constrained parameters before free ones before
catch-alls; case-insensitive; a route whose method differs does not match at all (the host answers 404, not 405).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

_UUID = re.compile(r"\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?|[0-9a-fA-F]{32}")
_ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)

Constraint = Callable[[str], bool]


class BadTemplate(ValueError):
    """A route template that cannot be used."""


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed route template. `precedence` sorts: the lower one is tried first."""

    text: str
    pattern: re.Pattern[str]
    constraints: tuple[tuple[str, Constraint], ...]
    defaults: tuple[tuple[str, str], ...]
    precedence: tuple[int, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """The route values when the (decoded) path fits, else None. A missing optional value has no key."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        values = {name: value for name, value in found.groupdict().items() if value}
        for name, default in self.defaults:
            values.setdefault(name, default)
        for name, holds in self.constraints:
            if name in values and not holds(values[name]):
                return None
        return values


def decode_path(raw: str) -> str:
    """Percent-decode a path once; an encoded slash stays encoded (as Kestrel does), so that it splits no segment."""
    if "%" not in raw:
        return raw
    return "%2F".join(unquote(part) for part in _ENCODED_SLASH.split(raw))


def parse(template: str) -> Template:
    """Parse a route template such as `things/{id:int}/{kind?}/{*rest}`. Raises BadTemplate."""
    text = template.strip("/")
    pattern = ""
    precedence: list[int] = []
    constraints: list[tuple[str, Constraint]] = []
    defaults: list[tuple[str, str]] = []
    names: set[str] = set()
    for segment in _segments(text):
        parts = _parts(segment)
        parameters = [part for part in parts if isinstance(part, _Parameter)]
        for parameter in parameters:
            if parameter.name.lower() in names:
                raise BadTemplate(f"the parameter '{parameter.name}' occurs twice in the route '{template}'")
            names.add(parameter.name.lower())
            constraints += [(parameter.name, one) for one in parameter.constraints]
            if parameter.default is not None:
                defaults.append((parameter.name, parameter.default))
        if len(parts) == 1 and parameters:
            pattern += _whole_segment(parameters[0])
            precedence.append(_weight(parameters[0]))
        else:
            pattern += "/" + "".join(
                f"(?P<{part.name}>[^/]+?)" if isinstance(part, _Parameter) else re.escape(part) for part in parts
            )
            precedence.append(2 if parameters else 1)
    return Template(
        text,
        re.compile(f"(?:{pattern or '/'})/?", re.IGNORECASE),
        tuple(constraints),
        tuple(defaults),
        tuple(precedence),
    )


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    constraints: tuple[Constraint, ...]
    optional: bool
    catch_all: bool
    default: str | None


def _whole_segment(parameter: _Parameter) -> str:
    if parameter.catch_all:
        return f"(?:/(?P<{parameter.name}>.*))?"
    group = f"/(?P<{parameter.name}>[^/]+)"
    return f"(?:{group})?" if parameter.optional or parameter.default is not None else group


def _weight(parameter: _Parameter) -> int:
    if parameter.catch_all:
        return 4 if parameter.constraints else 5
    return 2 if parameter.constraints else 3


def _segments(text: str) -> list[str]:
    """Split at slashes outside braces (a regex constraint may hold one)."""
    segments, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if char == "/" and depth == 0:
            segments.append(text[start:index])
            start = index + 1
    if depth != 0:
        raise BadTemplate(f"the braces in the route '{text}' do not match")
    segments.append(text[start:])
    return [segment for segment in segments if segment]


def _parts(segment: str) -> list[str | _Parameter]:
    parts: list[str | _Parameter] = []
    index = 0
    while index < len(segment):
        if segment[index] == "{":
            end = _closing(segment, index)
            parts.append(_parameter(segment[index + 1 : end]))
            index = end + 1
        else:
            end = segment.find("{", index)
            end = len(segment) if end < 0 else end
            parts.append(segment[index:end])
            index = end
    return parts


def _closing(text: str, start: int) -> int:
    depth = 0
    for index in range(start, len(text)):
        depth += (text[index] == "{") - (text[index] == "}")
        if depth == 0:
            return index
    raise BadTemplate(f"the braces in '{text}' do not match")


def _parameter(inside: str) -> _Parameter:
    stars = len(inside) - len(inside.lstrip("*"))
    text = inside[stars:]
    optional = text.endswith("?")
    text, *assigned = _split_outside_parentheses(text.removesuffix("?"), "=")
    default = "=".join(assigned) if assigned else None
    head, *rest = _split_outside_parentheses(text, ":")
    if not re.fullmatch(r"[A-Za-z_]\w*", head):
        raise BadTemplate(f"'{{{inside}}}' is not a route parameter")
    return _Parameter(head, tuple(_constraint(one) for one in rest), optional, stars > 0, default)


def _split_outside_parentheses(text: str, mark: str) -> list[str]:
    pieces, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == mark and depth == 0:
            pieces.append(text[start:index])
            start = index + 1
    return [*pieces, text[start:]]


def _constraint(text: str) -> Constraint:
    name, _, arguments = text.partition("(")
    arguments = arguments.removesuffix(")")
    simple = _SIMPLE.get(name.lower())
    if simple is not None:
        return simple
    try:
        if name == "regex":
            expression: re.Pattern[str] = re.compile(arguments.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
            return lambda value: expression.search(value) is not None
        return _with_numbers(name.lower(), [int(one) for one in arguments.split(",")])
    except (ValueError, re.error) as error:
        raise BadTemplate(f"the route constraint '{text}' cannot be used") from error


def _with_numbers(name: str, numbers: Sequence[int]) -> Constraint:
    low, high = numbers[0], numbers[-1]
    tests: dict[str, Constraint] = {
        "length": lambda value: low <= len(value) <= high,
        "minlength": lambda value: len(value) >= low,
        "maxlength": lambda value: len(value) <= low,
        "min": lambda value: _whole(value, 64) and int(value) >= low,
        "max": lambda value: _whole(value, 64) and int(value) <= low,
        "range": lambda value: _whole(value, 64) and low <= int(value) <= high,
    }
    if name not in tests:
        raise ValueError(name)
    return tests[name]


def _whole(value: str, bits: int) -> bool:
    if not re.fullmatch(r"[+-]?[0-9]{1,20}", value):
        return False
    limit = 1 << (bits - 1)
    return -limit <= int(value) < limit


def _number(value: str) -> bool:
    return re.fullmatch(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", value) is not None


def _time(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


_SIMPLE: dict[str, Constraint] = {
    "int": lambda value: _whole(value, 32),
    "long": lambda value: _whole(value, 64),
    "guid": lambda value: _UUID.fullmatch(value) is not None,
    "alpha": lambda value: re.fullmatch("[A-Za-z]*", value) is not None,
    "bool": lambda value: value.lower() in ("true", "false"),
    "decimal": _number,
    "double": _number,
    "float": _number,
    "datetime": _time,
    "required": lambda value: value != "",
}
