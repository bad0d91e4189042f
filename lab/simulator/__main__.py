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
from lab.simulator.world import record_seed


def _write(seed: int, out: Path, no_fault_share: float) -> str:
    recording = record_seed(seed, no_fault_share)
    recording.write(out / recording.header.id)
    return recording.header.id


def simulate(
    out: Annotated[Path, typer.Argument(help="Folder to write the cases into.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first case; the next is +1.")] = 0,
    cases: Annotated[int, typer.Option(min=1, help="How many cases.")] = 1,
    no_fault_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of ordinary days among them.")
    ] = 0.1,
    jobs: Annotated[int, typer.Option(min=1, help="Processes to use.")] = 1,
    shop: Annotated[
        bool, typer.Option(help="Write the demo incident of the shop instead.")
    ] = False,
) -> None:
    """Simulate incidents with known causes and write them as aegis-case/1 folders."""
    console = Console(stderr=True)
    if shop:
        record_shop().write(out)
        console.print(f"wrote the shop's incident to {out}")
        return
    if seed < FIRST_FROZEN_SEED < seed + cases:
        raise typer.BadParameter(f"{FIRST_FROZEN_SEED} begins the frozen half: do not cross it")
    seeds = range(seed, seed + cases)
    work = partial(_write, out=out, no_fault_share=no_fault_share)
    if jobs == 1:
        written = list(track(map(work, seeds), "simulating", cases, console=console))
    else:
        with ProcessPoolExecutor(jobs) as pool:
            results = pool.map(work, seeds, chunksize=2)
            written = list(track(results, "simulating", cases, console=console))
    console.print(f"wrote {len(written)} cases to {out}")


if __name__ == "__main__":
    typer.run(simulate)
