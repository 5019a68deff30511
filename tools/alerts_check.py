"""Holds alerts, runbooks and queries to each other and to what the code really says.

Each alert has a runbook and each runbook an alert (or is a procedure that none begins); each query is an alert's; and
what a query asks for exists: the code of a log line, a field of one, a metric and its attributes, a function, a queue.
"""

import ast
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from shared.log import FIELDS, LogEvent
from shared.tracing import TOLD, Stage
from tools.kql_check import queries

_REPOSITORY: Final = Path(__file__).resolve().parent.parent

_CODE: Final = re.compile(r'"(HUB-[0-9]{2,4})')
_PROPERTY: Final = re.compile(r'Properties(?:\.(\w+)|\["(\w+)"\])')
_METRIC: Final = re.compile(r'"(knutepunkt\.[a-z_]+)"')
_NAMES: Final = re.compile(r"datatable\(Function: string\) \[([^\]]*)\]")
_SPAN_NAMES: Final = re.compile(r"\bName in \(([^)]*)\)")
_TABLES: Final = re.compile(r"\b(App[A-Z]\w+|ApiManagementGatewayLogs)\b")
_MADE_BY_EXPORTER: Final = frozenset({"_MS_links"})
"""Where the exporter of Application Insights keeps a span's links."""

_FIELDS: Final[dict[str, frozenset[str]]] = {
    "metric": frozenset({
        "resource", "metricNamespace", "metric", "aggregation", "operator", "threshold", "window", "frequency",
    }),
    "log": frozenset({"query", "operator", "threshold", "window", "frequency"}),
    "activity": frozenset({"conditions"}),
    "availability": frozenset({"threshold", "window", "frequency"}),
}  # fmt: skip
_ALWAYS: Final = frozenset({"name", "severity", "runbook", "description", "signal"})
_MAY: Final = frozenset({"toldByHub", "environments", "tier", "dimensions", "only"})
_WINDOWS: Final = ("PT1M", "PT5M", "PT10M", "PT15M", "PT30M", "PT45M", "PT1H", "PT2H", "PT3H", "PT4H", "PT5H", "PT6H",
                   "P1D", "P2D")  # fmt: skip
"""What a scheduled query rule takes, shortest first."""
_FREQUENCIES: Final = frozenset(_WINDOWS) - {"P2D"}
_METRIC_WINDOWS: Final = frozenset({"PT1M", "PT5M", "PT15M", "PT30M", "PT1H", "PT6H", "PT12H", "P1D"})
_CHART: Final = 10
"""A workbook's item that is a chart of metrics."""
_AGGREGATIONS: Final = {1: "Total", 2: "Minimum", 3: "Maximum", 4: "Average", 7: "Count"}
"""As workbooks number them."""
_AGO: Final = re.compile(r"ago\((\d+)d")


def findings(root: Path = _REPOSITORY) -> list[str]:
    """What does not fit under `root`, a line each."""
    given = json.loads((root / "infra/alerts.json").read_text(encoding="utf-8"))
    return [
        *(line for each in given["alerts"] for line in _of_alert(each)),
        *_twice(given["alerts"]),
        *_of_metrics(root, given["alerts"]),
        *_of_queries(root, given["alerts"]),
        *_of_runbooks(root, given),
        *_of_texts(root),
        *_of_errors(root, given),
    ]


def _of_alert(alert: dict[str, Any]) -> Iterator[str]:
    name, signal = alert.get("name", "?"), alert.get("signal")
    wanted = _FIELDS.get(str(signal))
    if wanted is None:
        yield f"alerts.json: {name}: no such signal: {signal}"
        return
    for missing in sorted((_ALWAYS | wanted) - alert.keys()):
        yield f"alerts.json: {name}: {missing} is missing"
    for more in sorted(alert.keys() - _ALWAYS - wanted - _MAY):
        yield f"alerts.json: {name}: {more} is not a field of an alert"
    if alert.get("severity") not in range(4):
        yield f"alerts.json: {name}: severity is 0 to 3"
    window, frequency = alert.get("window"), alert.get("frequency")
    if signal == "log" and not (window in _WINDOWS and frequency in _FREQUENCIES):
        yield f"alerts.json: {name}: window {window} or frequency {frequency} is not one that a log rule takes"
    elif signal == "log" and _WINDOWS.index(str(window)) < _WINDOWS.index(str(frequency)):
        yield f"alerts.json: {name}: looks every {frequency} at no more than {window}: what happens between is not seen"
    if signal in ("metric", "availability") and not {window, frequency} <= _METRIC_WINDOWS:
        yield f"alerts.json: {name}: window {window} or frequency {frequency} is not one that such a rule takes"


def _twice(alerts: list[dict[str, Any]]) -> Iterator[str]:
    names = [each["name"] for each in alerts]
    yield from (
        f"alerts.json: {name}: two alerts of this name" for name in sorted({n for n in names if names.count(n) > 1})
    )


def _of_metrics(root: Path, alerts: list[dict[str, Any]]) -> Iterator[str]:
    """Azure's own metrics, in alerts and in workbooks."""
    known = json.loads((root / "infra/kql/metrics.json").read_text(encoding="utf-8"))["metrics"]
    for each in alerts:
        if each["signal"] == "metric":
            asked = (each.get("metricNamespace", ""), each.get("metric", ""), each.get("aggregation", ""))
            split = (*each.get("dimensions", ()), *each.get("only", {}))
            yield from _metric(f"alerts.json: {each['name']}", known, asked, split)
    lower = {name.lower(): name for name in known}
    for book in sorted((root / "infra/workbooks").glob("*.json")):
        for item in json.loads(book.read_text(encoding="utf-8"))["items"]:
            for each in item["content"].get("metrics", ()) if item["type"] == _CHART else ():
                asked = (
                    lower.get(each["namespace"], each["namespace"]),
                    each["metric"].partition("--")[2],
                    _AGGREGATIONS.get(each["aggregation"], "?"),
                )
                split = (each["splitBy"],) if "splitBy" in each else ()
                yield from _metric(f"{book.name} ({item['name']})", known, asked, split)


