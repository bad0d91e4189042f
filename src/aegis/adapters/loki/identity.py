"""Which label names the service, and which service a line is of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aegis.adapters.loki.selector import LABEL_KEY, ServiceSelector
from aegis.model.errors import SourceRejected

SERVICE_LABELS = (
    "service_name",
    "service",
    "app",
    "app_kubernetes_io_name",
    "application",
    "component",
    "job",
    "container",
    "container_name",
    "unit",
    "syslog_identifier",
)
"""In order of preference."""

_OWN_NAMES = ("service", "app", "app_kubernetes_io_name", "application")
_CONTAINERS = ("container", "container_name")
_PODS = ("pod", "pod_name")
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


def service_of(labels: Mapping[str, str], label: str, selector: ServiceSelector) -> str:
    """The service of a stream.

    Where Loki had nothing better than the container's name for `service_name`, two services
    may share it ("server"); then the workload the pod belongs to is the service.
    """
    value = labels.get(label, "")
    if label == "service_name" and not any(labels.get(name) for name in _OWN_NAMES):
        container = next((labels[name] for name in _CONTAINERS if labels.get(name)), None)
        pod = next((labels[name] for name in _PODS if labels.get(name)), None)
        if container == value and pod is not None:
            return workload_of(pod)
    return selector.service_in(value)


def workload_of(pod: str) -> str:
    """The pod's name without what Deployments, StatefulSets and DaemonSets add to theirs."""
    return _POD_TAIL.sub("", pod) or pod
