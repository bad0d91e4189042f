"""The shop of the bundled demo: a fixed topology and a fixed story.

A batch job on the machines of `inventory` takes the processors at twelve minutes past two. Its
callers wait, their workers fill up, calls run into timeouts and are tried again, and the
storefront slows down. Six minutes earlier `payment` was deployed: everyone suspects it, and it
is innocent.
"""

from __future__ import annotations

import numpy as np

from lab.simulator.conditions import BIN_S
from lab.simulator.faults import KINDS
from lab.simulator.instruments import Instruments
from lab.simulator.plan import Plan, streams_of
from lab.simulator.topology import CallSite, Operation, Role, Service, Topology
from lab.simulator.traffic import draw_wave
from lab.simulator.world import Recording, record

SEED = 22
EPOCH_S = 1_760_535_600  # 2025-10-15 13:40:00 UTC
START_S = 32 * 60.0  # 14:12
END_S = 40 * 60.0
DEPLOY_S = 26 * 60.0 + 20

# service: (role, [(operation, median work in ms, calls)]); a call is (operation, probability,
# timeout in seconds, attempts, required). Calls in one bracket run in parallel.
Call = tuple[str, float, float, int, bool]
SHOP: dict[str, tuple[Role, list[tuple[str, float, list[list[Call]]]]]] = {
    "stock-db": ("datastore", [("SELECT stock", 3, []), ("UPDATE reservations", 5, [])]),
    "orders-db": ("datastore", [("INSERT orders", 6, []), ("SELECT orders", 3, [])]),
    "catalog-db": ("datastore", [("SELECT products", 4, [])]),
    "session-cache": ("datastore", [("GET session", 0.6, [])]),
    "card-gateway": ("external", [("POST /v2/charges", 70, [])]),
    "accounts": (
        "service",
        [("GET /accounts/{id}", 5, [[("GET session", 1, 0.5, 2, False)]])],
    ),
    "inventory": (
        "service",
        [
            ("GET /stock/{sku}", 8, [[("SELECT stock", 1, 1, 2, True)]]),
            (
                "POST /reservations",
                14,
                [[("SELECT stock", 1, 1, 2, True)], [("UPDATE reservations", 1, 1, 1, True)]],
            ),
        ],
    ),
    "pricing": ("service", [("POST /quote", 9, [[("SELECT products", 0.5, 1, 2, True)]])]),
    "catalog": (
        "service",
        [
            (
                "GET /products",
                12,
                [[("SELECT products", 1, 1, 2, True)], [("GET /stock/{sku}", 0.6, 1, 2, False)]],
            )
        ],
    ),
    "recommendations": (
        "service",
        [("GET /recommendations", 18, [[("SELECT products", 1, 1, 1, True)]])],
    ),
    "payment": ("service", [("POST /payments", 11, [[("POST /v2/charges", 1, 3, 1, True)]])]),
    "shipping": ("service", [("POST /shipments/quote", 7, [])]),
    "notifications": ("consumer", [("order-confirmed", 25, [])]),
    "cart": (
        "service",
        [
            ("GET /cart", 6, [[("GET session", 1, 0.5, 2, True)]]),
            (
                "POST /cart/items",
                8,
                [
                    [("GET session", 1, 0.5, 2, True)],
                    [("GET /stock/{sku}", 1, 0.3, 3, True), ("POST /quote", 1, 1, 2, True)],
                ],
            ),
        ],
    ),
    "checkout": (
        "service",
        [
            (
                "POST /checkout",
                15,
                [
                    [("GET /cart", 1, 1, 2, True), ("GET /accounts/{id}", 1, 1, 2, True)],
                    [("POST /reservations", 1, 0.6, 3, True)],
                    [("POST /shipments/quote", 1, 1, 2, False)],
                    [("POST /payments", 1, 5, 1, True)],
                    [("INSERT orders", 1, 1, 1, True), ("order-confirmed", 1, 5, 1, False)],
                ],
            )
        ],
    ),
    "storefront": (
        "entry",
        [
            (
                "GET /",
                6,
                [
                    [("GET /products", 1, 2, 2, True)],
                    [("GET /recommendations", 1, 0.5, 1, False)],
                ],
            ),
            ("GET /search", 7, [[("GET /products", 1, 2, 2, True)]]),
            ("POST /cart", 5, [[("POST /cart/items", 1, 2, 1, True)]]),
            ("POST /orders", 9, [[("POST /checkout", 1, 5, 1, True)]]),
            ("GET /orders", 5, [[("SELECT orders", 1, 1, 2, True)]]),
        ],
    ),
}
TRAFFIC = {
    "GET /": 0.3,
    "GET /search": 0.2,
    "POST /cart": 0.25,
    "POST /orders": 0.2,
    "GET /orders": 0.05,
}


def shop_topology() -> Topology:
    """The shop as the simulator sees it."""
    services: list[Service] = []
    operations: list[Operation] = []
    index_of: dict[str, int] = {}
    sites = 0
    for number, (name, (role, offered)) in enumerate(SHOP.items()):
        peer = role in ("datastore", "external")
        services.append(
            Service(name, role, 0, has_spans=not peer, has_logs=not peer, has_metrics=True)
        )
        for operation, work_ms, stages in offered:
            index = len(operations)
            built: list[tuple[CallSite, ...]] = []
            for stage in stages:
                built.append(
                    tuple(
                        CallSite(
                            sites + k,
                            index,
                            index_of[c[0]],
                            c[1],
                            c[2],
                            c[3],
                            0.03,
                            c[4],
                            c[0] != "order-confirmed",
                        )
                        for k, c in enumerate(stage)
                    )
                )
                sites += len(stage)
            index_of[operation] = index
            operations.append(
                Operation(
                    index, number, operation, work_ms / 1000, 0.4, 0.7, 0.0005, False, tuple(built)
                )
            )
    types = tuple((index_of[name], share) for name, share in TRAFFIC.items())
    return Topology(tuple(services), tuple(operations), types, 0.0005)


def record_shop() -> Recording:
    """The demo incident."""
    topology = shop_topology()
    names = [service.name for service in topology.services]
    instruments = Instruments(
        has_spans=True,
        has_logs=True,
        client_spans=True,
        marks_errors=True,
        forwards_context=True,
        names_peers=True,
        sampled=0.3,
        clock_s=np.zeros(len(names)),
        convention="red",
        peer_metrics=False,
        step_s=15,
        noise=0.02,
        missing=0.002,
        log_style="logfmt",
        level_column=True,
        log_trace_ids=True,
        logged_lines=12_000,
    )
    streams = streams_of(SEED)
    plan = Plan(
        id="demo-incident",
        topology=topology,
        instruments=instruments,
        epoch_s=EPOCH_S,
        start_s=START_S,
        end_s=END_S,
        window_start_s=START_S + 30,
        wave=draw_wave(streams["plan"], int(END_S // BIN_S)),
        rate=120.0,
        has_fault=True,
        innocent=((names.index("payment"), DEPLOY_S, "deploy"),),
        kind=next(kind for kind in KINDS if kind.name == "cpu_contention"),
        place=names.index("inventory"),
        question="why is checkout slow?",
        calls=40_000,
    )
    return record(plan, streams)
