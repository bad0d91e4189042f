"""What the webhooks of deploy tools say about a change.

Each reader takes one body and gives the change, or the reason why the body tells of none: a
tool sends much that changes nothing in a running system. A deploy is told of several times as
it goes on; `key` is the same each time, so that the first, when it began to roll out, stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aegis.model.telemetry import Change
from aegis.workflows.receive_changes.fields import (
    Body,
    bounded,
    inner,
    moment,
    service_name,
    web_address,
    words,
)

STARTED = frozenset({"in_progress", "running", "success", "failure", "error", "failed"})
"""States from which on new code may already serve requests."""
SHORT_SHA = 12


@dataclass(frozen=True, slots=True)
class Reported:
    """A change under the key that makes it one, and who told of it."""

    key: str
    source: str
    change: Change


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing changed; `reason` is for the person who looks at the tool's delivery log."""

    reason: str


Read = Reported | Ignored
Reader = Callable[[Body, ZoneInfo], Read]


def reader_of(body: Body) -> Reader | None:
    """Whose body this is, by its shape alone; None where it is no tool's that is known."""
    if "deployment_status" in body or ("deployment" in body and "repository" in body):
        return github
    if isinstance(body.get("object_kind"), str):
        return gitlab
    if str(body.get("apiVersion", "")).startswith("argoproj.io/") or _is_application(body):
        return argo_cd
    if "involvedObject" in body and "reportingController" in body:
        return flux
    if "hook_id" in body or ("repository" in body and "sender" in body):
        return github_other
    return None


def github(body: Body, timezone: ZoneInfo) -> Read:
    """`deployment_status`; a `deployment` alone is only a wish."""
    deployment, status = inner(body, "deployment"), inner(body, "deployment_status")
    if not status:
        return Ignored("a deployment without a status has not begun")
    state = words(status, "state") or "unknown"
    if state not in STARTED:
        return Ignored(f"a deployment that is {state} has changed nothing yet")
    place = words(deployment, "environment")
    repository = words(inner(body, "repository"), "full_name", "name") or ""
    service = words(inner(deployment, "payload"), "service") or repository.rpartition("/")[2]
    return Reported(
        f"github:{repository}:{words(deployment, 'id')}",
        "github",
        Change(
            service_name(service),
            moment(
                "deployment_status.created_at",
                status.get("created_at") or status.get("updated_at"),
                timezone,
            ),
            "deploy",
            bounded("version", (words(deployment, "sha") or "")[:SHORT_SHA] or None),
            _title(words(deployment, "description"), place, words(deployment, "ref")),
            web_address(words(status, "log_url", "target_url")),
        ),
    )


def github_other(body: Body, timezone: ZoneInfo) -> Read:
    """Every other event of GitHub; a new hook first sends a ping."""
    del body, timezone
    return Ignored("of GitHub's events only deployment_status tells what runs")


def gitlab(body: Body, timezone: ZoneInfo) -> Read:
    """Deployment events; pipelines and pushes say nothing about what runs."""
    kind = str(body["object_kind"])
    if kind != "deployment":
        return Ignored(f"of GitLab's events only deployment tells what runs, not {kind[:40]}")
    status = words(body, "status") or "unknown"
    if status not in STARTED:
        return Ignored(f"a deployment that is {status} has changed nothing yet")
    project = inner(body, "project")
    path = words(project, "path_with_namespace", "name") or ""
    return Reported(
        f"gitlab:{path}:{words(body, 'deployment_id', 'deployable_id')}",
        "gitlab",
        Change(
            service_name(path.rpartition("/")[2]),
            moment("status_changed_at", body.get("status_changed_at"), timezone),
            "deploy",
            bounded("version", words(body, "short_sha")),
            _title(words(body, "commit_title"), words(body, "environment"), words(body, "ref")),
            web_address(words(body, "deployable_url", "commit_url")),
        ),
    )


def argo_cd(body: Body, timezone: ZoneInfo) -> Read:
    """An Application, as a notification template sends it with `toJson .app`."""
    app = inner(body, "app") or body
    operation = inner(app, "status", "operationState")
    phase = words(operation, "phase") or "unknown"
    if phase not in ("Running", "Succeeded", "Failed", "Error"):
        return Ignored(f"an application whose sync is {phase} has changed nothing yet")
    name = words(inner(app, "metadata"), "name")
    revision = words(inner(operation, "syncResult"), "revision") or words(
        inner(app, "status", "sync"), "revision"
    )
    started = operation.get("startedAt")
    return Reported(
        f"argocd:{words(inner(app, 'metadata'), 'namespace')}/{name}:{revision}:{started}",
        "argocd",
        Change(
            service_name(name),
            moment("status.operationState.startedAt", started, timezone),
            "deploy",
            bounded("version", (revision or "")[:SHORT_SHA] or None),
            _title(words(operation, "message"), words(inner(app, "spec"), "project"), None),
            None,
        ),
    )


def flux(body: Body, timezone: ZoneInfo) -> Read:
    """What the notification controller's generic provider posts."""
    reason = words(body, "reason") or "unknown"
    about = inner(body, "involvedObject")
    kind = words(about, "kind") or "unknown"
    if kind not in ("Kustomization", "HelmRelease"):
        return Ignored(f"a {kind[:40]} is fetched, not rolled out")
    if reason not in ("ReconciliationSucceeded", "InstallSucceeded", "UpgradeSucceeded"):
        return Ignored(f"{reason[:40]} has changed nothing")
    metadata = inner(body, "metadata")
    revision = next((str(v) for k, v in sorted(metadata.items()) if k.endswith("revision")), None)
    where = f"{words(about, 'namespace')}/{words(about, 'name')}"
    return Reported(
        f"flux:{kind}:{where}:{revision or body.get('timestamp')}",
        "flux",
        Change(
            service_name(words(about, "name")),
            moment("timestamp", body.get("timestamp"), timezone),
            "deploy",
            bounded("version", revision),
            _title(words(body, "message"), words(about, "namespace"), None),
            None,
        ),
    )


def _is_application(body: Body) -> bool:
    return bool(inner(body, "app", "metadata")) or (body.get("kind") == "Application")


def _title(text: str | None, place: str | None, ref: str | None) -> str | None:
    """One line; a longer text of a tool is cut, for nobody here wrote it."""
    parts = [" ".join(part.split()) for part in (text, ref, place) if part]
    joined = " · ".join(part for part in parts if part)
    return joined[:200] or None
