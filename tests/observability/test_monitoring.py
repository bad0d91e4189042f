"""The dashboard and the rules ask for what Aegis exposes, and the rules ring when they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from promql_parser import parse

from aegis.observability.measurements import Measurements

FOLDER = Path(__file__).parents[2] / "monitoring"
NAME = re.compile(r"\baegis_[a-z_]+\b")


def exposed() -> set[str]:
    registry = Measurements(lambda: 0, lambda: 0).registry
    names: set[str] = set()
    for family in registry.collect():
        if family.type == "counter":
            names.add(f"{family.name}_total")
        elif family.type == "histogram":
            names |= {f"{family.name}_{part}" for part in ("bucket", "sum", "count")}
        else:
            names.add(family.name)
    return names


def rules() -> dict[str, str]:
    found = yaml.safe_load((FOLDER / "alert-rules.yaml").read_text(encoding="utf-8"))
    return {rule["alert"]: rule["expr"] for group in found["groups"] for rule in group["rules"]}


def panels() -> dict[str, list[str]]:
    found = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    return {one["title"]: [part["expr"] for part in one["targets"]] for one in found["panels"]}


def asked() -> dict[str, list[str]]:
    return {name: [expression] for name, expression in rules().items()} | panels()


@pytest.mark.parametrize("where", asked())
def test_every_expression_reads_metrics_that_exist(where: str) -> None:
    for expression in asked()[where]:
        parse(expression.replace("$__rate_interval", "5m").replace("$job", "aegis"))
        named = set(NAME.findall(expression))
        assert named <= exposed(), named - exposed()


def test_everything_about_alerts_is_on_the_dashboard() -> None:
    shown = {name for parts in panels().values() for one in parts for name in NAME.findall(one)}
    hidden = {name for name in exposed() - shown if not name.endswith(("_sum", "_count"))}
    assert hidden == set()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "alert-rules.yaml"), ("test", "rules", "alert-rules.test.yaml")],
)
def test_promtool_agrees(arguments: tuple[str, ...]) -> None:
    ran = subprocess.run(  # noqa: S603
        ["promtool", *arguments],  # noqa: S607
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
