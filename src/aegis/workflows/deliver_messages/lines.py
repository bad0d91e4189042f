"""What a card says of one alert, or of one group, as markdown."""

from __future__ import annotations

from collections import Counter

from aegis.model.alert import Labels
from aegis.model.delivery import CardGroup, Known
from aegis.model.severity import severity_of
from aegis.model.text import Text
from aegis.workflows.deliver_messages import wording
from aegis.workflows.deliver_messages.quoting import cleaned, in_markdown, safe_link
from aegis.workflows.deliver_messages.voice import Voice, mark_of, rank

MOST_LINKS = 4
MOST_LABELS = 20
_SERVICE = (
    *("service", "service_name", "app", "application", "app_kubernetes_io_name"),
    *("deployment", "statefulset", "daemonset", "job_name", "cronjob", "workload", "job"),
)
_POD = ("pod", "pod_name", "container")
_INSTANCE = ("instance", "node", "host", "hostname", "nodename")
_SUMMARY = ("summary", "title", "message", "description")
_DESCRIPTION = ("description", "message")
_LINK_NAMES = {
    "runbook_url": Text("处理手册", "Runbook"),
    "runbook": Text("处理手册", "Runbook"),
    "dashboard_url": Text("面板", "Dashboard"),
    "dashboard": Text("面板", "Dashboard"),
}


def subject(one: Known) -> str:
    """Service, pod and instance, as far as they are labelled and differ; not yet harmless."""
    labels = dict(one.episode.labels)
    pod = _first(labels, _POD)
    if pod and (namespace := labels.get("namespace", "")):
        pod = f"{cleaned(namespace, 30)}/{pod}"
    found = [_first(labels, _SERVICE), pod, _first(labels, _INSTANCE)]
    return " · ".join(dict.fromkeys(cleaned(value, 60) for value in found if value.strip()))


def summary(one: Known) -> str:
    """What the alert says of itself; not yet harmless."""
    return _first(dict(one.episode.annotations), _SUMMARY)


def headline(one: Known, voice: Voice) -> str:
    """Name and subject, not yet harmless."""
    return " · ".join(part for part in (voice.name(one), subject(one)) if part)


def firing(one: Known, voice: Voice, alone: bool = False) -> str:
    """`alone` on its card, it need not say again how bad it is and since when."""
    about = in_markdown(subject(one), 160)
    lines = [f"{mark_of(one)} **{in_markdown(voice.name(one), 80)}**" + (about and f" · {about}")]
    if said := in_markdown(summary(one), 200):
        lines.append(said)
    facts = [in_markdown(voice.severity(one), 24), voice.say(_lasting(one, voice))]
    facts = [] if alone else facts
    if repeated := wording.repeats(one.history):
        facts.append(voice.say(repeated))
    if facts:
        lines.append(f"<font color='grey'>{' · '.join(facts)}</font>")
    if links := _links(one, voice):
        lines.append(" · ".join(links))
    return "\n".join(lines)


def resolved(one: Known, voice: Voice) -> str:
    struck = in_markdown(headline(one, voice), 200)
    facts = voice.say(_lasting(one, voice))
    return f"{mark_of(one)} ~~{struck}~~\n<font color='grey'>{facts}</font>"


def line(one: Known, voice: Voice) -> str:
    return firing(one, voice) if one.episode.is_open else resolved(one, voice)


def details(one: Known, voice: Voice) -> str:
    """The description, the labels, and annotations that are shown nowhere else."""
    annotations = dict(one.episode.annotations)
    lines = [f"**{in_markdown(headline(one, voice), 200)}**"]
    told = summary(one)
    description = _first(annotations, _DESCRIPTION)
    if description and description != told:
        lines.append(in_markdown(description, 600))
    lines += [
        f"{in_markdown(name, 60)}: {in_markdown(value, 200)}"
        for name, value in _more_annotations(one, voice)
    ]
    labels = [one for one in one.episode.labels if one[0] not in ("alertname", "severity")]
    if labels:
        shown = " · ".join(
            f"{in_markdown(name, 60)}={in_markdown(value, 100)}"
            for name, value in labels[:MOST_LABELS]
        )
        more = f" · +{len(labels) - MOST_LABELS}" if len(labels) > MOST_LABELS else ""
        lines.append(f"<font color='grey'>{shown}{more}</font>")
    return "\n".join(lines)


