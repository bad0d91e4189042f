"""The JSON of an analysis, the same from the command line and over HTTP."""

from __future__ import annotations

from aegis.engine.links import link_of
from aegis.model.diagnosis import Diagnosis, RootCause, TimelineEntry
from aegis.model.evidence import Evidence
from aegis.model.links import NO_ADDRESSES, ExternalAddresses
from aegis.model.telemetry import from_ns, utc_text
from aegis.model.text import Language
from aegis.workflows.analyze_incident import Analysis, listed_causes

_DIGITS = 4


def answer_json(
    analysis: Analysis, addresses: ExternalAddresses = NO_ADDRESSES
) -> dict[str, object]:
    """Probabilities have four digits; all times are UTC.

    `start` and `end` are the time asked about; where its onset was looked for, `onset` tells
    which window was explained. Fields that say nothing about an exact window are left out.
    Evidence has a link where `addresses` has a place to show it.
    """
    diagnosis, answer = analysis.diagnosis, analysis.answer
    language = answer.language
    return {
        "summary": answer.summary,
        "ranked_root_causes": [
            _cause_json(diagnosis, cause, rank, answer.cause_descriptions[rank - 1], language)
            for rank, cause in enumerate(listed_causes(diagnosis), start=1)
        ],
        "none_probability": round(diagnosis.none_probability, _DIGITS),
        "next_actions": list(answer.next_actions),
        "trace": {
            "steps": [
                {
                    "index": index,
                    "tool": step.tool,
                    "tool_input": step.tool_input,
                    "observation": step.observation,
                    "log": None,
                }
                for index, step in enumerate(analysis.steps)
            ]
        },
        "evidence": [evidence_json(item, language, addresses) for item in diagnosis.evidence],
        **_onset_json(diagnosis, language),
        "impact": {"since": _time(diagnosis.impact.since_ns), "statement": answer.impact},
        "timeline": [_event_json(entry, language) for entry in diagnosis.timeline],
        "ruled_out": [
            {"service": item.service, "why": item.why.in_language(language)}
            for item in diagnosis.ruled_out
        ],
        "blind_spots": list(answer.blind_spots),
        "narrator": "engine",
        **(diagnosis.window if diagnosis.onset is None else diagnosis.onset.asked).as_text(),
        "session_id": None,
    }


def _cause_json(
    diagnosis: Diagnosis, cause: RootCause, rank: int, description: str, language: Language
) -> dict[str, object]:
    by_id = diagnosis.evidence_by_id()
    proofs = [by_id[one] for one in cause.evidence_ids]
    return {
        "rank": rank,
        "service": cause.service,
        "probability": round(cause.probability, _DIGITS),
        "family": cause.family,
        "onset": _time(cause.onset_ns),
        "description": description,
        "key_indicators": [
            item.statement.in_language(language) for item in proofs if item.source != "logs"
        ],
        "key_logs": [line for item in proofs if item.source == "logs" for line in item.samples],
        "evidence_ids": list(cause.evidence_ids),
        "against": list(cause.against_ids),
    }


def evidence_json(
    item: Evidence, language: Language, addresses: ExternalAddresses = NO_ADDRESSES
) -> dict[str, object]:
    return {
        "id": item.id,
        "source": item.source,
        "signal": item.signal,
        "service": item.service,
        "peer": item.peer,
        "subject": item.subject,
        "query": item.query,
        **item.data_window.as_text(),
        "window": item.window.as_text(),
        **({"left_out": [one.as_text() for one in item.left_out]} if item.left_out else {}),
        "sha256": item.sha256,
        "statement": item.statement.in_language(language),
        "link": link_of(item, addresses),
    }


def _onset_json(diagnosis: Diagnosis, language: Language) -> dict[str, object]:
    """When it began. `asked` is the time the question meant, `window` what was explained."""
    onset = diagnosis.onset
    if onset is None:
        return {}
    told = {
        "outcome": onset.outcome,
        "start": _time(onset.start_ns),
        "end": _time(onset.end_ns),
        "asked": onset.asked.as_text(),
        "window": diagnosis.window.as_text(),
        "left_out": [one.as_text() for one in onset.left_out],
        "statement": onset.statement.in_language(language),
    }
    return {"onset": told}


def _event_json(entry: TimelineEntry, language: Language) -> dict[str, object]:
    return {
        "time": _time(entry.time_ns),
        "event": entry.event.in_language(language),
        "evidence_id": entry.evidence_id,
    }


def _time(time_ns: int | None) -> str | None:
    return None if time_ns is None else utc_text(from_ns(time_ns))
