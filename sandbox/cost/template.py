"""What an environment's template makes: its evaluated resources (`infra/evaluated`, kept by `tools.infra_checks`)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sandbox.cost.prices import INFRA

EVALUATED: Final = INFRA / "evaluated"
ENVIRONMENTS: Final = ("dev", "test", "prod")
HTTP: Final = "http"
"""The group of all HTTP functions: they scale together, every other function by itself (Flex Consumption plan)."""

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """Functions that scale together on instances of their own."""

    component: str
    name: str
    functions: tuple[str, ...]
    ready: int
    """Instances that are always there because the template says so."""
    zones: bool
    memory_gb: float
    concurrency: int

    @property
    def kept(self) -> int:
        """Instances that are always there: with zones two at least (Azure's rule for this plan)."""
        return max(self.ready, 2 if self.zones else 0)


@dataclass(frozen=True, slots=True)
class Template:
    """An environment's resources."""

    environment: str
    resources: tuple[Resource, ...]

    def of(self, kind: str) -> tuple[Resource, ...]:
        """Those of a type, `Microsoft.` left out."""
        return tuple(each for each in self.resources if each["type"] == f"Microsoft.{kind}")

    def one(self, kind: str) -> Resource:
        """The only one of a type. Raises LookupError when there is not exactly one."""
        found = self.of(kind)
        if len(found) != 1:
            raise LookupError(f"{self.environment}: {len(found)} of {kind}")
        return found[0]

    def settings(self, component: str) -> Mapping[str, str]:
        """A component's application settings. Raises LookupError."""
        site = self.site(component)
        for each in self.of("Web/sites/config"):
            if each["name"].startswith(f"{site['name']}/"):
                found: Mapping[str, str] = each["properties"]
                return found
        raise LookupError(f"{self.environment}: no settings of {component}")

    def site(self, component: str) -> Resource:
        """A component's app. Raises LookupError."""
        for each in self.of("Web/sites"):
            if each["tags"]["azd-service-name"] == component:
                return each
        raise LookupError(f"{self.environment}: no app of {component}")

    def groups(self) -> tuple[Group, ...]:
        """The groups of functions of all components."""
        return tuple(group for component in components() for group in self._groups_of(component))

    def _groups_of(self, component: Resource) -> Iterator[Group]:
        name = str(component["name"])
        site = self.site(name)
        scaling = site["properties"]["functionAppConfig"]["scaleAndConcurrency"]
        plan = next(each for each in self.of("Web/serverfarms") if each["id"] == site["properties"]["serverFarmId"])
        ready = {each["name"]: int(each["instanceCount"]) for each in scaling["alwaysReady"]}
        functions = tuple(str(each) for each in component["functions"])
        web = HTTP in component["alwaysReady"]
        members = {HTTP: functions} if web else {f"function:{each}": (each,) for each in functions}
        for group, inside in members.items():
            yield Group(
                name, group, inside, ready.get(group, 0), bool(plan["properties"]["zoneRedundant"]),
                int(scaling["instanceMemoryMB"]) / 1024,
                int(scaling["triggers"]["http"]["perInstanceConcurrency"]) if web else 1,
            )  # fmt: skip


@cache
def template(environment: str) -> Template:
    """Read an environment's. Raises OSError when there is none."""
    path = EVALUATED / f"{environment}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Template(environment, tuple(found["resources"]))


@cache
def components() -> tuple[Resource, ...]:
    """The components of `infra/components.json`."""
    found: dict[str, Any] = json.loads((INFRA / "components.json").read_text(encoding="utf-8"))
    return tuple(found["components"])
