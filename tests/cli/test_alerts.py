"""`aegis alerts` and `aegis db`: the ledger without a server."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from aegis.adapters.store.database import Database, open_database
from aegis.adapters.store.migrating import upgrade
from aegis.adapters.store.tables import message, outbox
from tests.cli.commands import Aegis
from tests.store.alerts import NOW, arrival, keep
from tests.webhook.bodies import alert, resolved


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aegis: Aegis) -> Path:
    """Where the data folder's database is."""
    monkeypatch.setenv("AEGIS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("AEGIS_DB_URL", raising=False)
    monkeypatch.setenv("AEGIS_LANGUAGE", "en")
    return tmp_path / "data" / "aegis.db"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    found = open_database(f"sqlite:///{file}")
    upgrade(found)
    yield found
    found.dispose()


@pytest.fixture
def kept(database: Database) -> Database:
    hostile = alert("Hostile", labels={"x": "[bold]\x1b[31m\u202e", "severity": "info"})
    keep(database, arrival(alert("DiskFull"), 17, hostile), arrival(resolved("DiskFull")))
    return database


@pytest.mark.usefixtures("kept")
def test_every_alert_is_listed_with_its_state_and_chat(aegis: Aegis) -> None:
    ran = aegis("alerts", "list")
    assert ran.code == 0
    assert "[critical] DiskFull #1" in " ".join(ran.out.split())
    for word in ("resolved", "open", "oc_ops waiting"):
        assert word in " ".join(ran.out.split())


@pytest.mark.usefixtures("kept")
def test_what_others_wrote_cannot_colour_or_hide(aegis: Aegis) -> None:
    ran = aegis("alerts", "list")
    assert "[bold]" in ran.out
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out


@pytest.mark.usefixtures("kept")
def test_the_list_can_be_narrowed_and_paged(aegis: Aegis) -> None:
    found = aegis("alerts", "list", "--json").json()
    assert {one["alertname"] for one in found["alerts"]} == {"DiskFull", "Hostile"}
    assert found["next"] is None
    one = aegis("alerts", "list", "--state", "open", "--severity", "info", "--json").json()
    assert [each["alertname"] for each in one["alerts"]] == ["Hostile"]
    first = aegis("alerts", "list", "--limit", "1", "--json").json()
    rest = aegis("alerts", "list", "--limit", "1", "--after", first["next"], "--json").json()
    names = {each["alertname"] for each in (*first["alerts"], *rest["alerts"])}
    assert names == {"DiskFull", "Hostile"}
    assert f"--after {first['next']}" in aegis("alerts", "list", "--limit", "1").out
    nothing = aegis("alerts", "list", "--group", "other", "--name", "x", "--chat", "oc_x")
    assert nothing.out.strip() == "No alerts."


@pytest.mark.usefixtures("kept")
def test_the_quarantine_says_why(aegis: Aegis) -> None:
    assert "is no JSON object" in aegis("alerts", "quarantine").out
    (found,) = aegis("alerts", "quarantine", "--json").json()["quarantined"]
    assert (found["position"], found["raw"]) == (1, "17")


@pytest.mark.usefixtures("kept")
def test_what_was_not_delivered_says_how_it_stands(aegis: Aegis) -> None:
    found = aegis("alerts", "undelivered", "--json").json()["undelivered"]
    assert [one["delivery"]["state"] for one in found] == ["waiting"] * 3
    assert "DiskFull #1 (closed)" in " ".join(aegis("alerts", "undelivered").out.split())


def test_what_may_be_there_twice_and_what_answers_wait_is_shown(
    aegis: Aegis, database: Database
) -> None:
    keep(database, arrival(alert("DiskFull")))
    fields = {"operation": "create", "kind": "text", "content": "{}", "created_at": NOW}
    with database.writing() as connection:
        for name, state in (("a", "sent"), ("b", "ready")):
            row = {"id": name, "uuid": name, "state": state, "chat_id": "oc_ops", "doubtful": True}
            connection.execute(insert(message).values(**fields, **row))
        covered = {"state": "covered", "message_id": "a"}
        connection.execute(update(outbox).values(**covered))
    assert "oc_ops sent (maybe twice)" in " ".join(aegis("alerts", "list").out.split())
    (found,) = aegis("alerts", "list", "--json").json()["alerts"]
    assert found["deliveries"][0]["doubtful"] is True
    assert "(the answer to a question)" in aegis("alerts", "undelivered").out
    (answer,) = aegis("alerts", "undelivered", "--json").json()["answers"]
    assert (answer["chat_id"], answer["state"]) == ("oc_ops", "ready")


@pytest.mark.usefixtures("database")
def test_where_there_is_nothing_it_says_so(aegis: Aegis) -> None:
    assert aegis("alerts", "list", "--lang", "zh").out.strip() == "没有告警。"
    assert "could be read" in aegis("alerts", "quarantine").out
    assert "was told" in aegis("alerts", "undelivered").out


@pytest.mark.parametrize("command", [("alerts", "list"), ("db", "status"), ("db", "backup", "x")])
def test_looking_makes_no_database(aegis: Aegis, file: Path, command: tuple[str, ...]) -> None:
    ran = aegis(*command)
    assert ran.code == 3
    assert f"there is no database at {file} yet" in ran.err
    assert not file.exists()


@pytest.mark.usefixtures("database")
def test_a_place_that_no_page_gave_is_one_line(aegis: Aegis) -> None:
    ran = aegis("alerts", "list", "--after", "nonsense")
    assert (ran.code, ran.err.count("\n")) == (3, 1)


def test_upgrade_makes_the_database_and_status_tells_of_it(aegis: Aegis, file: Path) -> None:
    assert "upgraded from shape none to" in aegis("db", "upgrade").out
    assert "up to date" in aegis("db", "upgrade").out
    told = aegis("db", "status", "--json").json()
    assert told["is_current"]
    assert told["shape"] == told["newest"]
    assert told["bytes"] == file.stat().st_size
    assert aegis("db", "upgrade", "--json").json()["before"] == told["newest"]


def test_an_old_database_is_told_and_not_read(aegis: Aegis, file: Path) -> None:
    aegis("db", "upgrade")
    connection = sqlite3.connect(file)
    connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.commit()
    connection.close()
    ran = aegis("db", "status")
    assert ran.code == 3
    assert "run aegis db upgrade" in ran.out
    assert aegis("alerts", "list").code == 2
    assert not json.loads(aegis("db", "status", "--json").out)["is_current"]


def test_a_database_of_a_newer_aegis_is_not_to_be_upgraded(aegis: Aegis, file: Path) -> None:
    aegis("db", "upgrade")
    connection = sqlite3.connect(file)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    ran = aegis("db", "status")
    assert ran.code == 3
    assert "shape 9999 of a newer Aegis" in ran.out
    listed = aegis("alerts", "list")
    assert (listed.code, listed.err.count("\n")) == (2, 1)
    assert "a newer Aegis wrote it" in listed.err
    assert "upgrade" not in ran.out + listed.err


@pytest.mark.usefixtures("kept")
def test_a_backup_is_a_database_of_its_own(aegis: Aegis, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert aegis("db", "backup", copy, "--json").json() == {
        "file": str(copy),
        "bytes": copy.stat().st_size,
    }
    assert aegis("db", "backup", copy).code == 3
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT count(*) FROM episode").fetchone() == (2,)
    connection.close()
    assert "copied to" in aegis("db", "backup", tmp_path / "another.db").out


def test_a_file_that_is_no_database_is_one_line(aegis: Aegis, file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"something else" * 999)
    ran = aegis("alerts", "list")
    assert ran.code == 4
    assert ran.err.startswith("error: AEGIS_DB_URL: the database:")
    assert ran.err.count("\n") == 1


def test_a_wrong_address_names_the_setting(aegis: Aegis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AEGIS_DB_URL", "mysql://root:hunter2@db/x")
    ran = aegis("db", "status")
    assert ran.code == 2
    assert "AEGIS_DB_URL" in ran.err
    assert "hunter2" not in ran.err
