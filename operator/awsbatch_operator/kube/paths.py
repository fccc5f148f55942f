"""Where things are in the Kubernetes API."""

from urllib.parse import quote

from awsbatch_operator.api.metadata import API_VERSION, ObjectKey

GROUP_VERSION = f"/apis/{API_VERSION}"
CLUSTER_SCOPED = frozenset({"AWSAccount"})  # our kinds without a namespace


def plural(kind: str) -> str:
    """The resource name of one of our kinds: JobQueue is jobqueues. A test holds it to crds/."""
    name = kind.lower()
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def of_object(key: ObjectKey, subresource: str = "") -> str:
    """The path of one of our objects, or of its subresource."""
    path = f"{of_kind(key.kind, key.namespace)}/{quote(key.name, safe='')}"
    return f"{path}/{subresource}" if subresource else path


def of_kind(kind: str, namespace: str = "") -> str:
    """The path of all objects of one of our kinds; namespace "" means all of them."""
    place = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{GROUP_VERSION}{place}/{plural(kind)}"


def of_namespace(name: str) -> str:
    """The path of a Namespace."""
    return f"/api/v1/namespaces/{quote(name, safe='')}"


def of_config_map(namespace: str, name: str) -> str:
    """The path of a ConfigMap."""
    return f"{of_namespace(namespace)}/configmaps/{quote(name, safe='')}"


def of_events(namespace: str, name: str = "") -> str:
    """The path of the Events of a namespace, or of one of them."""
    path = f"/apis/events.k8s.io/v1/namespaces/{quote(namespace, safe='')}/events"
    return f"{path}/{quote(name, safe='')}" if name else path


def of_leases(namespace: str, name: str = "") -> str:
    """The path of the Leases of a namespace, or of one of them."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{quote(namespace, safe='')}/leases"
    return f"{path}/{quote(name, safe='')}" if name else path
