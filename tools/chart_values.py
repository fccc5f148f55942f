"""The values of the Helm chart: what may be set, what it means, and what it is otherwise.

tools/helm_chart.py makes values.yaml, values.schema.json and docs/helm-values.md from it. The flags
of the operator come from its own Settings.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.alias_generators import to_camel

from awsbatch_operator.settings import Settings

# What the chart itself decides: the pod's name and namespace, and the port of its probes.
DECIDED = frozenset({"identity", "lease_namespace", "lease_name", "listen_port"})
YAML = dict[str, Any]


class Values(BaseModel):
    """A part of the values. What is not listed is refused: it would be a typing error."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


def _flags() -> type[Values]:
    """The operator's flags, none of them set: it has defaults of its own, shown as examples."""
    fields: YAML = {
        name: (
            Annotated[(field.annotation, Field(), *field.metadata)] | None,
            Field(default=None, description=_about(name), examples=[field.default]),
        )
        for name, field in Settings.model_fields.items()
        if name not in DECIDED | {"cluster_id"}
    }
    about = f"{_about('cluster_id')} Has to be given."
    named: YAML = {"cluster_id": (str, Field(default="", description=about))}
    return create_model("Flags", __base__=Values, **named, **fields)


def _about(flag: str) -> str:
    """What a flag means; what is a text of several names there is a list here."""
    text = str(Settings.model_fields[flag].description)
    return text.replace(" (comma-separated)", "").replace("(comma-separated, ", "(")


class Image(Values):
    """Where the image is."""

    repository: str = Field(default="aws-batch-operator", description="Where your image is.")
    tag: str = Field(default="", description="Its tag; empty: the chart's appVersion.")
    digest: str = Field(
        default="",
        pattern="^$|^sha256:[0-9a-f]{64}$",
        description="Its digest (sha256:…), which then counts instead of the tag.",
    )
    pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = Field(
        default="", description="When it is pulled; empty: as Kubernetes decides."
    )


class Account(Values):
    """Who the operator is."""

    create: bool = Field(default=True, description="Whether the chart makes the ServiceAccount.")
    name: str = Field(default="", description="Its name; empty: that of the Deployment.")
    role_arn: str = Field(
        default="",
        description="The role in AWS that it may assume (IAM roles for service accounts). With EKS "
        "Pod Identity leave it empty, and associate the role with the ServiceAccount.",
    )
    annotations: dict[str, str] = Field(default={}, description="Further annotations.")


class Rbac(Values):
    """Rights in Kubernetes."""

    create: bool = Field(
        default=True, description="Whether the chart gives the operator its rights."
    )


class Budget(Values):
    """Disruptions."""

    enabled: bool = Field(default=True, description="Whether there is a PodDisruptionBudget.")
    max_unavailable: Annotated[int, Field(ge=1)] | str = Field(
        default=1, description="How many replicas may be missing, or what part of them."
    )


class Policy(Values):
    """Who may connect."""

    enabled: bool = Field(default=True, description="Whether there is a NetworkPolicy.")
    metrics_from: list[YAML] = Field(
        default=[{"namespaceSelector": {"matchLabels": {"awsbatch.dev/metrics": "allowed"}}}],
        description="Who may read the metrics, as in a NetworkPolicy's ingress.from; with an empty "
        "list nobody may.",
    )


class Service(Values):
    """The metrics' Service."""

    enabled: bool = Field(default=True, description="Whether there is a Service for the metrics.")
    annotations: dict[str, str] = Field(default={}, description="Its annotations.")


class Monitor(Values):
    """For the Prometheus operator."""

    enabled: bool = Field(
        default=False,
        description="Whether there is a ServiceMonitor. Needs the Prometheus operator's CRDs, and "
        "the Service.",
    )
    interval: str = Field(default="30s", description="How often metrics are read.")
    labels: dict[str, str] = Field(
        default={}, description="Labels by which your Prometheus selects it."
    )


