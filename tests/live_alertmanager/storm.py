"""A storm of alerts, kill -9 in the midst of it, and the judgement afterwards.

`python -m tests.live_alertmanager.storm` runs it at full size.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from aegis.model.alert import fingerprint
from lab.webhook.chat import most_a_second
from tests.live_alertmanager.processes import (
    CHAT,
    Server,
    aegis,
    alertmanagers,
    ask,
    feishu,
    running,
    until,
)
from tests.store.postgresql import cluster

MOST_A_SECOND = 4
SETTLED_WITHIN_S = 240.0
GROUPS_A_WAVE = 4
WAVE_EVERY_S = 1.5
LONGEST_LIFE_S = 10.0

Transition = tuple[str, int, str]
"""Fingerprint, number of the episode, opened or closed."""


@dataclass(frozen=True)
class Storm:
    """How hard it blows. `outage_s` is how long Feishu is down in the midst of it."""

    alerts: int
    kills: int
    seed: int
    peers: int = 1
    replicas: int = 1
    outage_s: float = 20.0

    @property
    def groups(self) -> int:
        return max(8, self.alerts // 30)

    def waves(self) -> list[list[int]]:
        """So few groups at once that each gets a card of its own, as far as Feishu keeps up."""
        return [
            [one for one in range(self.alerts) if one % self.groups // GROUPS_A_WAVE == wave]
            for wave in range(-(-self.groups // GROUPS_A_WAVE))
        ]

    def labels(self, number: int) -> dict[str, str]:
        return {
            "alertname": "HighLatency" if number % 3 else "HighErrorRate",
            "severity": ("critical", "warning", "info")[number % 3],
            "group": f"shop-{number % self.groups}",
            "instance": f"10.0.{number // 250}.{number % 250}:9100",
        }


@dataclass(frozen=True)
class Verdict:
    """What was found. Empty lists everywhere are a pass."""

    transitions: int
    sent: int
    updates: int
    killed_at: tuple[float, ...]
    most_in_a_second: int
    lost: list[Transition]
    twice: list[Transition]
    unknown_on_platform: list[str]
    not_on_platform: list[str]
    stale_cards: list[str]
    refused: list[str]

    @property
    def passed(self) -> bool:
        bad = (self.lost, self.twice, self.unknown_on_platform, self.not_on_platform)
        return not any((*bad, self.stale_cards, self.refused)) and (
            self.most_in_a_second <= MOST_A_SECOND
        )


def run(storm: Storm, folder: Path, db_url: str) -> Verdict:
    """Two thirds of the alerts end and a third of these come back, kills and all."""
    dice = random.Random(storm.seed)  # noqa: S311 the same seed, the same storm
    with ExitStack() as stack:
        platform = stack.enter_context(feishu(folder))
        settings = {"AEGIS_DB_URL": db_url, "HOME": str(folder)} | dict(platform.environment)
        replicas = [aegis(folder, settings, f"aegis-{n}") for n in range(storm.replicas)]
        for one in replicas:
            stack.enter_context(running(one))
        targets = [one.url for one in replicas]
        peers = stack.enter_context(alertmanagers(folder, storm.peers, targets))
        ledger = Ledger(db_url)
        stack.callback(ledger.close)
        with killing(replicas, platform, storm, dice) as killer:
            expected = blow(storm, peers, platform, ledger)
            until(lambda: len(killer.times) >= storm.kills, 240, "the kills")
        for one in replicas:
            one.wait_until_ready()
        until(lambda: ledger.settled(expected), SETTLED_WITHIN_S, f"the ledger: {ledger.rest()}")
        return judge(ledger, platform, expected, tuple(killer.times))


def blow(
    storm: Storm, peers: Sequence[Server], platform: Server, ledger: Ledger
) -> set[Transition]:
    """Each state is waited for: Alertmanager never tells of what ended before it was told."""
    everyone = range(storm.alerts)
    ended = [number for number in everyone if number % 3]
    again = [number for number in ended if number % 9 == 1]
    waves = storm.waves()
    third = -(-len(waves) // 3)
    fire(peers, storm, waves[:third])
    until(lambda: taken(platform) > 0, SETTLED_WITHIN_S, "the first card")
    ask(f"{platform.url}/_platform/faults", {"kind": "reset", "times": None})
    began = time.monotonic()
    fire(peers, storm, waves[third : 2 * third])
    time.sleep(max(0.0, storm.outage_s - (time.monotonic() - began)))
    ask(f"{platform.url}/_platform/heal", {})
    fire(peers, storm, waves[2 * third :])
    expected = {(name_of(storm, number), 1, "opened") for number in everyone}
    ledger.wait_for(expected)
    post(peers, storm, ended, over=True)
    expected |= {(name_of(storm, number), 1, "closed") for number in ended}
    ledger.wait_for(expected)
    post(peers, storm, again)
    expected |= {(name_of(storm, number), 2, "opened") for number in again}
    ledger.wait_for(expected)
    return expected


def fire(peers: Sequence[Server], storm: Storm, waves: Sequence[Sequence[int]]) -> None:
    for wave in waves:
        post(peers, storm, wave)
        time.sleep(WAVE_EVERY_S)


def name_of(storm: Storm, number: int) -> str:
    return fingerprint(tuple(sorted(storm.labels(number).items())))


def post(peers: Sequence[Server], storm: Storm, numbers: Sequence[int], over: bool = False) -> None:
    """As Prometheus does: to every peer. It tells of what goes on until it is over."""
    now = datetime.now(UTC)  # noqa: TID251 Alertmanager has the clock of the machine
    ends = now if over else now + timedelta(hours=2)
    alerts = [
        {
            "labels": storm.labels(number),
            "annotations": {"summary": f"number {number} burns"},
            "endsAt": ends.isoformat(),
        }
        | ({} if over else {"startsAt": now.isoformat()})
        for number in numbers
    ]
    for one in peers:
        for place in range(0, len(alerts), 500):
            ask(f"{one.url}/api/v2/alerts", alerts[place : place + 500], 30)


class Killer:
    def __init__(self) -> None:
        self.times: list[float] = []


@contextmanager
def killing(
    replicas: Sequence[Server], platform: Server, storm: Storm, dice: random.Random
) -> Iterator[Killer]:
    """Kill -9 at random moments, and start again at once, until it was done `kills` times.

    Every other one comes just after Feishu took something, for there it hurts most.
    """
    killer, stop, began = Killer(), threading.Event(), time.monotonic()

    def wait_for_the_moment() -> None:
        stop.wait(dice.uniform(0.5, 8.0))
        if len(killer.times) % 2:
            before, give_up = taken(platform), time.monotonic() + LONGEST_LIFE_S
            while taken(platform) == before and time.monotonic() < give_up and not stop.is_set():
                time.sleep(0.02)
            stop.wait(dice.uniform(0.0, 0.4))

    def kill_and_start() -> None:
        while len(killer.times) < storm.kills and not stop.is_set():
            for other in replicas:
                other.wait_until_ready()
            one = dice.choice(replicas)
            wait_for_the_moment()
            one.kill()
            killer.times.append(round(time.monotonic() - began, 2))
            one.start()

    thread = threading.Thread(target=kill_and_start, daemon=True)
    thread.start()
    try:
        yield killer
    finally:
        stop.set()
        thread.join(60)


def taken(platform: Server) -> int:
    """How many messages are in the chat, edits counted."""
    held = ask(f"{platform.url}/_platform/messages")["data"]["items"]
    return sum(len(one["versions"]) for one in held)


class Ledger:
    """Aegis's tables, read as any other program would."""

    def __init__(self, db_url: str) -> None:
        self._engine = sa.create_engine(db_url.replace("postgresql:", "postgresql+psycopg:"))

    def close(self) -> None:
        self._engine.dispose()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._engine.connect() as connection:
            return [tuple(one) for one in connection.execute(sa.text(query))]

    def kept(self) -> list[Transition]:
        found = self.rows(
            f"SELECT fingerprint, episode, transition FROM outbox_item "  # noqa: S608
            f"WHERE chat_id = '{CHAT}'"
        )
        return [(str(one[0]), int(str(one[1])), str(one[2])) for one in found]

    def wait_for(self, expected: set[Transition]) -> None:
        until(
            lambda: expected <= set(self.kept()),
            SETTLED_WITHIN_S,
            f"{len(expected)} transitions in the store, {len(self.kept())} are",
        )

    def rest(self) -> dict[str, int]:
        waiting = self.rows("SELECT count(*) FROM outbox WHERE state = 'waiting'")
        ready = self.rows("SELECT count(*) FROM message WHERE state = 'ready'")
        return {"waiting": int(str(waiting[0][0])), "ready": int(str(ready[0][0]))}

    def settled(self, expected: set[Transition]) -> bool:
        return expected <= set(self.kept()) and not any(self.rest().values())


