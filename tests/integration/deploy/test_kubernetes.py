"""The Kubernetes manifests are valid, fit each other, and ask of the services what they have."""

import kubernetes_validate  # type: ignore[import-untyped] # it has no types
import pytest

from support.known_names import SETTINGS
from support.manifests import BASES, Base, Workload, allowed

NAMES = ("license-server", "db-api")
KEPT = {"license-server": "/etc/license-server", "db-api": "/run/secrets/db-api"}
"""Where the secrets of each service are."""
OLDEST = "1.30"
ALL_FILES = {file.name for file in BASES.iterdir() if file.is_dir()}
WORKLOADS = [(name, one) for name in NAMES for one in Base.of(name).workloads]
each_base = pytest.mark.parametrize("base", [Base.of(name) for name in NAMES], ids=NAMES)
each_workload = pytest.mark.parametrize(
    ("name", "workload"), WORKLOADS, ids=[one.name for _, one in WORKLOADS]
)
DNS = {("kube-system", 53)}
DATABASE = {("postgresql", 5432)}


def test_there_is_a_base_of_each_service() -> None:
    assert set(NAMES) == ALL_FILES


def test_the_validator_knows_a_mistake() -> None:
    base = Base.of("db-api")
    wrong = {**base.one("Service"), "spec": {"selectors": {}}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, OLDEST, strict=True)


@each_base
@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_every_object_is_valid(base: Base, version: str) -> None:
    for one in (*base.objects, *base.examples):
        kubernetes_validate.validate(dict(one), version, strict=True)


@each_base
def test_no_manifest_is_left_out_of_its_kustomization(base: Base) -> None:
    kinds = {
        "Namespace", "ConfigMap", "Service", "Ingress", "NetworkPolicy", "HorizontalPodAutoscaler",
        "PodDisruptionBudget", "Job",
    }  # fmt: skip
    assert kinds < {one["kind"] for one in base.objects}
    text = (BASES / base.name / "kustomization.yaml").read_text()
    for file in (BASES / base.name).iterdir():
        is_listed = f"- {file.name}\n" in text
        assert is_listed != (file.name in {"kustomization.yaml", "secrets.example.yaml"}), file


@each_base
def test_everything_is_in_its_own_restricted_namespace(base: Base) -> None:
    labels = base.one("Namespace")["metadata"]["labels"]
    modes = ("enforce", "audit", "warn")
    assert [labels[f"pod-security.kubernetes.io/{mode}"] for mode in modes] == ["restricted"] * 3
    for one in base.objects:
        if one["kind"] != "Namespace":
            assert one["metadata"]["namespace"] == base.name


@each_base
def test_no_secret_is_among_the_manifests(base: Base) -> None:
    assert base.all("Secret") == []


@each_base
def test_every_setting_is_one_of_the_service(base: Base) -> None:
    assert set(base.settings) - SETTINGS[base.name] == set()


@each_workload
def test_a_pod_has_no_right_and_no_file_that_it_can_do_without(
    name: str, workload: Workload
) -> None:
    pod, container = workload.pod, workload.container
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} == set(container["resources"]["limits"])
    assert container["envFrom"] == [{"configMapRef": {"name": name}}]
    assert "env" not in container


@each_workload
def test_an_image_is_named_by_its_version(name: str, workload: Workload) -> None:
    image, _, version = workload.container["image"].partition(":")
    assert image == name
    assert version not in {"", "latest"}
    assert all(part.isdigit() for part in version.split("."))


@each_workload
def test_a_secret_is_a_file_that_its_service_takes_as_its_own(
    name: str, workload: Workload
) -> None:
    """Root's, of the group root, mode 0440: see `secret_files.is_open` of both services."""
    assert workload.pod["securityContext"]["runAsGroup"] == 0
    assert workload.pod["securityContext"]["fsGroup"] == 0
    for volume in workload.pod["volumes"]:
        if "secret" in volume:
            assert volume["secret"]["defaultMode"] == 0o440
    assert dict(workload.files("secret", "secretName")) == {
        name: KEPT[name],
        f"{name}-tls": "/run/tls",
    }


@each_workload
def test_every_file_of_a_setting_is_mounted(name: str, workload: Workload) -> None:
    base = Base.of(name)
    there = {
        f"{folder}/{key}"
        for kind, volume, field in (
            ("Secret", "secret", "secretName"), ("ConfigMap", "configMap", "name")
        )
        for source, folder in workload.files(volume, field)
        for key in base.keys(kind, source)
    }  # fmt: skip
    for setting, value in base.settings.items():
        if setting.endswith("_FILE") and not value.startswith("/var/lib/"):
            path = value if value.startswith("/") else f"{KEPT[name]}/{value}"
            assert path in there, setting