class Rules(Values):
    """Alerts."""

    enabled: bool = Field(
        default=False,
        description="Whether there is a PrometheusRule with the alerts of docs/monitoring.md. "
        "Needs the Prometheus operator's CRDs.",
    )
    labels: dict[str, str] = Field(
        default={}, description="Labels by which your Prometheus selects it."
    )


class Dashboards(Values):
    """For Grafana."""

    enabled: bool = Field(
        default=False,
        description="Whether there are ConfigMaps with the dashboards of docs/monitoring.md, "
        'labelled grafana_dashboard: "1".',
    )
    labels: dict[str, str] = Field(default={}, description="More labels of theirs.")
    annotations: dict[str, str] = Field(
        default={}, description="Their annotations, such as the folder that they go into."
    )


Flags = _flags()


class Chart(Values):
    """All of the values."""

    settings: Flags = Field(  # type: ignore[valid-type]
        default=Flags(),
        description="The operator's flags, by their names. What is not set has the operator's own "
        "default. An empty list is a list: allowedRoleArns: [] allows none.",
    )
    namespaced: bool = Field(
        default=False,
        description="Serve the release's namespace alone, with nothing outside of it. Its "
        "administrator may install that (docs/installations.md).",
    )
    image: Image = Field(default=Image(), description="The operator's image.")
    image_pull_secrets: list[YAML] = Field(
        default=[], description="Secrets with which it is pulled: [{name: …}]."
    )
    replicas: int = Field(
        default=2, ge=0, description="Replicas; one leads, the others are ready to."
    )
    service_account: Account = Field(
        default=Account(), description="The ServiceAccount of the operator, and its role in AWS."
    )
    rbac: Rbac = Field(default=Rbac(), description="Rights in Kubernetes.")
    resources: YAML = Field(
        default={"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        description="Resources of the container.",
    )
    priority_class_name: str = Field(
        default="", description="Priority class of the pods, such as system-cluster-critical."
    )
    node_selector: dict[str, str] = Field(
        default={"kubernetes.io/os": "linux"}, description="Which nodes the pods may run on."
    )
    tolerations: list[YAML] = Field(default=[], description="Taints that they tolerate.")
    affinity: YAML = Field(default={}, description="Their affinity.")
    topology_spread_constraints: list[YAML] | None = Field(
        default=None, description="How they spread; null: over the nodes, where that is possible."
    )
    pod_labels: dict[str, str] = Field(default={}, description="Further labels of the pods.")
    pod_annotations: dict[str, str] = Field(
        default={}, description="Further annotations of the pods."
    )
    pod_security_context: YAML = Field(
        default={"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        description="Security context of the pods. It names no user: the image has one that is not "
        "root, and runs as any other.",
    )
    security_context: YAML = Field(
        default={
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        description="Security context of the container.",
    )
    extra_env: list[YAML] = Field(
        default=[], description="Further variables, such as AWS_CA_BUNDLE or HTTPS_PROXY."
    )
    extra_volumes: list[YAML] = Field(default=[], description="Further volumes of the pods.")
    extra_volume_mounts: list[YAML] = Field(default=[], description="Where the container has them.")
    service: Service = Field(default=Service(), description="The Service for the metrics.")
    network_policy: Policy = Field(
        default=Policy(), description="Who may connect to the operator; it itself may to anybody."
    )
    pod_disruption_budget: Budget = Field(
        default=Budget(), description="How many replicas may be missing while nodes are drained."
    )
    service_monitor: Monitor = Field(
        default=Monitor(), description="Metrics, for the Prometheus operator."
    )
    prometheus_rule: Rules = Field(
        default=Rules(), description="Alerts, for the Prometheus operator."
    )
    dashboards: Dashboards = Field(default=Dashboards(), description="Dashboards, for Grafana.")
    fullname_override: str = Field(
        default="",
        max_length=53,
        description="Name of what the chart makes; empty: the release's name, with "
        "-aws-batch-operator where that is not in it.",
    )
