"""The compose file: what it names exists, nothing of it is secret, and nothing of it may write where it need not."""

import re
from typing import Any

import dockerfile
import pytest
import yaml
from dockerfile import ROOT

FOLDER = ROOT / "deploy"
TEXT = (FOLDER / "compose.yaml").read_text("utf-8")
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("imageplane:")]


def test_server_and_two_workers_stand_on_database_and_counters() -> None:
    assert set(SERVICES) == {"server", "worker", "postgres", "valkey"}
    assert SERVICES["worker"]["command"] == ["worker"]
    assert SERVICES["worker"]["deploy"]["replicas"] == 2
    for name in OURS:
        assert set(SERVICES[name]["depends_on"]) == {"postgres", "valkey"}
        for other in SERVICES[name]["depends_on"]:
            assert SERVICES[other]["healthcheck"]["test"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_has_a_tag(name: str) -> None:
    tag = SERVICES[name]["image"].partition(":")[2]
    assert tag
    assert not tag.startswith("latest")


@pytest.mark.parametrize("name", OURS)
def test_ours_write_only_their_data_and_tmp(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    (volume,) = dockerfile.of("VOLUME")
    assert service["volumes"] == [f"data:{volume.text}"]
    assert [mount.partition(":")[0] for mount in service["tmpfs"]] == ["/tmp"]  # noqa: S108


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_one(name: str, variables: frozenset[str]) -> None:
    assert set(SERVICES[name]["environment"]) <= variables


def test_the_build_is_that_of_the_dockerfile() -> None:
    for name in OURS:
        build = SERVICES[name]["build"]
        assert (FOLDER / build["context"] / "Dockerfile").resolve() == ROOT / "Dockerfile"
        assert set(build["args"]) <= {each.text.partition("=")[0] for each in dockerfile.of("ARG")}


def test_every_volume_is_declared() -> None:
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert used == set(FILE["volumes"])


def test_secrets_come_from_the_environment_and_the_example_names_every_variable() -> None:
    example = dict(
        line.split("=", 1)
        for line in (FOLDER / ".env.example").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    )
    named = dict(re.findall(r"\$\{(\w+)(:[-?])", TEXT))
    assert set(named) - {"IMAGEPLANE_TAG"} == set(example)
    # What has to be filled in is asked for, and never has a value in a file.
    required = {name for name, kind in named.items() if kind == ":?"}
    assert required == {name for name in example if "PASSWORD" in name}
    assert not any(example[name] for name in required)
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {"deploy/.env", "deploy/kubernetes/secret.yaml"} <= set(ignored)