def group_line(group: CardGroup, episodes: tuple[Known, ...], voice: Voice) -> str:
    """One group of a card that shows many: what, how many, since when."""
    if len(episodes) == 1:
        return line(episodes[0], voice)
    worst = min(episodes, key=rank)
    open_ones = [one for one in episodes if one.episode.is_open]
    about = in_markdown(_shared(group, episodes), 160)
    counts = voice.say(wording.counted(len(open_ones), len(episodes) - len(open_ones)))
    name = in_markdown(names_of(episodes, voice), 120)
    if not open_ones:
        return f"{mark_of(worst)} ~~{name}{about and f' · {about}'}~~ · {counts}"
    facts = f"{in_markdown(voice.severity(worst), 24)} · {voice.say(_lasting(worst, voice))}"
    head = f"{mark_of(worst)} **{name}**{about and f' · {about}'} · {counts}"
    return f"{head}\n<font color='grey'>{facts}</font>"


def _shared(group: CardGroup, episodes: tuple[Known, ...]) -> str:
    """What the group is grouped by beside the name; by that alone, the services in it."""
    labels = [pair for pair in group.labels if pair[0] != "alertname"]
    if labels:
        return ", ".join(f"{cleaned(name, 40)}={cleaned(value, 60)}" for name, value in labels)
    services = dict.fromkeys(_first(dict(one.episode.labels), _SERVICE) for one in episodes)
    named = [cleaned(one, 40) for one in services if one]
    return ", ".join(named[:3]) + (" …" if len(named) > 3 else "")


def names_of(shown: tuple[Known, ...], voice: Voice) -> str:
    """`A`, `A, B` or `A, B +3`, the worst first; not yet harmless."""
    counts = Counter(voice.name(one) for one in sorted(shown, key=rank))
    names = list(counts)
    more = f" +{len(names) - 2}" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more


def worst_severity(shown: tuple[Known, ...], voice: Voice) -> str:
    open_ones = [one for one in shown if one.episode.is_open]
    if not open_ones:
        return ""
    return voice.severity(min(open_ones, key=lambda one: severity_of(one.episode.severity)))


def _lasting(one: Known, voice: Voice) -> Text:
    return wording.lasting(one.episode, voice.now, voice.style.timezone)


def _first(values: dict[str, str], names: tuple[str, ...]) -> str:
    return next((values[name] for name in names if values.get(name, "").strip()), "")


def _addresses(annotations: Labels) -> list[tuple[str, str]]:
    """Annotations that are an address, the well-known ones first."""
    known = list(_LINK_NAMES)
    found = [
        (name, value.strip())
        for name, value in annotations
        if value.strip().startswith(("http://", "https://"))
        and not any(letter.isspace() for letter in value.strip()[:2_000])
    ]
    return sorted(found, key=lambda one: known.index(one[0]) if one[0] in known else len(known))


def _links(one: Known, voice: Voice) -> list[str]:
    """Only to hosts that the site has named; each address once."""
    found: dict[str, str] = {}
    for name, value in _addresses(one.episode.annotations):
        link = safe_link(value, voice.style.link_hosts)
        if link is not None and link not in found:
            said = voice.say(_LINK_NAMES[name]) if name in _LINK_NAMES else in_markdown(name, 40)
            found[link] = f"[{said}]({link})"
    return list(found.values())[:MOST_LINKS]


def _more_annotations(one: Known, voice: Voice) -> list[tuple[str, str]]:
    linked = {
        name
        for name, value in _addresses(one.episode.annotations)
        if safe_link(value, voice.style.link_hosts) is not None
    }
    hidden = {"summary", *_DESCRIPTION, *linked}
    return [pair for pair in one.episode.annotations if pair[0] not in hidden and pair[1]][:6]
