"""The table of Feishu's codes: what each means for a message."""

from __future__ import annotations

import pytest

from aegis.adapters.feishu.codes import failure, wait_of
from aegis.model.errors import (
    ChatUnreachable,
    DeliveryError,
    DeliveryRefused,
    DeliveryUnavailable,
    MessageTooLarge,
)

TABLE: list[tuple[int, type[DeliveryError]]] = [
    (99991663, DeliveryUnavailable),
    (99991400, DeliveryUnavailable),
    (230020, DeliveryUnavailable),
    (11232, DeliveryUnavailable),
    (11233, DeliveryUnavailable),
    (230001, DeliveryRefused),
    (99992402, DeliveryRefused),
    (9499, DeliveryRefused),
    (230025, MessageTooLarge),
    (200860, MessageTooLarge),
    (230099, DeliveryRefused),
    (230002, ChatUnreachable),
    (230013, ChatUnreachable),
    (230011, ChatUnreachable),
    (231003, ChatUnreachable),
    (230031, ChatUnreachable),
    (300317, DeliveryRefused),
    (10014, DeliveryUnavailable),
    (99991672, DeliveryUnavailable),
    (230006, DeliveryUnavailable),
    (230027, DeliveryUnavailable),
]


@pytest.mark.parametrize(("code", "kind"), TABLE)
def test_each_code_is_the_error_that_says_what_to_do(code: int, kind: type[DeliveryError]) -> None:
    error = failure(code, "said so", 400, {})
    assert type(error) is kind
    assert error.code == code
    assert f"Feishu answered {code}: said so" in str(error)


def test_a_code_nobody_knows_is_given_up_lest_it_holds_up_the_chat() -> None:
    assert type(failure(4711, "?", 400, {})) is DeliveryRefused
    assert type(failure(4711, "?", 200, {})) is DeliveryRefused


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_code_nobody_knows_is_tried_again_where_the_platform_itself_failed(status: int) -> None:
    error = failure(4711, "?", status, {})
    assert isinstance(error, DeliveryUnavailable)
    assert error.may_have_arrived


def test_too_many_requests_means_that_nothing_arrived() -> None:
    error = failure(4711, "?", 429, {"x-ogw-ratelimit-reset": "2"})
    assert isinstance(error, DeliveryUnavailable)
    assert (error.retry_after_s, error.may_have_arrived) == (2.0, False)


@pytest.mark.parametrize("code", [1500, 1503, 2200])
def test_an_internal_error_of_feishu_is_tried_again(code: int) -> None:
    assert isinstance(failure(code, "internal error", 200, {}), DeliveryUnavailable)


@pytest.mark.parametrize("header", ["x-ogw-ratelimit-reset", "X-Ogw-Ratelimit-Reset"])
def test_a_rate_limit_tells_the_seconds(header: str) -> None:
    for status in (429, 400):  # older APIs answer 400
        error = failure(99991400, "limited", status, {header: "12"})
        assert isinstance(error, DeliveryUnavailable)
        assert error.retry_after_s == 12.0
        assert not error.may_have_arrived


@pytest.mark.parametrize(
    ("given", "meant"),
    [("0", 0.0), ("1.5", 1.5), ("99999", 3600.0), ("", None), ("soon", None), ("-1", None),
     ("nan", None), ("1e9", None), ("９", None)],
)  # fmt: skip
def test_a_wait_that_makes_no_sense_is_none(given: str, meant: float | None) -> None:
    assert wait_of({"x-ogw-ratelimit-reset": given}) == meant
    assert wait_of({}) is None


def bad_card(inner: int, said: str) -> str:
    return f"Failed to create card content, ext=ErrCode: {inner}; ErrMsg: {said}; ErrorValue: x; "


def test_a_bad_card_shows_its_inner_code() -> None:
    error = failure(230099, bad_card(200621, "parse card json err"), 400, {}, "create")
    assert type(error) is DeliveryRefused
    assert "ErrCode: 200621" in str(error)


def test_a_card_that_waits_for_the_answer_to_a_click_is_updated_later() -> None:
    error = failure(230099, bad_card(11310, "card is interacting"), 400, {}, "update")
    assert isinstance(error, DeliveryUnavailable)
    assert error.retry_after_s == 3.0
    assert not error.may_have_arrived
    new = failure(230099, bad_card(11310, "card is interacting"), 400, {}, "create")
    assert type(new) is DeliveryRefused


@pytest.mark.parametrize("said", ["card table number over limit", "element exceeds the limit"])
@pytest.mark.parametrize("operation", ["create", "update"])
def test_a_card_with_too_much_in_it_must_say_less(said: str, operation: str) -> None:
    for inner in (11310, 300305):
        error = failure(230099, bad_card(inner, said), 400, {}, operation)  # type: ignore[arg-type]
        assert type(error) is MessageTooLarge


def test_an_answer_that_quotes_the_message_is_cut_to_its_code() -> None:
    content = '{"text":"customer 4711 cannot pay since 10:15"}'
    quoting = bad_card(200621, "near customer 4711 cannot pay since")
    for said in (quoting, "invalid: customer 4711 cannot pay"):
        text = str(failure(230099, said, 400, {}, "create", content))
        assert "cannot pay" not in text
    assert "ErrCode: 200621" in str(failure(230099, quoting, 400, {}, "create", content))


def test_a_secret_in_an_answer_is_not_repeated() -> None:
    said = "bad Authorization: Bearer t-g1044secret, app_secret=hunter2"
    text = str(failure(230001, said, 400, {}))
    assert "secret," not in text
    assert "hunter2" not in text
    assert "t-g1044" not in text
