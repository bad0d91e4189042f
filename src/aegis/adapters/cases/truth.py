"""truth.json: the labels of a case. Only the benchmark reads it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import cast

from aegis.adapters.cases.header import read_object
from aegis.adapters.cases.problems import Problem, Report, raise_first
from aegis.model.diagnosis import FAMILIES, Family
from aegis.model.errors import InvalidCase
from aegis.model.incident import TrueCause

FILE = "truth.json"


def read_truth(folder: Path, report: Report = raise_first) -> tuple[TrueCause, ...] | None:
    """The labelled causes; empty where nothing was wrong, None where there are no labels."""
    path = folder / FILE
    if not path.exists():
        return None
    fields = read_object(path, report)
    if fields is None:
        return None
    items = fields.get("root_causes")
    if not isinstance(items, list):
        report(Problem(str(path), None, "root_causes", "must be a list"))
        return None
    causes = [_cause(str(path), index, item, report) for index, item in enumerate(items)]
    return tuple(cause for cause in causes if cause is not None)


def read_onset(folder: Path) -> datetime | None:
    """When what is asked about began, as labelled; None where nothing did or nobody says."""
    path = folder / FILE
    fields = read_object(path, raise_first) if path.exists() else None
    told = None if fields is None else fields.get("onset")
    if told is None:
        return None
    try:
        moment = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidCase(str(path), "onset", "must be a time with an offset, or null")
    return moment


def truth_json(truth: tuple[TrueCause, ...]) -> dict[str, object]:
    return {
        "root_causes": [
            {"service": cause.service, "fault": cause.fault, "family": cause.family}
            for cause in truth
        ]
    }


def _cause(file: str, index: int, item: object, report: Report) -> TrueCause | None:
    where = f"root_causes[{index}]"
    if not isinstance(item, dict):
        report(Problem(file, None, where, "must be an object"))
        return None
    service, fault, family = item.get("service"), item.get("fault", ""), item.get("family")
    if not isinstance(service, str) or not service:
        report(Problem(file, None, f"{where}.service", "must be text"))
        return None
    if not isinstance(fault, str):
        report(Problem(file, None, f"{where}.fault", "must be text"))
        fault = ""
    if family is not None and family not in FAMILIES:
        message = f"must be one of {', '.join(FAMILIES)} or null, is {family!r}"
        report(Problem(file, None, f"{where}.family", message))
        family = None
    return TrueCause(service, fault, cast("Family | None", family))
