"""Families of metric names, as different monitoring stacks write them.

A convention maps what can be measured of a service to a metric name and a factor that turns
the simulator's unit into the metric's. What a convention leaves out is not measured.

    rate req/s · errors share of requests · p50 … p99, mean s · cpu cores, cpu_share 0..1 ·
    memory_share 0..1, memory bytes · net_in, net_out bytes/s · disk_share 0..1, disk bytes/s ·
    busy share of workers · workers busy count · restarts since start · pause share of time ·
    client_p95, client_p99 s over all calls · peer_p95 s and peer_errors share, one per peer

Extras, where a world has them: disk_used share of the disk · lag s and queued messages of a
consumer's queue · cache_hits share of what a cache is asked
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """`label`: the peer goes into this label; in `{peer}` of the name where it is None."""

    name: str
    factor: float = 1.0
    label: str | None = None


OTEL = {
    "rate": Metric("http_server_requests_per_second"),
    "errors": Metric("http_server_error_ratio"),
    "p50": Metric("http_server_request_duration_p50"),
    "p90": Metric("http_server_request_duration_p90"),
    "p99": Metric("http_server_request_duration_p99"),
    "cpu_share": Metric("process_cpu_utilization"),
    "memory": Metric("process_memory_usage"),
    "net_in": Metric("system_network_io_receive"),
    "net_out": Metric("system_network_io_transmit"),
    "disk_share": Metric("system_disk_io_time"),
    "busy": Metric("worker_pool_utilization"),
    "pause": Metric("runtime_gc_pause_ratio"),
    "peer_p95": Metric("http_client_request_duration_p95", label="server_address"),
    "peer_errors": Metric("http_client_error_ratio", label="server_address"),
}
PERCENT = {
    "rate": Metric("request_rate"),
    "errors": Metric("error_percent", 100),
    "p50": Metric("response_time_p50_ms", 1000),
    "p95": Metric("response_time_p95_ms", 1000),
    "cpu_share": Metric("cpu_usage_percent", 100),
    "memory_share": Metric("memory_usage_percent", 100),
    "net_in": Metric("network_receive_bytes_per_second"),
    "disk_share": Metric("disk_util_percent", 100),
    "workers": Metric("threads_busy"),
    "restarts": Metric("restarts_total"),
    "peer_p95": Metric("client_latency_p95_ms:{peer}", 1000),
}
CONTAINER = {
    "rate": Metric("istio_requests_rate"),
    "errors": Metric("istio_requests_5xx_share"),
    "p50": Metric("istio_request_duration_milliseconds_p50", 1000),
    "p90": Metric("istio_request_duration_milliseconds_p90", 1000),
    "p99": Metric("istio_request_duration_milliseconds_p99", 1000),
    "cpu": Metric("container_cpu_usage_seconds_rate"),
    "memory": Metric("container_memory_working_set_bytes"),
    "net_in": Metric("container_network_receive_bytes_rate"),
    "net_out": Metric("container_network_transmit_bytes_rate"),
    "disk": Metric("container_fs_writes_bytes_rate"),
    "restarts": Metric("kube_pod_container_status_restarts"),
    "peer_p95": Metric("istio_client_request_duration_milliseconds_p95", 1000, "destination"),
}
RED = {
    "rate": Metric("requests_per_second"),
    "errors": Metric("error_rate", 100),
    "p50": Metric("latency_p50_ms", 1000),
    "p95": Metric("latency_p95_ms", 1000),
    "p99": Metric("latency_p99_ms", 1000),
    "cpu_share": Metric("cpu_percent", 100),
    "memory": Metric("memory_mb", 1e-6),
    "disk_share": Metric("disk_busy_percent", 100),
    "busy": Metric("pool_saturation"),
    "peer_p95": Metric("client_latency_p95_ms:{peer}", 1000),
    "peer_errors": Metric("client_error_rate:{peer}", 100),
}
CAMEL = {
    "rate": Metric("PodWorkload(Ops)"),
    "p90": Metric("PodServerLatencyP90(s)"),
    "p95": Metric("PodServerLatencyP95(s)"),
    "p99": Metric("PodServerLatencyP99(s)"),
    "client_p95": Metric("PodClientLatencyP95(s)"),
    "client_p99": Metric("PodClientLatencyP99(s)"),
    "success": Metric("PodSuccessRate(%)", 100),
    "cpu_share": Metric("CpuUsageRate(%)", 100),
    "memory_share": Metric("MemoryUsageRate(%)", 100),
    "net_in": Metric("NetworkReceiveBytes"),
    "net_out": Metric("NetworkTransmitBytes"),
    "disk": Metric("DiskWriteBytes"),
}
AVERAGE = {
    "success": Metric("availability_Average", 100),
    "mean": Metric("latency_Average"),
    "p50": Metric("latency_p50"),
    "p90": Metric("latency_p90"),
    "p99": Metric("latency_p99"),
    "count": Metric("requests_Sum"),
    "cpu_share": Metric("CPUUtilization", 100),
    "memory_share": Metric("MemoryUtilization", 100),
    "disk_share": Metric("DiskQueueUtilization", 100),
}
CONVENTIONS = {
    "otel": OTEL,
    "percent": PERCENT,
    "container": CONTAINER,
    "red": RED,
    "camel": CAMEL,
    "average": AVERAGE,
}

_NAMES = ("restarts", "disk_used", "lag", "queued", "cache_hits")
EXTRAS = {
    convention: {
        key: Metric(name, 100 if "percent" in name or name.endswith(("%)", "Utilization")) else 1)
        for key, name in zip(_NAMES, names, strict=True)
    }
    for convention, names in {
        "otel": (
            "process_restarts",
            "system_filesystem_utilization",
            "messaging_consumer_lag_seconds",
            "messaging_queue_depth",
            "cache_hit_ratio",
        ),
        "percent": (
            "restarts_total",
            "disk_usage_percent",
            "consumer_lag_seconds",
            "queue_length",
            "cache_hit_percent",
        ),
        "container": (
            "kube_pod_container_status_restarts",
            "container_fs_usage_share",
            "kafka_consumergroup_lag_seconds",
            "kafka_consumergroup_lag",
            "cache_hits_share",
        ),
        "red": (
            "process_restart_count",
            "disk_used_percent",
            "oldest_message_age_seconds",
            "messages_waiting",
            "hit_ratio",
        ),
        "camel": (
            "PodRestarts",
            "DiskUsageRate(%)",
            "ConsumerLag(s)",
            "ConsumerLagMessages",
            "CacheHitRate(%)",
        ),
        "average": (
            "Restarts_Sum",
            "DiskSpaceUtilization",
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesVisible",
            "CacheHitRate_Average",
        ),
    }.items()
}