@each_base
def test_what_is_needed_at_a_start_is_an_example(base: Base) -> None:
    ingress = base.one("Ingress")["spec"]
    assert {"tls.crt", "tls.key"} == base.keys("Secret", ingress["tls"][0]["secretName"])
    assert "ca.crt" in base.keys("Secret", f"{base.name}-tls")
    if base.name == "license-server":
        keys = {"signing.key", "peppers.json", "sealing.key", "keyset.json"}
        assert keys < base.keys("Secret", base.name)


@each_workload
def test_what_a_service_writes_is_on_a_volume(name: str, workload: Workload) -> None:
    volumes = {one["name"]: one for one in workload.pod["volumes"]}
    mounts = workload.mounts
    assert set(mounts) == set(volumes) | workload.claims
    writable = {
        mounts[one["name"]] for one in workload.container["volumeMounts"] if not one.get("readOnly")
    }
    assert writable == (set() if workload.kind == "Job" else {f"/var/lib/{name}"})


def test_the_license_cache_and_the_checkpoints_outlive_their_pod() -> None:
    assert Base.of("db-api").workload("db-api").claims == {"cache"}
    assert Base.of("license-server").workload("license-worker").claims == {"state"}


@each_base
def test_selectors_find_the_pods_of_the_service(base: Base) -> None:
    served = base.workload(base.name)
    for one in base.workloads:
        if one.kind != "Job":
            assert one.selector == one.labels
    for service in base.all("Service"):
        assert service["spec"]["selector"] == served.labels
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= set(served.ports)
    assert base.one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == served.labels
    target = base.one("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == (served.kind, served.name)
    names = {service["metadata"]["name"] for service in base.all("Service")}
    (rule,) = base.one("Ingress")["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"] == {
        "name": base.name, "port": {"name": "https"},
    }  # fmt: skip
    assert base.name in names


@each_base
def test_probes_ask_over_https_where_the_service_answers(base: Base) -> None:
    alive, ready = {
        "license-server": ("/livez", "/readyz"),
        "db-api": ("/api/health", "/api/health/ready"),
    }[base.name]
    container = base.workload(base.name).container
    assert base.workload(base.name).ports["https"] == int(base.settings["PORT"])
    for probe, path in (("startup", alive), ("liveness", alive), ("readiness", ready)):
        asked = container[f"{probe}Probe"]["httpGet"]
        assert asked == {"path": path, "port": "https", "scheme": "HTTPS"}


@each_base
def test_every_pod_is_under_a_policy_and_nothing_else_passes(base: Base) -> None:
    assert base.policies[""]["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & set(base.policies[""])
    pods = {one.labels["app.kubernetes.io/name"] for one in base.workloads}
    assert set(base.policies) == pods | {""}


def test_the_policies_of_the_license_server_let_through_what_it_needs() -> None:
    base = Base.of("license-server")
    served = base.policies["license-server"]
    ports = base.workload("license-server").ports
    assert ports["admin"] == int(base.settings["ADMIN_PORT"])
    assert allowed(served["ingress"], "from") == {
        ("ingress-nginx", ports["https"]), ("monitoring", ports["admin"]),
    }  # fmt: skip
    assert allowed(served["egress"], "to") == DNS | DATABASE
    assert allowed(base.policies["license-migration"]["egress"], "to") == DNS | DATABASE
    worker = allowed(base.policies["license-worker"]["egress"], "to")
    assert worker == DNS | DATABASE | {("0.0.0.0/0", 587), ("0.0.0.0/0", 443)}


def test_the_policies_of_the_data_api_let_through_what_it_needs() -> None:
    base = Base.of("db-api")
    served = base.policies["db-api"]
    port = base.workload("db-api").ports["https"]
    assert allowed(served["ingress"], "from") == {("ingress-nginx", port), ("monitoring", port)}
    assert allowed(served["egress"], "to") == DNS | DATABASE | {("0.0.0.0/0", 443)}
    assert allowed(base.policies["db-api-migration"]["egress"], "to") == DNS | DATABASE


@each_base
def test_a_way_to_the_internet_is_none_into_the_private_networks(base: Base) -> None:
    for policy in base.policies.values():
        for rule in policy.get("egress", ()):
            for peer in rule["to"]:
                if "ipBlock" in peer:
                    assert {"10.0.0.0/8", "169.254.0.0/16"} < set(peer["ipBlock"]["except"])


def test_several_license_servers_count_together_and_leave_the_clock_to_a_worker() -> None:
    settings = Base.of("license-server").settings
    assert settings["RATE_LIMIT_STORAGE_URI"] == "database://"
    assert settings["RUN_WORKER"] == "false"
