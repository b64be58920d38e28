"""The Kubernetes manifests of `deploy/`, as kustomize would render their bases.

The bases use nothing of kustomize but `resources`, so that reading these files one after the other
is all that rendering does; anything else in a kustomization is refused here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from support.known_names import DEPLOY

BASES: Final = DEPLOY / "kubernetes"
_NAME: Final = "app.kubernetes.io/name"
_TEMPLATED: Final = ("Deployment", "StatefulSet", "Job")


@dataclass(frozen=True, slots=True)
class Workload:
    """What runs pods of one container.

    Attributes:
        kind: of the object.
        name: of the object.
        selector: the labels that it finds its pods by; none for a job.
        labels: of its pods.
        pod: the specification of its pods.
        claims: the volumes that each pod gets for itself.
    """

    kind: str
    name: str
    selector: Mapping[str, str]
    labels: Mapping[str, str]
    pod: Mapping[str, Any]
    claims: frozenset[str]

    @property
    def container(self) -> Mapping[str, Any]:
        """The one container."""
        (container,) = self.pod["containers"]
        return dict(container)

    @property
    def ports(self) -> Mapping[str, int]:
        """The number of each port by its name."""
        return {port["name"]: port["containerPort"] for port in self.container.get("ports", ())}

    def files(self, kind: str, name: str) -> Iterator[tuple[str, str]]:
        """Yield the name and the folder of each volume of a secret (or config map)."""
        for volume in self.pod["volumes"]:
            if kind in volume:
                yield volume[kind][name], self.mounts[volume["name"]]

    @property
    def mounts(self) -> Mapping[str, str]:
        """The folder of each volume by its name."""
        return {one["name"]: one["mountPath"] for one in self.container["volumeMounts"]}


@dataclass(frozen=True, slots=True)
class Base:
    """A folder of manifests.

    Attributes:
        name: of the folder and of the service.
        objects: rendered.
        examples: what has to be there before.
    """

    name: str
    objects: tuple[Mapping[str, Any], ...]
    examples: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, name: str) -> "Base":
        """Read a base."""
        folder = BASES / name
        (kustomization,) = _documents(folder / "kustomization.yaml")
        if set(kustomization) != {"apiVersion", "kind", "resources"}:
            raise ValueError(f"{name}: a kustomization of resources alone is expected")
        files = [folder / file for file in kustomization["resources"]]
        return cls(
            name,
            tuple(one for file in files for one in _documents(file)),
            tuple(_documents(folder / "secrets.example.yaml")),
        )

    def all(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the objects of a kind."""
        return [one for one in self.objects if one["kind"] == kind]

    def one(self, kind: str) -> Mapping[str, Any]:
        """Return the one object of a kind."""
        (only,) = self.all(kind)
        return only

    @property
    def settings(self) -> Mapping[str, str]:
        """The variables of the service."""
        return dict(self.one("ConfigMap")["data"])

    @property
    def workloads(self) -> list[Workload]:
        """All that runs."""
        return [_workload(one) for kind in _TEMPLATED for one in self.all(kind)]

    def workload(self, name: str) -> Workload:
        """Return one by its name."""
        return next(one for one in self.workloads if one.name == name)

    @property
    def policies(self) -> Mapping[str, Mapping[str, Any]]:
        """The network policy of each workload by the name of its pods; that of all by ``."""
        return {
            one["spec"]["podSelector"].get("matchLabels", {}).get(_NAME, ""): one["spec"]
            for one in self.all("NetworkPolicy")
        }

    def keys(self, kind: str, name: str) -> set[str]:
        """Return what the example of a secret (or config map) holds."""
        for one in self.examples:
            if (one["kind"], one["metadata"]["name"]) == (kind, name):
                return set(one["stringData" if kind == "Secret" else "data"])
        raise KeyError(f"{self.name}: no example of the {kind} {name}")


def allowed(rules: list[Mapping[str, Any]], way: str) -> set[tuple[str, int]]:
    """Return who may be spoken to, `from` or `to`, at which ports.

    Args:
        rules: of a policy, one way.
        way: `from` or `to`; a namespace by its name, an address block by itself.
    """
    return {
        (_peer(peer), port["port"])
        for rule in rules
        for peer in rule[way]
        for port in rule["ports"]
    }


def _peer(peer: Mapping[str, Any]) -> str:
    if "ipBlock" in peer:
        return str(peer["ipBlock"]["cidr"])
    return str(peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"])


def _workload(one: Mapping[str, Any]) -> Workload:
    template = one["spec"]["template"]
    return Workload(
        one["kind"],
        one["metadata"]["name"],
        one["spec"].get("selector", {}).get("matchLabels", {}),
        template["metadata"]["labels"],
        template["spec"],
        frozenset(c["metadata"]["name"] for c in one["spec"].get("volumeClaimTemplates", ())),
    )


def _documents(file: Path) -> Iterator[Mapping[str, Any]]:
    yield from yaml.safe_load_all(file.read_text(encoding="utf-8"))
