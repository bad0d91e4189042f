"""`python -m lab.simulator --seed N --cases K OUT`: writes labelled cases below OUT."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from lab.simulator.plan import FIRST_FROZEN_SEED
from lab.simulator.shop import record_shop
from lab.simulator.timeline_case import QUIET_SHARE, record_timeline
from lab.simulator.world import NO_FAULT_SHARE, record_seed


def _write(seed: int, out: Path, no_fault_share: float | None, timeline: bool) -> str:
    if timeline:
        told = record_timeline(seed, QUIET_SHARE if no_fault_share is None else no_fault_share)
        told.write(out / told.header.id)
        return told.header.id
    share = NO_FAULT_SHARE if no_fault_share is None else no_fault_share
    recording = record_seed(seed, share)
    recording.write(out / recording.header.id)
    return recording.header.id


def simulate(
    out: Annotated[Path, typer.Argument(help="Folder to write the cases into.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first case; the next is +1.")] = 0,
    cases: Annotated[int, typer.Option(min=1, help="How many cases.")] = 1,
    no_fault_share: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of cases where nothing is wrong; "
            f"{NO_FAULT_SHARE}, or {QUIET_SHARE} of timelines.",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes to use.")] = 1,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="Hours of contiguous telemetry, with a question.")
    ] = False,
    shop: Annotated[
        bool, typer.Option(help="Write the demo incident of the shop instead.")
    ] = False,
) -> None:
    """Simulate incidents with known causes and write them as aegis-case/1 folders."""
    if seed < FIRST_FROZEN_SEED < seed + cases:
        raise typer.BadParameter(f"{FIRST_FROZEN_SEED} begins the frozen half: do not cross it")
    console = Console(stderr=True)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"{out}: {error.strerror}", param_hint="OUT") from None
    if shop:
        record_shop().write(out)
        console.print(f"wrote the shop's incident to {out}")
        return
    seeds = range(seed, seed + cases)
    work = partial(_write, out=out, no_fault_share=no_fault_share, timeline=timeline)
    if jobs == 1:
        written = list(track(map(work, seeds), "simulating", cases, console=console))
    else:
        with ProcessPoolExecutor(jobs) as pool:
            results = pool.map(work, seeds, chunksize=2)
            written = list(track(results, "simulating", cases, console=console))
    console.print(f"wrote {len(written)} cases to {out}")


if __name__ == "__main__":
    typer.run(simulate)
