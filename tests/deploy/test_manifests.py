"""What is deployed elsewhere is checked by the tools of the field, and names only settings, files and ports that exist."""

import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.local.secrets import _MAKERS
from services.cli.settings_list import PROCESSES

DEPLOY = Path(__file__).parents[2] / "deploy"
BIN = Path(sys.executable).parent
KNOWN = {f"NETRAL_{name.upper()}" for _, kind in PROCESSES for name in kind.model_fields} | {
    "NETRAL_HEALTH",
    "NETRAL_IMAGE",
    "NETRAL_COMMIT",
}
FILES = sorted([*(DEPLOY / "containers").rglob("*"), *(DEPLOY / "kubernetes").rglob("*")])
TEXTS = [path for path in FILES if path.is_file()]


def ran(*words: object, given: str | None = None) -> str:
    done = subprocess.run([str(w) for w in words], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


@pytest.fixture(scope="module")
def cluster() -> list[Any]:
    """Every object of the cluster, as kustomize builds it."""
    text = ran(BIN / "kubectl", "kustomize", DEPLOY / "kubernetes")
    return [doc for doc in YAML(typ="safe").load_all(StringIO(text)) if doc]


def test_the_image_is_built_as_hadolint_asks():
    ran(BIN / "hadolint", "--ignore", "DL3006", DEPLOY / "containers" / "Dockerfile")


def test_compose_fits_its_schema():
    ran(
        BIN / "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        DEPLOY / "containers" / "compose.yaml",
    )


def test_the_cluster_fits_the_schemas_of_kubernetes(tmp_path):
    built = tmp_path / "built.yaml"
    built.write_text(ran(BIN / "kubectl", "kustomize", DEPLOY / "kubernetes"))
    ran(BIN / "kubernetes-validate", "--strict", built)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_only_settings_that_exist_are_set(path):
    unknown = set(re.findall(r"\bNETRAL_[A-Z_]+\b", path.read_text())) - KNOWN
    assert not unknown, f"{path.name}: no process knows {unknown}"


def test_every_process_runs_without_root_and_cannot_write_its_image(cluster):
    compose = read(DEPLOY / "containers" / "compose.yaml")["services"]
    for name, service in compose.items():
        if "netral" in service["image"]:
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
    assert re.search(r"^USER 10001", (DEPLOY / "containers" / "Dockerfile").read_text(), re.MULTILINE)
    for pod in _pods(cluster):
        assert pod["securityContext"]["runAsNonRoot"]
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert container["resources"]["limits"]["memory"]


def test_every_long_running_pod_has_its_probes_and_what_is_many_has_a_budget(cluster):
    budgets = {o["metadata"]["name"] for o in cluster if o["kind"] == "PodDisruptionBudget"}
    for found in cluster:
        if found["kind"] in ("Deployment", "StatefulSet"):
            for container in found["spec"]["template"]["spec"]["containers"]:
                assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
            assert found["spec"]["replicas"] == 1 or found["metadata"]["name"] in budgets


def test_streams_have_a_copy_on_every_node_of_the_broker(cluster):
    settings = next(o["data"] for o in cluster if o["kind"] == "ConfigMap")
    broker = next(o for o in cluster if o["kind"] == "StatefulSet")
    assert int(settings["NETRAL_NATS_REPLICAS"]) == broker["spec"]["replicas"] == 3
    assert len(settings["NETRAL_NATS_URL"].split(",")) == 3


ADDRESSES = {
    f"NETRAL_{name.upper()}"
    for who, kind in PROCESSES
    for name in kind.model_fields
    if who in ("intake", "routing", "notifications", "ops") and name.endswith("_url")
}
"""Every address that a process may be told: of its database, of another process, and of itself as others know it."""


def test_every_address_is_told_where_this_machine_is_not_the_whole_system(cluster):
    """Left out, each has a default that means this machine: a database in a folder, a link that leads nowhere."""
    compose = read(DEPLOY / "containers" / "compose.yaml")
    told = {name for service in compose["services"].values() for name in service.get("environment", {})}
    assert not ADDRESSES - told
    settings = next(o["data"] for o in cluster if o["kind"] == "ConfigMap")
    by_secret = {env["name"] for pod in _pods(cluster) for env in pod["containers"][0].get("env", ())}
    assert not ADDRESSES - set(settings) - by_secret
    made = set(re.findall(r"DATABASE (\w+);", (DEPLOY / "containers" / "databases.sql").read_text()))
    assert made == set(re.findall(r"@postgres/(\w+)", (DEPLOY / "containers" / "compose.yaml").read_text()))


def test_only_our_own_processes_see_the_keys():
    """The others get copies of the one token each needs, which they may read whoever they run as."""
    for name, service in read(DEPLOY / "containers" / "compose.yaml")["services"].items():
        mounted = {str(volume).partition(":")[0] for volume in service.get("volumes", ())}
        assert "netral" in service["image"] or "data" not in mounted, name
        assert "depends_on" not in service, f"{name}: an order of starting would hide who cannot wait"


def test_secrets_are_named_and_never_written(cluster):
    assert not [o for o in cluster if o["kind"] == "Secret"]
    for path in TEXTS:
        for named in re.findall(r"(?:/data/secrets|/tokens)/([\w.-]+)", path.read_text()):
            assert named in _MAKERS, f"{path.name}: there is no secret {named}"


def test_the_collector_uses_each_part_it_configures():
    config = read(DEPLOY / "containers" / "collector.yaml")
    pipelines = config["service"]["pipelines"].values()
    for kind in ("receivers", "processors", "exporters"):
        used = {name for pipeline in pipelines for name in pipeline[kind]}
        assert used == set(config[kind]), kind
    assert set(config["service"]["extensions"]) == set(config["extensions"])
    assert all(pipeline["processors"][0] == "memory_limiter" for pipeline in pipelines)


def _pods(cluster: list[Any]) -> list[Any]:
    kinds = ("Deployment", "StatefulSet", "Job")
    return [found["spec"]["template"]["spec"] for found in cluster if found["kind"] in kinds]
