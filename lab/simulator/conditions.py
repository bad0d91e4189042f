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
    gone            1 while the process is not there and exports nothing
    egress_s        delay of every message that leaves the service
    loss            share of messages lost and sent again
    disk_busy       share of disk time above the usual
    disk_used       share of the disk filled above the usual
    lag_s           how long a message sent now lies in the queue of this consumer
    queued          messages in that queue
    served          messages worked off, as a share of those that arrive
    cache_misses    share of this cache's keys that are gone
    pool_factor     share of the workers that are there
    error_rate      per operation: share of requests that throw
    early_return    per operation: share of requests that return before their calls
    slow_share      per operation: share of requests that take the slow way
    slow_factor     per operation: own work on the slow way takes this many times as long
    demand          per operation: requests from outside, times this
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
    gone: Floats
    egress_s: Floats
    loss: Floats
    disk_busy: Floats
    disk_used: Floats
    lag_s: Floats
    queued: Floats
    served: Floats
    cache_misses: Floats
    pool_factor: Floats
    error_rate: Floats
    early_return: Floats
    slow_share: Floats
    slow_factor: Floats
    demand: Floats
    site_factor: Floats
    unreachable: Floats
    timeout_factor: Floats

    @staticmethod
    def quiet(topology: Topology, bins: int) -> Conditions:
        services, sites = len(topology.services), len(topology.sites)
        operations = len(topology.operations)
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
            gone=of_services(0.0),
            egress_s=of_services(0.0),
            loss=of_services(0.0),
            disk_busy=of_services(0.0),
            disk_used=of_services(0.0),
            lag_s=of_services(0.0),
            queued=of_services(0.0),
            served=of_services(1.0),
            cache_misses=of_services(0.0),
            pool_factor=of_services(1.0),
            error_rate=np.repeat(errors, bins, axis=1),
            early_return=np.zeros((operations, bins)),
            slow_share=np.zeros((operations, bins)),
            slow_factor=np.ones((operations, bins)),
            demand=np.ones((operations, bins)),
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

    def copy(self) -> Conditions:
        return Conditions(*(getattr(self, field.name).copy() for field in fields(Conditions)))

    def write(self, part: Conditions, first: int) -> None:
        """Let `part` hold from bin `first` on, for as long as it is.

        Pauses have one length a service for the whole recording: the longer one stays.
        """
        for field in fields(Conditions):
            mine, other = getattr(self, field.name), getattr(part, field.name)
            if mine.ndim == 2:
                mine[:, first : first + other.shape[1]] = other
            else:
                np.maximum(mine, other, out=mine)
