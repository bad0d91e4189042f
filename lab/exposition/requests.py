"""The ways in which services expose the requests they answer and send: one class a convention."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from aegis.model.telemetry import Floats
from lab.exposition.accumulating import Requests
from lab.exposition.openmetrics import Exposition, Labels, Samples

NAMESPACE = "shop"
Named = Callable[[str, str], dict[str, str]]
"""(service, callee or "") → the labels that say whose requests these are."""


@dataclass(frozen=True, slots=True)
class Family:
    """One histogram family: `good` and `bad` are the labels of a request's outcome.

    `counter`, where set, is a family of its own that counts the same requests; the histogram
    then tells no outcome apart. `in_ms`: bounds and sums are milliseconds.
    """

    histogram: str
    named: Named
    good: Mapping[str, str]
    bad: Mapping[str, str]
    counter: str | None = None
    in_ms: bool = False


@dataclass(frozen=True, slots=True)
class RequestConvention:
    """`bounds_s` of the buckets; `client` None: this convention knows no callers."""

    name: str
    bounds_s: tuple[float, ...]
    server: Family
    client: Family | None


def write_requests(
    out: Exposition,
    family: Family,
    bounds_s: tuple[float, ...],
    who: Mapping[str, str],
    of: Requests,
) -> None:
    """Failed requests are as slow as the others: each outcome gets its share of the buckets."""
    share = np.divide(of.failed, of.count, out=np.zeros(len(of.count)), where=of.count > 0)
    failing = np.maximum.accumulate(np.rint(of.buckets * share), axis=1)
    parts = (
        (family.good, of.count - of.failed, np.maximum.accumulate(of.buckets - failing, axis=1)),
        (family.bad, of.failed, failing),
    )
    ever = float(of.failed[-1]) > 0
    for outcome, count, buckets in parts if ever else parts[:1]:
        labels = tuple({**who, **outcome}.items())
        if family.counter is not None:
            sample = Samples("_total", labels, of.times_ns, count)
            out.add(family.counter, "counter", [sample])
        else:
            out.add(
                family.histogram, "histogram", _parts(family, bounds_s, labels, of, count, buckets)
            )
    if family.counter is not None:
        whole = tuple({**who, **family.good}.items())
        out.add(
            family.histogram, "histogram", _parts(family, bounds_s, whole, of, of.count, of.buckets)
        )


def _parts(
    family: Family,
    bounds_s: tuple[float, ...],
    labels: Labels,
    of: Requests,
    count: Floats,
    buckets: Floats,
) -> Iterator[Samples]:
    factor = 1000.0 if family.in_ms else 1.0
    for bound, below in zip(bounds_s, buckets, strict=True):
        le = ("le", repr(float(f"{bound * factor:.6g}")))
        yield Samples("_bucket", (*labels, le), of.times_ns, np.minimum(below, count))
    yield Samples("_bucket", (*labels, ("le", "+Inf")), of.times_ns, count)
    mean = np.divide(of.total_s, of.count, out=np.zeros(len(count)), where=of.count > 0)
    yield Samples("_sum", labels, of.times_ns, np.maximum.accumulate(mean * count) * factor)
    yield Samples("_count", labels, of.times_ns, count)


def _otel(service: str, peer: str) -> dict[str, str]:
    own = {"service_name": service, "job": f"{NAMESPACE}/{service}", "instance": f"{service}-0"}
    return {**own, "http_request_method": "GET", **({"server_address": peer} if peer else {})}


def _spring(service: str, peer: str) -> dict[str, str]:
    own = {"application": service, "job": "spring", "method": "GET", "uri": "/**"}
    return {**own, **({"client_name": peer} if peer else {})}


def _istio_server(service: str, _: str) -> dict[str, str]:
    return {
        "reporter": "destination",
        "destination_workload": service,
        "destination_workload_namespace": NAMESPACE,
    }


def _istio_client(service: str, peer: str) -> dict[str, str]:
    return {
        "reporter": "source",
        "source_workload": service,
        "source_workload_namespace": NAMESPACE,
        "destination_workload": peer,
        "destination_workload_namespace": NAMESPACE,
    }


def _spans(service: str, _: str) -> dict[str, str]:
    return {"service_name": service, "span_name": "GET", "span_kind": "SPAN_KIND_SERVER"}


def _spaced(first: float, last: float, count: int) -> tuple[float, ...]:
    return tuple(float(f"{one:.4g}") for one in np.geomspace(first, last, count))


_OTEL_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_ISTIO_BOUNDS = (0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SPAN_BOUNDS = (
    *(0.002, 0.004, 0.006, 0.008, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8, 1, 1.4, 2, 5, 10, 15),
)
_HTTP_GOOD, _HTTP_BAD = {"http_response_status_code": "200"}, {"http_response_status_code": "500"}
_SPRING_GOOD = {"status": "200", "outcome": "SUCCESS"}
_SPRING_BAD = {"status": "500", "outcome": "SERVER_ERROR"}
_CODE_GOOD, _CODE_BAD = {"response_code": "200"}, {"response_code": "503"}

OTEL = RequestConvention(
    "otel",
    _OTEL_BOUNDS,
    Family("http_server_request_duration_seconds", _otel, _HTTP_GOOD, _HTTP_BAD),
    Family("http_client_request_duration_seconds", _otel, _HTTP_GOOD, _HTTP_BAD),
)
SPRING = RequestConvention(
    "spring",
    _spaced(0.001, 30.0, 66),
    Family("http_server_requests_seconds", _spring, _SPRING_GOOD, _SPRING_BAD),
    Family("http_client_requests_seconds", _spring, _SPRING_GOOD, _SPRING_BAD),
)
ISTIO = RequestConvention(
    "istio",
    _ISTIO_BOUNDS,
    Family(
        "istio_request_duration_milliseconds",
        _istio_server,
        _CODE_GOOD,
        _CODE_BAD,
        counter="istio_requests",
        in_ms=True,
    ),
    Family(
        "istio_request_duration_milliseconds",
        _istio_client,
        _CODE_GOOD,
        _CODE_BAD,
        counter="istio_requests",
        in_ms=True,
    ),
)
SPANMETRICS = RequestConvention(
    "spanmetrics",
    _SPAN_BOUNDS,
    Family(
        "traces_span_metrics_duration_milliseconds",
        _spans,
        {"status_code": "STATUS_CODE_UNSET"},
        {"status_code": "STATUS_CODE_ERROR"},
        counter="traces_span_metrics_calls",
        in_ms=True,
    ),
    None,
)
REQUEST_CONVENTIONS = {one.name: one for one in (OTEL, SPRING, ISTIO, SPANMETRICS)}