def judge(
    ledger: Ledger, platform: Server, expected: set[Transition], killed_at: tuple[float, ...]
) -> Verdict:
    held = ask(f"{platform.url}/_platform/messages")["data"]["items"]
    requests = ask(f"{platform.url}/_platform/requests")["data"]["items"]
    covered = ledger.rows(
        "SELECT i.fingerprint, i.episode, i.transition, m.platform_id FROM outbox_item i "
        "JOIN outbox o ON o.id = i.outbox_id JOIN message m ON m.id = o.message_id "
        "WHERE o.state = 'covered' AND m.state = 'sent'"
    )
    by_transition: dict[Transition, list[str]] = defaultdict(list)
    for one in covered:
        by_transition[str(one[0]), int(str(one[1])), str(one[2])].append(str(one[3]))
    sent = ledger.rows(
        "SELECT id, operation, uuid, platform_id, content, card_id FROM message "
        "WHERE state = 'sent' ORDER BY id"
    )
    created = [one for one in sent if one[1] != "update"]
    known = {str(one[2]) for one in created}
    uuids = Counter(one["uuid"] for one in held)
    shown = {one["message_id"]: one["versions"][-1] for one in held}
    newest = {str(one[3]): str(one[4]) for one in sent if one[1] != "reply"}
    accepted = [
        one["at"] for one in requests if one["code"] == 0 and "/im/v1/messages" in one["path"]
    ]
    return Verdict(
        transitions=len(expected),
        sent=len(created),
        updates=len(sent) - len(created),
        killed_at=killed_at,
        most_in_a_second=most_a_second(accepted),
        lost=sorted(key for key in expected if not any(one in shown for one in by_transition[key])),
        twice=sorted(key for key, places in by_transition.items() if len(places) > 1),
        unknown_on_platform=[uuid for uuid in uuids if uuid not in known],
        not_on_platform=[uuid for uuid in known if uuids[uuid] != 1],
        stale_cards=[
            name for name, content in newest.items() if shown.get(name) != json.loads(content)
        ],
        refused=[
            str(one[0]) for one in ledger.rows("SELECT id FROM message WHERE state = 'refused'")
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=6)
    given = parser.parse_args()
    failed = False
    for peers, replicas in ((1, 1), (2, 1), (2, 2)):
        storm = Storm(given.alerts, given.kills, given.seed + peers + replicas, peers, replicas, 30)
        began = time.monotonic()
        with TemporaryDirectory() as folder, ExitStack() as stack:
            url = f"sqlite:///{folder}/aegis.db"
            if replicas > 1:
                url = stack.enter_context(cluster())
            verdict = run(storm, Path(folder), url)
        failed = failed or not verdict.passed
        sys.stdout.write(
            f"{storm}\n{verdict}\nafter {time.monotonic() - began:.0f} s: "
            f"{'passed' if verdict.passed else 'FAILED'}\n\n"
        )
        sys.stdout.flush()
    sys.exit(failed)


if __name__ == "__main__":
    main()
