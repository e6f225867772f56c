"""Dashboard, alert rules and the rules of autoscaling: what they ask for is what a server tells."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from dockerfile import ROOT
from prometheus_client.parser import text_string_to_metric_families
from server import TRANSFORM, Server

from imageplane.http.schemas import error_classes

FOLDER = ROOT / "deploy"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana" / "dashboard.json").read_text("utf-8"))
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "prometheus" / "alerts.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
ADAPTER: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus" / "adapter.yaml").read_text("utf-8"))["rules"]
# Of Prometheus itself, and what it says of whom it asks.
THEIRS = {"up"}
ADDED_LABELS = {"instance", "job", "namespace", "pod"}


def adapted(rule: dict[str, Any]) -> str:
    series = re.split(r"[{]", rule["seriesQuery"])[0]
    return str(rule["metricsQuery"]).replace("<<.Series>>", series).replace("<<.LabelMatchers>>", 'namespace="here"')


QUERIES = [
    *(
        pytest.param(target["expr"], id=f"{panel['title']} {target['legendFormat']}")
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", ())
    ),
    *(pytest.param(rule["expr"], id=rule["alert"]) for rule in ALERTS),
    *(pytest.param(adapted(rule), id=rule["seriesQuery"]) for kind in ("custom", "external") for rule in ADAPTER[kind]),
]


@pytest.fixture(scope="module")
def told(server: Server) -> dict[str, set[str]]:
    """Give the labels of every metric that a server tells that has answered and refused something."""
    assert server.post({"file": {"base64": "AAAA"}, "operations": []}).status == 400
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(server.get("/metrics", key="").body.decode()):
        names = {sample.name for sample in family.samples}
        if family.type == "counter":
            names.add(f"{family.name}_total")
        for name in names or {family.name}:
            found[name] = {label for sample in family.samples for label in sample.labels}
    # Tells its causes when there is one.
    found["imageplane_engine_deaths_total"] |= {"cause"}
    return found


def selectors(expression: Any) -> Iterator[Any]:
    """Give every selector of a metric in an expression."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        inner = getattr(expression, name, None)
        if isinstance(inner, promql_parser.Expr):
            yield from selectors(inner)
    for inner in getattr(expression, "args", None) or ():
        yield from selectors(inner)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_for_what_a_server_tells(query: str, told: dict[str, set[str]]) -> None:
    parsed = promql_parser.parse(query.replace("$__rate_interval", "5m"))
    found = list(selectors(parsed))
    named = set(re.findall(r"\bimageplane_\w+|\bup\b", query))
    assert {selector.name for selector in found} == named
    assert named
    for selector in found:
        if selector.name not in THEIRS:
            assert selector.name in told
            labels = {matcher.name for matcher in selector.matchers.matchers}
            assert labels <= told[selector.name] | ADDED_LABELS | {"le"}, selector.name
    for labels in re.findall(r"\bby \(([^)]*)\)", query):
        known = set().union(*(told.get(name, set()) for name in named)) | ADDED_LABELS
        assert {label.strip() for label in labels.split(",")} <= known | {"le"}


@pytest.mark.parametrize("query", QUERIES)
def test_a_value_that_is_asked_for_can_occur(query: str) -> None:
    possible = {
        "code": {error.code for error in error_classes()},
        "status": {"queued", "running", "webhooks"},
        "route": {TRANSFORM},
    }
    for label, value in re.findall(r'(\w+)="([^"$]*)"', query):
        assert value in possible.get(label, {value}), query


def test_every_metric_is_on_the_dashboard(told: dict[str, set[str]]) -> None:
    ours = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in told if name.startswith("imageplane_")}
    shown = json.dumps(DASHBOARD)
    # Told for whom it may concern, and of no use on a plot.
    quiet = {"imageplane_recent_requests_dropped_total"}
    assert {name for name in ours if name not in shown} <= quiet


def test_an_alert_says_what_to_do() -> None:
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS) >= 8
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"page", "warn"}
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["description"].endswith(".")
        for variable in re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])):
            assert variable in ADDED_LABELS or variable in rule["expr"]


def test_no_panel_lies_on_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_autoscaling_asks_for_what_the_adapter_gives() -> None:
    manifests = yaml.safe_load_all((FOLDER / "kubernetes" / "on-queue-wait" / "autoscaling.yaml").read_text("utf-8"))
    metrics = [metric for each in manifests for metric in each["spec"]["metrics"]]
    asked = {
        kind: {metric[word]["metric"]["name"] for metric in metrics if metric["type"] == kind}
        for kind, word in (("Pods", "pods"), ("External", "external"))
    }
    names = {
        kind: {rule.get("name", {}).get("as") or re.split(r"[{]", rule["seriesQuery"])[0] for rule in ADAPTER[part]}
        for kind, part in (("Pods", "custom"), ("External", "external"))
    }
    assert asked == names
