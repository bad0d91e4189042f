"""Deploys as tools tell of them become changes; what changes nothing is told so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aegis.model.errors import InvalidRequest
from aegis.model.telemetry import Change
from aegis.workflows.receive_changes.receive import MOST_AT_ONCE, read_changes
from aegis.workflows.receive_changes.tools import Reported

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 11, 2, 2, 15, tzinfo=UTC)


def only(body: object) -> Reported:
    found = read_changes(body, SHANGHAI)
    assert found.ignored == ()
    assert len(found.reported) == 1
    return found.reported[0]


def reason(body: object) -> str:
    found = read_changes(body, SHANGHAI)
    assert found.reported == ()
    return found.ignored[0]


def complaint(body: object) -> str:
    with pytest.raises(InvalidRequest) as raised:
        read_changes(body, SHANGHAI)
    return str(raised.value)


GITHUB: dict[str, Any] = {
    "action": "created",
    "deployment": {
        "id": 42,
        "sha": "a10867b14bb761a232cd80139fbd4c0d33264240",
        "ref": "main",
        "environment": "production",
        "payload": {},
        "description": "Deploy of the evening",
    },
    "deployment_status": {
        "state": "in_progress",
        "created_at": "2026-11-02T02:15:00Z",
        "log_url": "https://ci.example.org/runs/7",
    },
    "repository": {"full_name": "shop/cart"},
    "sender": {"login": "somebody"},
}
GITLAB: dict[str, Any] = {
    "object_kind": "deployment",
    "status": "running",
    "status_changed_at": "2026-11-02 10:15:00 +0800",
    "deployment_id": 15,
    "deployable_url": "https://git.example.org/shop/cart/-/jobs/796",
    "environment": "production",
    "project": {"name": "Cart", "path_with_namespace": "shop/cart"},
    "ref": "main",
    "short_sha": "279484c0",
    "commit_title": "Cache the prices",
}
ARGO: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "cart", "namespace": "argocd"},
    "spec": {"project": "shop"},
    "status": {
        "sync": {"revision": "f00f00f00f00f00f00f0"},
        "operationState": {
            "phase": "Running",
            "startedAt": "2026-11-02T02:15:00Z",
            "syncResult": {"revision": "a10867b14bb761a232cd"},
            "message": "one or more\nobjects sync",
        },
    },
}
FLUX: dict[str, Any] = {
    "involvedObject": {"kind": "HelmRelease", "namespace": "shop", "name": "cart"},
    "metadata": {"helm.toolkit.fluxcd.io/revision": "1.4.2"},
    "severity": "info",
    "reason": "UpgradeSucceeded",
    "message": "Helm upgrade succeeded",
    "reportingController": "helm-controller",
    "timestamp": "2026-11-02T02:15:00Z",
}


def test_a_change_of_our_own_shape_is_kept_as_it_is() -> None:
    found = only(
        {
            "service": "cart",
            "time": "2026-11-02T02:15:00Z",
            "kind": "deploy",
            "version": "1.4.2",
            "title": "Cache the prices",
            "url": "https://ci.example.org/7",
        }
    )
    assert found.source == "api"
    assert found.change == Change(
        "cart", AT, "deploy", "1.4.2", "Cache the prices", "https://ci.example.org/7"
    )


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-02T10:15:00",
        "2026-11-02 10:15:00 +0800",
        "2026-11-02 02:15:00 UTC",
        1793585700,
        "2026-11-02T02:15:00Z",
    ],
)
def test_times_are_read_as_tools_write_them(written: object) -> None:
    assert only({"service": "cart", "time": written}).change.time == AT


@pytest.mark.parametrize(
    "body",
    [GITHUB, GITLAB, ARGO, {"app": ARGO}, FLUX],
    ids=["github", "gitlab", "argo-cd", "argo-cd in app", "flux"],
)
def test_a_deploy_tool_s_own_body_names_service_time_and_version(body: dict[str, Any]) -> None:
    found = only(body).change
    assert (found.service, found.time, found.kind) == ("cart", AT, "deploy")
    assert found.version in ("a10867b14bb7", "279484c0", "1.4.2")


def test_a_title_is_one_line_with_branch_and_place() -> None:
    assert only(GITHUB).change.title == "Deploy of the evening · main · production"
    assert only(ARGO).change.title == "one or more objects sync · shop"


def test_a_deploy_may_name_its_service_in_github_s_payload() -> None:
    deployment = GITHUB["deployment"] | {"payload": {"service": "checkout"}}
    assert only(GITHUB | {"deployment": deployment}).change.service == "checkout"


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (
            GITHUB,
            GITHUB
            | {"deployment_status": {"state": "success", "created_at": "2026-11-02T02:19:00Z"}},
        ),
        (GITLAB, GITLAB | {"status": "success", "status_changed_at": "2026-11-02 10:19:00 +0800"}),
        (FLUX, FLUX | {"timestamp": "2026-11-02T02:25:00Z"}),
        (
            ARGO,
            ARGO
            | {
                "status": ARGO["status"]
                | {"operationState": ARGO["status"]["operationState"] | {"phase": "Succeeded"}}
            },
        ),
    ],
    ids=["github", "gitlab", "flux", "argo-cd"],
)
def test_a_deploy_that_goes_on_stays_one_change(
    first: dict[str, Any], later: dict[str, Any]
) -> None:
    assert only(first).key == only(later).key


def test_two_deploys_are_two_changes() -> None:
    other = GITHUB | {"deployment": GITHUB["deployment"] | {"id": 43}}
    assert only(GITHUB).key != only(other).key
    plain = {"service": "cart", "time": "2026-11-02T02:15:00Z", "version": "1"}
    assert only(plain).key != only(plain | {"version": "2"}).key
    assert only(plain).key == only(plain | {"title": "said otherwise"}).key


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (GITHUB | {"deployment_status": {"state": "queued"}}, "queued"),
        ({"zen": "Anything added dilutes everything else.", "hook_id": 1}, "deployment_status"),
        ({"deployment": {"id": 1}, "repository": {}, "sender": {}}, "not begun"),
        ({"object_kind": "push"}, "not push"),
        (GITLAB | {"status": "created"}, "created"),
        (FLUX | {"reason": "ValidationFailed"}, "ValidationFailed"),
        (FLUX | {"involvedObject": {"kind": "GitRepository"}}, "fetched"),
        ({"app": {"metadata": {"name": "cart"}}}, "unknown"),
    ],
)
def test_what_changes_nothing_is_ignored_with_a_reason(body: object, said: str) -> None:
    assert said in reason(body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "service"),
        ({"service": "cart"}, "time"),
        ({"service": " ", "time": 1}, "service"),
        ({"service": "cart", "time": "soon"}, "time"),
        ({"service": "cart", "time": True}, "time"),
        ({"service": "cart", "time": 10**30}, "time"),
        ({"service": "cart", "time": "1999-01-01T00:00:00Z"}, "time"),
        ({"service": "c" * 201, "time": 1793585700}, "service"),
        ({"service": "ca\nrt", "time": 1793585700}, "service"),
        ({"service": "cart", "time": 1793585700, "url": "javascript:alert(1)"}, "url"),
        ({"service": "cart", "time": 1793585700, "url": "https://"}, "url"),
        ({"service": "cart", "time": 1793585700, "kind": 3}, "kind"),
        ({"service": "cart", "time": 1793585700, "verison": "2"}, "verison"),
        ([{"service": "cart", "time": 1793585700}, {"service": "cart"}], "[1].time"),
        ([7], "[0].body"),
        ("deploy", "body"),
        ([{"service": "cart", "time": 1793585700}] * (MOST_AT_ONCE + 1), "body"),
        (GITHUB | {"repository": {}}, "service"),
        (GITLAB | {"status_changed_at": None}, "status_changed_at"),
    ],
)
def test_a_slip_is_told_with_its_field(body: object, field: str) -> None:
    assert complaint(body).startswith(f"{field}: ")


def test_a_list_is_read_in_its_order() -> None:
    bodies = [{"service": name, "time": 1793585700} for name in ("b", "a")]
    assert [one.change.service for one in read_changes(bodies, SHANGHAI).reported] == ["b", "a"]
