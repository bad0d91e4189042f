"""Secrets leave a text, and what only looks like one stays."""

from __future__ import annotations

import json

import pytest

from aegis.model.redaction import REDACTED, redacted

# Secrets are put together here, so that no scanner takes this file for a leak.
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
DRAWN = "9f8a7b6c" + "XyZ01234" + "QwErTy56"

SECRETS = {
    f"Authorization: Bearer {DRAWN}": DRAWN,
    f"using bearer {DRAWN} for cart": DRAWN,
    f"proxy-authorization=Basic {DRAWN}==": DRAWN,
    f"header Basic {DRAWN}=": DRAWN,
    f"session of {JWT} expired": JWT,
    "password=hunter2": "hunter2",
    "PASSWORD: hunter2, user: anna": "hunter2",
    "DB_PASSWORD=12345": "12345",
    "dbPassword = 'hun ter2'": "hun ter2",
    "passwd=s3cr,et": "s3cr",
    "pwd=hunter2;": "hunter2",
    "client_secret=abcdef&grant=x": "abcdef",
    "api_key: abcdef": "abcdef",
    "x-api-key=abcdef": "abcdef",
    "AccountKey=abc/def+ghi==;Endpoint=x": "abc/def+ghi",
    "密码：hunter2": "hunter2",
    '{"password": "hun\\"ter2", "user": "anna"}': "ter2",
    '{"body": "{\\"password\\":\\"hunter2\\"}"}': "hunter2",
    '{"accessToken":"a1b2c3d4"}': "a1b2c3d4",
    "GET /x?access_token=a1b2c3d4&page=2": "a1b2c3d4",
    "csrf_token=abcdefghijklmnopq": "abcdefghijklmnopq",
    "sig=a1b2c3d4e5": "a1b2c3d4e5",
    "Cookie: sid=a1b2c3; theme=dark": "a1b2c3",
    "Set-Cookie: sid=a1b2c3; Path=/": "a1b2c3",
    "dial postgres://shop:hunter2@db:5432/orders": "hunter2",
    "amqp://guest:p%40ss@mq/": "p%40ss",
    "redis://:hunter2@cache:6379": "hunter2",
    "git https://" + DRAWN + "@host/x.git": DRAWN,
    "key AKIA" + "IOSFODNN7EXAMPLE used": "IOSFODNN7EXAMPLE",
    "LTAI" + "5tAbCdEfGhIjKlMnOpQr": "5tAbCdEfGhIjKlMnOpQr",
    "AIza" + "SyA-1234567890abcdefghijklmnopqrstu": "SyA-1234567890",
    "ghp_" + "a1" * 18: "a1" * 18,
    "xoxb-" + "123456789012-abcdefABCDEF": "abcdefABCDEF",
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc": "4eC39HqLyjWDarjtT1zdp7dc",
    "sk-" + "proj-a1b2c3d4e5f6g7h8i9j0": "a1b2c3d4e5f6",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----": "MIIEow",
    "mail to anna.muster+shop@example.co.uk failed": "anna.muster",
    "paid with 4111 1111 1111 1111": "4111 1111",
    "paid with 4111-1111-1111-1111.": "4111-1111",
    "card=5555555555554444": "5555555555554444",
    "amex 3782 822463 10005": "822463",
    "pan 6212345678901232 declined": "6212345678901232",
}

HARMLESS = [
    "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7",
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "image shop/cart@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    "order 550e8400-e29b-41d4-a716-446655440000 took 1762049700000 ms",
    "at 1762049700123456789 ns, id 4111111111111112, size 4111111111111111.5",
    "max_tokens=4096 tokens: 512 token_count=123456",
    "unexpected token: identifier",
    "invalid token: expired",
    "password: null, secret=false, api_key=''",
    "password reset for order 7 failed: timeout",
    "at com.shop.PasswordService.check(PasswordService.java:42)",
    "reset_password:88 raised",
    'File "/app/secret.py", line 12, in check_token',
    "PWD=/srv/app",
    "no bearer authentication configured, basic functionality only",
    "GET http://shop/cart?item=7&page=2 200",
    "handler@http://shop/app.js:10:4",
    "com.shop.Cart@1b2c3d4 cart@docker getty@tty1.service left-pad@1.3.0",
    "author=anna monkey=7 keyspace: orders keys=12 partition_key: 7",
    "design: done, signal=9, cookies enabled: yes",
    "risk-based-approval-of-orders-is-slow",
    "用户密码错误，请重试",
    "",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_leaves_the_text(text: str) -> None:
    told = redacted(text)
    assert SECRETS[text] not in told
    assert REDACTED in told


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("text", [*SECRETS, *HARMLESS])
def test_doing_it_twice_changes_nothing_more(text: str) -> None:
    once = redacted(text)
    assert redacted(once) == once


def test_what_is_around_a_secret_stays() -> None:
    assert redacted("user=anna password=hunter2 took 12 ms") == (
        f"user=anna password={REDACTED} took 12 ms"
    )
    assert redacted("dial postgres://shop:hunter2@db:5432/orders") == (
        f"dial postgres://{REDACTED}@db:5432/orders"
    )


def test_json_stays_json() -> None:
    line = json.dumps({"password": 'a"b', "inner": json.dumps({"token": "a1b2c3d4"}), "n": 1})
    told = json.loads(redacted(line))
    assert told["password"] == REDACTED
    assert json.loads(told["inner"]) == {"token": REDACTED}
    assert told["n"] == 1


@pytest.mark.parametrize("piece", ["a", "password=", "\\", "a@", '"', "a.", "1 ", "://", "eyJa."])
def test_a_long_line_takes_no_long_time(piece: str) -> None:
    """100 KB of one thing: what backtracks would not come back within this run."""
    assert len(redacted(piece * (100_000 // len(piece)))) > 0
