"""Words of questions about incidents: alone they name no service."""

from __future__ import annotations

GENERIC_SUFFIXES = frozenset({"service", "services", "svc", "server", "app", "api"})

TECHNICAL = frozenset(
    {
        # What everything is
        *("service", "services", "svc", "server", "servers", "api", "apis", "app", "apps"),
        *("application", "applications", "backend", "system", "systems", "component", "module"),
        *("microservice", "microservices", "endpoint", "endpoints", "host", "hosts", "node"),
        *("nodes", "pod", "pods", "container", "containers", "instance", "instances", "cluster"),
        *("namespace", "client", "clients", "remote", "local", "production", "prod", "staging"),
        *("test", "testing", "default", "main", "core", "base", "basic", "other", "info", "data"),
        # What happens to it
        *("error", "errors", "fail", "fails", "failed", "failing", "failure", "failures", "slow"),
        *("slower", "slowly", "down", "broken", "timeout", "timeouts", "latency", "crash"),
        *("crashed", "alert", "alerts", "alarm", "alarms", "incident", "outage", "issue"),
        *("issues", "problem", "deploy", "deployed", "deploys", "deployment", "release"),
        *("released", "rollout", "version", "change", "changed", "changes", "config"),
        *("configuration", "update", "updated", "restart", "restarts", "request", "requests"),
        *("response", "responses", "return", "returns", "traffic", "load", "loads", "loading"),
        *("status", "state", "health", "healthy", "check", "checks", "checked", "checking"),
        *("step", "steps", "query", "queries", "page", "pages", "table", "function", "call"),
        *("calls", "cpu", "memory", "disk", "network", "metric", "metrics", "log", "logs"),
        *("trace", "traces", "rate", "rates", "count", "high", "usage", "spike"),
    }
)  # fmt: skip
"""What a service may be called, but is not meant by the word alone."""

TALK = frozenset(
    {
        *("the", "and", "for", "from", "with", "what", "why", "when", "where", "which", "who"),
        *("how", "did", "does", "has", "have", "had", "was", "were", "are", "not", "out", "our"),
        *("its", "this", "that", "these", "those", "there", "their", "they", "about", "after"),
        *("before", "between", "inside", "outside", "since", "until", "around", "again", "still"),
        *("very", "some", "many", "more", "most", "much", "only", "also", "just", "into", "over"),
        *("under", "last", "next", "past", "today", "yesterday", "night", "morning", "afternoon"),
        *("evening", "minute", "minutes", "hour", "hours", "time", "times", "week", "month"),
        *("now", "ago", "people", "please", "look", "looking", "find", "show", "tell"),
        *("happened", "happening", "wrong", "cause", "root", "reason", "current", "currently"),
        *("ordered", "ordering", "shopping", "started", "starting", "stopped", "running", "plan"),
        *("live", "right"),
    }
)  # fmt: skip
"""What holds sentences together."""

ORDINARY = TECHNICAL | TALK
