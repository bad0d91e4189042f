"""What holds in a world at each moment: the knobs that faults turn.

Every array has one column per time bin of `BIN_S` seconds. A quiet world has the neutral
values that `Conditions.quiet` sets; the load model and the requests read only these arrays,
so neither knows which fault is on.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from aegis.model.telemetry import Floats
from lab.simulator.topology import Topology

BIN_S = 5.0


@dataclass(slots=True)
class Conditions:
    """Per service unless said otherwise.

    work_factor     own work takes this many times as long
    cpu_hog         share of the processors taken by something else
    memory          share of the memory limit above the usual
    pause_share     share of time in which the process stands still (garbage collection)
    pause_s         how long one such pause takes (one number a service)
    down            share of connections refused
    restarts        restarts in this bin
    egress_s        delay of every message that leaves the service
    loss            share of messages lost and sent again
    disk_busy       share of disk time above the usual
    pool_factor     share of the workers that are there
    error_rate      per operation: share of requests that throw
    early_return    per operation: share of requests that return before their calls
    site_factor     per call site: probability of the call, times this
    unreachable     per call site: share of attempts that find nobody at the address
    timeout_factor  per call site: timeout, times this
    """

    work_factor: Floats
    cpu_hog: Floats
    memory: Floats
    pause_share: Floats
    pause_s: Floats
    down: Floats
    restarts: Floats
    egress_s: Floats
    loss: Floats
    disk_busy: Floats
    pool_factor: Floats
    error_rate: Floats
    early_return: Floats
    site_factor: Floats
    unreachable: Floats
    timeout_factor: Floats

    @staticmethod
    def quiet(topology: Topology, bins: int) -> Conditions:
        services, sites = len(topology.services), len(topology.sites)
        errors = np.array([[op.error_rate] for op in topology.operations])

        def of_services(value: float) -> Floats:
            return np.full((services, bins), value)

        return Conditions(
            work_factor=of_services(1.0),
            cpu_hog=of_services(0.0),
            memory=of_services(0.0),
            pause_share=of_services(0.0),
            pause_s=np.full(services, 0.2),
            down=of_services(0.0),
            restarts=of_services(0.0),
            egress_s=of_services(0.0),
            loss=of_services(0.0),
            disk_busy=of_services(0.0),
            pool_factor=of_services(1.0),
            error_rate=np.repeat(errors, bins, axis=1),
            early_return=np.zeros((len(topology.operations), bins)),
            site_factor=np.ones((sites, bins)),
            unreachable=np.zeros((sites, bins)),
            timeout_factor=np.ones((sites, bins)),
        )

    @property
    def bins(self) -> int:
        return int(self.work_factor.shape[1])

    def since(self, first: int) -> Conditions:
        """The conditions from this bin on; a view."""
        parts = (getattr(self, field.name) for field in fields(Conditions))
        return Conditions(*(part[:, first:] if part.ndim == 2 else part for part in parts))
