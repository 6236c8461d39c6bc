"""deploy/chart: linted and rendered by Helm, checked against Kubernetes' schemas, with three files of values."""

from __future__ import annotations

import re
from typing import Any

import helm_python as helm
import kubernetes_validate
import pytest
import yaml

from tests.support.paths import ROOT

CHART = ROOT / "deploy" / "chart"
VALUES = {"default": {}} | {
    file.stem: yaml.safe_load(file.read_text()) for file in sorted((CHART / "ci").glob("*.yaml"))
}
# The newest that kubernetes-validate 1.37 has, and the oldest that the chart says it runs on.
VERSIONS = ("1.37", "1.25")


def documents(values: dict[str, Any]) -> list[dict[str, Any]]:
    with helm.Chart.load(CHART) as chart:
        rendered = chart.render(values, name="live", namespace="scores")
    texts = [text for name, text in sorted(rendered.items()) if name.endswith(".yaml")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def named(kind: str, documents_: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {document["metadata"]["name"]: document for document in documents_ if document["kind"] == kind}


@pytest.fixture(params=VALUES)
def rendered(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return documents(VALUES[request.param])


@pytest.mark.parametrize("values", VALUES)
def test_it_is_linted(values: str) -> None:
    report = helm.lint(CHART, VALUES[values], strict=True)
    assert report["errors"] == []
    assert [message for message in report["messages"] if message["severity"] > 1] == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("version", VERSIONS)
def test_what_it_renders_is_valid(rendered: list[dict[str, Any]], version: str) -> None:
    """Of KEDA's kind there is no schema: its fields are compared by test_workers_follow_what_waits."""
    for document in rendered:
        if document["kind"] != "ScaledObject":
            kubernetes_validate.validate(document, version, strict=True)


def test_every_pod_is_nobody_special_and_has_time_to_end(rendered: list[dict[str, Any]]) -> None:
    gives_up = int(re.search(r"graceful_timeout = (\d+)", (ROOT / "gunicorn.conf.py").read_text())[1])  # type: ignore[index]
    for workload in [*named("Deployment", rendered).values(), *named("Job", rendered).values()]:
        pod = workload["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        delay = int(container["lifecycle"]["preStop"]["exec"]["command"][1]) if "lifecycle" in container else 0
        assert pod["terminationGracePeriodSeconds"] >= gives_up + delay + 5


def test_selectors_find_their_pods(rendered: list[dict[str, Any]]) -> None:
    pods = {
        name: workload["spec"]["template"]["metadata"]["labels"]
        for name, workload in named("Deployment", rendered).items()
    }
    for kind in ("PodDisruptionBudget", "Service"):
        for name, document in named(kind, rendered).items():
            selector = document["spec"]["selector"]
            wanted = selector.get("matchLabels", selector)
            assert [pod for pod, labels in pods.items() if wanted.items() <= labels.items()] == [name]


def test_the_web_process_is_scaled_probed_and_spared() -> None:
    rendered = documents({})
    scaler = named("HorizontalPodAutoscaler", rendered)["live-web"]["spec"]
    assert scaler["scaleTargetRef"]["name"] == "live-web"
    web = named("Deployment", rendered)["live-web"]["spec"]
    assert "replicas" not in web, "the scaler's, not the chart's"
    (container,) = web["template"]["spec"]["containers"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)
    assert named("PodDisruptionBudget", rendered).keys() == {"live-web", "live-worker"}


def test_workers_follow_what_waits() -> None:
    rendered = documents(VALUES["saturday"])
    scaled = named("ScaledObject", rendered)["live-worker"]["spec"]
    assert scaled["scaleTargetRef"] == {"name": "live-worker"}
    assert [trigger["type"] for trigger in scaled["triggers"]] == ["prometheus", "prometheus"]
    shown = (ROOT / "api" / "routes" / "operations.py").read_text()
    for trigger in scaled["triggers"]:
        assert set(trigger["metadata"]) == {"serverAddress", "query", "threshold"}
        gauge = trigger["metadata"]["query"].removeprefix("max(").removesuffix(")")
        assert f'"{gauge}": (' in shown
    assert "replicas" not in named("Deployment", rendered)["live-worker"]["spec"]


@pytest.mark.parametrize("name", ["REDIS_URL", "INGEST_SECRET_GENERIC", "FASTLY_API_TOKEN", "apns_team"])
def test_a_secret_is_no_value(name: str) -> None:
    with helm.Chart.load(CHART) as chart, pytest.raises(helm.HelmError):
        chart.validate_schema(chart.merge_values({"settings": {name: "x"}}))


def test_its_version_is_that_of_the_project() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert project
    assert chart["version"] == chart["appVersion"] == project[1]