def _metric(
    where: str, known: dict[str, dict[str, Any]], asked: tuple[str, str, str], split: tuple[str, ...]
) -> Iterator[str]:
    namespace, metric, aggregation = asked
    found = known.get(namespace, {}).get(metric)
    if found is None:
        yield f"{where}: no such metric: {namespace} {metric}"
        return
    if aggregation not in found["aggregations"]:
        yield f"{where}: {metric} cannot be summed up as {aggregation}"
    yield from (f"{where}: {metric} cannot be split by {each}" for each in split if each not in found["dimensions"])


def _of_queries(root: Path, alerts: list[dict[str, Any]]) -> Iterator[str]:
    kept = {each.name: each.read_text(encoding="utf-8") for each in (root / "infra/kql").glob("*.kql")}
    asked = {each["query"]: each for each in alerts if each["signal"] == "log" and "query" in each}
    yield from (
        f"alerts.json: {each['name']}: no such query: {query}" for query, each in asked.items() if query not in kept
    )
    yield from (f"{name}: no alert uses this query" for name in sorted(kept.keys() - asked.keys()))
    for query, alert in asked.items():
        days = max((int(each) for each in _AGO.findall(kept.get(query, ""))), default=0)
        if days and alert.get("window") != "P2D":
            yield f"alerts.json: {alert['name']}: {query} looks back {days} d, its window is {alert.get('window')}"


def _of_runbooks(root: Path, given: dict[str, Any]) -> Iterator[str]:
    kept = {each.stem for each in (root / "docs/runbooks").glob("*.md")} - {"README"}
    by = {each.get("runbook"): each["name"] for each in given["alerts"]}
    procedures = set(given.get("procedures", ()))
    yield from (f"alerts.json: {name}: no such runbook: {book}" for book, name in by.items() if book not in kept)
    yield from (f"docs/runbooks/{book}.md: no alert leads here" for book in sorted(kept - by.keys() - procedures))
    yield from (f"alerts.json: no such procedure: {book}" for book in sorted(procedures - kept))


def _of_texts(root: Path) -> Iterator[str]:
    codes = {event.code for event in LogEvent}
    metrics, attributes = _measured(root)
    functions, queues = _functions(root), _queues(root)
    fields = FIELDS | TOLD | attributes | _MADE_BY_EXPORTER
    for query in queries(root):
        body = "\n".join(line.partition("//")[0] for line in query.text.splitlines())
        for code in sorted(set(_CODE.findall(body))):
            if not any(each.startswith(code) for each in codes):
                yield f"{query.name}: no log line has the code {code}"
        for metric in sorted(set(_METRIC.findall(body)) - metrics):
            yield f"{query.name}: no such metric: {metric}"
        used = {one or other for one, other in _PROPERTY.findall(body)}
        for field in sorted(used - fields) if _TABLES.search(body) else ():
            yield f"{query.name}: neither a field of a log line nor an attribute of a metric: {field}"
        for listed in _NAMES.findall(body):
            yield from (
                f"{query.name}: no such function: {each}"
                for each in re.findall(r'"(\w+)"', listed)
                if each not in functions
            )
        spans = {each for listed in _SPAN_NAMES.findall(body) for each in re.findall(r'"([^"]+)"', listed)}
        for span in sorted(each for each in spans - set(Stage) if not each.startswith("knutepunkt.")):
            yield f"{query.name}: no such span: {span}"
        for queue in re.findall(r'EntityName == "([^"]+)"', body):
            if queue not in queues:
                yield f"{query.name}: no such queue: {queue}"


def _of_errors(root: Path, given: dict[str, Any]) -> Iterator[str]:
    """Every line that says something is wrong is some alert's."""
    asked = {code for each in (root / "infra/kql").glob("*.kql") for code in _CODE.findall(each.read_text("utf-8"))}
    covered: dict[str, str] = given.get("coveredBy", {})
    names = {each["name"] for each in given["alerts"]}
    yield from (f"alerts.json: {code} is covered by no alert: {by}" for code, by in covered.items() if by not in names)
    for event in LogEvent:
        alarming = event.level >= logging.ERROR and event.code not in covered
        if alarming and not any(event.code.startswith(code) for code in asked):
            yield f"alerts.json: no alert asks for {event.code} ({event.sentence})"


def _measured(root: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Metrics by name, and every attribute that one may have, as the code makes them."""
    metrics: set[str] = set()
    attributes: set[str] = set()
    for path in (root / "shared/watch/measuring.py", root / "shared/watch/gauges.py"):
        text = path.read_text(encoding="utf-8")
        metrics.update(_METRIC.findall(text))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Dict):
                attributes.update(
                    key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
                )
    return frozenset(metrics), frozenset(attributes)


def _functions(root: Path) -> frozenset[str]:
    text = "\n".join(each.read_text(encoding="utf-8") for each in (root / "functions").glob("*.py"))
    return frozenset(re.findall(r'function_name\("(\w+)"\)', text))


def _queues(root: Path) -> frozenset[str]:
    topology = json.loads((root / "infra/topology.json").read_text(encoding="utf-8"))
    return frozenset(each["name"] for each in topology["serviceBus"]["queues"])
