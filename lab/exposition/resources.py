"""What the kubelet, kube-state-metrics and a few exporters tell of the same services."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

from aegis.model.telemetry import Floats, Int64s
from lab.exposition.accumulating import accumulated
from lab.exposition.openmetrics import Exposition
from lab.exposition.readings import Reading
from lab.exposition.requests import NAMESPACE

RANDOM = "bcdfghjklmnpqrstvwxz2456789"
CORES = 1.0
MEMORY_BYTES = 2e9
VOLUME_BYTES = 5e10
POOL = 40.0
COUNTERS = {
    "net_in": "container_network_receive_bytes",
    "net_out": "container_network_transmit_bytes",
    "disk": "container_fs_writes_bytes",
    "disk_share": "container_pressure_io_waiting_seconds",
}


def pod_of(service: str) -> str:
    """A pod's name as a Deployment would make it, the same for ever."""
    return f"{service}-{_letters(service, 9)}-{_letters(service + '/pod', 5)}"


def write_resources(
    out: Exposition, service: str, own: Mapping[str, Reading], step_s: float
) -> None:
    pod = {"namespace": NAMESPACE, "pod": pod_of(service)}
    container = {**pod, "container": "app"}
    _write_cpu_and_memory(out, container, own, step_s)
    for key, family in COUNTERS.items():
        if key in own:
            labels = pod if key.startswith("net") else container
            out.counter(family, labels, own[key].times_ns, accumulated(own[key], step_s))
    if "restarts" in own:
        times, values = own["restarts"].times_ns, np.floor(own["restarts"].values)
        out.counter("kube_pod_container_status_restarts", container, times, values)
    _write_extras(out, service, own)


def _write_cpu_and_memory(
    out: Exposition, container: Mapping[str, str], own: Mapping[str, Reading], step_s: float
) -> None:
    limits = {"cpu": CORES, "memory": MEMORY_BYTES}
    for key in ("cpu", "cpu_share"):
        if key in own:
            cores = accumulated(own[key], step_s) * (CORES if key == "cpu_share" else 1.0)
            out.counter("container_cpu_usage_seconds", container, own[key].times_ns, cores)
    for key in ("memory", "memory_share"):
        if key in own:
            used = own[key].values * (MEMORY_BYTES if key == "memory_share" else 1.0)
            out.gauge("container_memory_working_set_bytes", container, own[key].times_ns, used)
    for resource, key in (("cpu", "cpu_share"), ("memory", "memory_share")):
        if key in own:
            labels = {**container, "resource": resource}
            _constant(
                out,
                "kube_pod_container_resource_limits",
                labels,
                own[key].times_ns,
                limits[resource],
            )


def _write_extras(out: Exposition, service: str, own: Mapping[str, Reading]) -> None:
    if "disk_used" in own:
        times, used = own["disk_used"].times_ns, own["disk_used"].values
        claim = {"namespace": NAMESPACE, "persistentvolumeclaim": service}
        out.gauge("kubelet_volume_stats_available_bytes", claim, times, (1 - used) * VOLUME_BYTES)
        _constant(out, "kubelet_volume_stats_capacity_bytes", claim, times, VOLUME_BYTES)
    if "queued" in own:
        labels = {"consumergroup": service, "topic": f"{service}-in", "partition": "0"}
        out.gauge("kafka_consumergroup_lag", labels, own["queued"].times_ns, own["queued"].values)
    if "busy" in own or "workers" in own:
        reading = own.get("busy") or own["workers"]
        busy = reading.values * (POOL if "busy" in own else 1.0)
        labels = {"application": service, "name": "http-nio-8080"}
        out.gauge("tomcat_threads_busy_threads", labels, reading.times_ns, np.rint(busy))
        _constant(out, "tomcat_threads_config_max_threads", labels, reading.times_ns, POOL)


def _constant(
    out: Exposition, family: str, labels: Mapping[str, str], times: Int64s, value: float
) -> None:
    values: Floats = np.full(len(times), value)
    out.gauge(family, labels, times, values)


def _letters(text: str, count: int) -> str:
    seed = zlib.crc32(text.encode()) * 2654435761
    return "".join(RANDOM[seed // len(RANDOM) ** place % len(RANDOM)] for place in range(count))
