"""Which label names the service, and which service a line is of."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from aegis.adapters.loki.selector import LABEL_KEY, ServiceSelector
from aegis.model.errors import SourceRejected

GIVEN_BY_LOKI = "service_name"
"""Loki 3 gives every stream one, from the best label it knows."""
NAMELESS = "unknown_service"
"""What Loki and OpenTelemetry write where nothing names a service."""

_CONTAINERS = ("container", "container_name", "k8s_container_name")
_PODS = ("pod", "pod_name", "k8s_pod_name")
SERVICE_LABELS = (
    GIVEN_BY_LOKI,
    "service",
    "app",
    "app_kubernetes_io_name",
    "application",
    "component",
    "job",
    *_CONTAINERS,
    "unit",
    "syslog_identifier",
    *_PODS,
)
"""In order of preference."""

_OWN_NAMES = ("service", "app", "app_kubernetes_io_name", "application")
_NAMES_BEFORE_CONTAINERS = SERVICE_LABELS[1:7]
_WORKLOADS = ("k8s_deployment_name", "k8s_statefulset_name", "k8s_daemonset_name")
_SHARED_NAMES = frozenset(
    ("api", "app", "application", "backend", "main", "server", "service", "svc", "web", "worker")
)
"""Of containers of many services."""
_POD_TAIL = re.compile(r"(?:-[a-z0-9]{6,10})?-[a-z0-9]{5}$|-\d{1,5}$", re.ASCII)
_MOST_LISTED = 20


def service_label(labels: Sequence[str], selector: ServiceSelector) -> str:
    """The label to tell services apart by; SourceRejected names the setting that is wrong."""
    listed = ", ".join(sorted(labels)[:_MOST_LISTED])
    if selector.label is not None:
        if selector.label in labels:
            return selector.label
        raise SourceRejected(
            f"{LABEL_KEY}: no stream has the label {selector.label!r}; there are: {listed}"
        )
    for name in SERVICE_LABELS:
        if name in labels:
            return name
    raise SourceRejected(f"{LABEL_KEY}: set it to the label that names services, one of: {listed}")


def other_service_label(labels: Sequence[str], label: str) -> str | None:
    """The best label beside `label` that could name services."""
    return next((name for name in SERVICE_LABELS if name in labels and name != label), None)


def is_nameless(label: str, values: Collection[str]) -> bool:
    """Whether Loki found a name for not one stream."""
    return label == GIVEN_BY_LOKI and set(values) == {NAMELESS}


def told_by(labels: Sequence[str], label: str, selector: ServiceSelector) -> tuple[str, ...]:
    """The stream labels from which `service_of` tells the service, `label` first."""
    if not names_a_container(label, selector):
        return (label,)
    looked_at = (*SERVICE_LABELS, *_WORKLOADS) if label == GIVEN_BY_LOKI else (*_WORKLOADS, *_PODS)
    return (label, *(name for name in looked_at if name in labels and name != label))


def service_of(labels: Mapping[str, str], label: str, selector: ServiceSelector) -> str:
    """The service of a stream.

    Two services may share a container's name ("server"), so where nothing better is known
    than that, the workload the pod belongs to is the service; but where the workload's name
    is the container's with a release before it (`blue-cart`), the container's.
    """
    value = labels.get(label, "")
    if names_a_container(label, selector):
        if label == GIVEN_BY_LOKI and value.partition(":")[0] == NAMELESS:
            named = _first(labels, _NAMES_BEFORE_CONTAINERS) or _workload(labels)
            return named or _first(labels, SERVICE_LABELS[1:]) or value
        is_given = label == GIVEN_BY_LOKI
        if not is_given or (
            value == _first(labels, _CONTAINERS) and not _first(labels, _OWN_NAMES)
        ):
            workload = _workload(labels)
            if workload is not None and not _is_of_release(value, workload):
                return workload
    return selector.service_in(value)


def workload_of(pod: str) -> str:
    """The pod's name without what Deployments, StatefulSets and DaemonSets add to theirs."""
    return _POD_TAIL.sub("", pod) or pod


def pod_label(labels: Sequence[str]) -> str | None:
    return next((name for name in _PODS if name in labels), None)


def names_a_container(label: str, selector: ServiceSelector) -> bool:
    """Whether a label's values may be those of containers or pods, which are no services.

    Not where somebody chose that label.
    """
    return label == GIVEN_BY_LOKI or (selector.label is None and label in (*_CONTAINERS, *_PODS))


def _is_of_release(container: str, workload: str) -> bool:
    return container not in _SHARED_NAMES and workload.endswith(f"-{container}")


def _workload(labels: Mapping[str, str]) -> str | None:
    pod = _first(labels, _PODS)
    return _first(labels, _WORKLOADS) or (workload_of(pod) if pod else None)


def _first(labels: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((labels[name] for name in names if labels.get(name)), None)
