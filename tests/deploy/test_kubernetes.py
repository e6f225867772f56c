"""The manifests: kustomize can build them, what they name exists, and nobody may do what he need not."""

import ipaddress
import shutil
import subprocess
import tomllib
from typing import Any

import dockerfile
import pytest
import yaml
from dockerfile import ROOT
from server import Server

FOLDER = ROOT / "deploy" / "kubernetes"
OVERLAYS = ["on-queue-wait", "on-cpu"]
ABSENT = "there is no kubectl here: put it on the PATH to have kustomize build the manifests"


def read(*parts: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(FOLDER.joinpath(*parts).read_text("utf-8")))


def plain(overlay: str) -> list[dict[str, Any]]:
    """Give all manifests of an overlay as they are written."""
    base = yaml.safe_load((FOLDER / "base" / "kustomization.yaml").read_text("utf-8"))
    return [each for name in base["resources"] for each in read("base", name)] + read(overlay, "autoscaling.yaml")


def of_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


DEPLOYMENTS = of_kind(plain(OVERLAYS[0]), "Deployment")
CONTAINERS = {
    name: container
    for name, each in DEPLOYMENTS.items()
    for container in each["spec"]["template"]["spec"]["containers"]
}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kustomize_builds_what_is_written(overlay: str) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip(ABSENT)
    command = ["kubectl", "kustomize", str(FOLDER / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    written = [(each["kind"], each["metadata"]["name"]) for each in plain(overlay)]
    assert sorted((each["kind"], each["metadata"]["name"]) for each in built if each["kind"] != "ConfigMap") == sorted(
        written
    )
    ((name, config),) = of_kind(built, "ConfigMap").items()
    assert config["data"]["IMAGEPLANE_BLOBS__URL"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    for deployment in of_kind(built, "Deployment").values():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["image"].rpartition(":")[2] == version
        assert container["envFrom"][0]["configMapRef"]["name"] == name
    # Labels that kustomize adds itself would also land where database and counters are meant.
    policies = of_kind(built, "NetworkPolicy")
    assert policies == of_kind(plain(overlay), "NetworkPolicy")


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_ours_have_no_privileges_and_write_only_their_data_and_tmp(name: str) -> None:
    pod = DEPLOYMENTS[name]["spec"]["template"]["spec"]
    container = CONTAINERS[name]
    (user,) = dockerfile.of("USER")
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == user.text
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    (data,) = dockerfile.of("VOLUME")
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {data.text, "/tmp"}  # noqa: S108
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_setting_is_one(name: str, variables: frozenset[str]) -> None:
    assert {entry["name"] for entry in CONTAINERS[name].get("env", ())} <= variables
    settings = (FOLDER / "base" / "settings.env").read_text("utf-8").splitlines()
    (secret,) = read("secret.example.yaml")
    assert {line.partition("=")[0] for line in settings} <= variables
    assert set(secret["stringData"]) <= variables
    assert secret["metadata"]["name"] == CONTAINERS[name]["envFrom"][1]["secretRef"]["name"]
    assert all("CHANGE-ME" in value for value in secret["stringData"].values())


def test_what_is_probed_answers(server: Server) -> None:
    container = CONTAINERS["imageplane-server"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    (exposed,) = dockerfile.of("EXPOSE")
    assert ports == {"http": int(exposed.text)}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["port"] in ports
        assert server.get(asked["path"], key="").status == 200
    annotations = DEPLOYMENTS["imageplane-server"]["spec"]["template"]["metadata"]["annotations"]
    assert int(annotations["prometheus.io/port"]) == ports["http"]
    assert server.get(annotations["prometheus.io/path"], key="").status == 200


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_pointed_at_is_there(overlay: str) -> None:
    manifests = plain(overlay)
    labels = {name: each["spec"]["template"]["metadata"]["labels"] for name, each in DEPLOYMENTS.items()}
    for name, each in DEPLOYMENTS.items():
        assert each["spec"]["selector"]["matchLabels"].items() <= labels[name].items()
    scaled = {each["spec"]["scaleTargetRef"]["name"] for each in of_kind(manifests, "HorizontalPodAutoscaler").values()}
    assert scaled == set(DEPLOYMENTS)
    # A number of replicas here would undo what autoscaling chose, with every apply.
    assert not any("replicas" in each["spec"] for each in DEPLOYMENTS.values())
    (service,) = of_kind(manifests, "Service").values()
    assert service["spec"]["selector"].items() <= labels["imageplane-server"].items()
    for name, budget in of_kind(manifests, "PodDisruptionBudget").items():
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels[name].items()


def test_the_network_is_open_to_the_internet_and_closed_to_private_addresses() -> None:
    policy = of_kind(plain(OVERLAYS[0]), "NetworkPolicy")["imageplane"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    blocks = [peer["ipBlock"] for rule in policy["egress"] for peer in rule["to"] if "ipBlock" in peer]

    def is_open(address: str) -> bool:
        where = ipaddress.ip_address(address)
        return any(
            where in ipaddress.ip_network(block["cidr"])
            and not any(where in ipaddress.ip_network(closed) for closed in block.get("except", ()))
            for block in blocks
        )

    assert all(map(is_open, ["1.1.1.1", "93.184.215.14", "2606:4700::1111"]))
    private = ["10.1.2.3", "172.20.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "127.0.0.1", "224.0.0.1"]
    assert not any(map(is_open, [*private, "fd00::1", "fe80::1", "::1", "fd00:ec2::254"]))
