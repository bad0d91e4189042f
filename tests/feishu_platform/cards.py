"""Card JSON 2.0, read strictly: what the documents do not name is an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.feishu_platform.answers import bad_card

PARSE = 200621
ELEMENT_ID = 300301
TOO_MANY_TABLES = 11310
TOO_MANY_ELEMENTS = 300305
CALLBACK_VALUE = 200671

MOST_COMPONENTS = 200
MOST_TABLES = 3

TEMPLATES = {
    "blue", "wathet", "turquoise", "green", "yellow", "orange", "red", "carmine", "violet",
    "purple", "indigo", "grey", "default",
}  # fmt: skip
_RULE_OF_TABLE = re.compile(r"(?m)^[ \t]*\|?[ \t]*:?-+:?[ \t]*\|[-:| \t]*$")
_ROOT = {"schema", "config", "card_link", "header", "body"}
_CONFIG = {
    "streaming_mode", "streaming_config", "summary", "locales", "enable_forward", "update_multi",
    "width_mode", "use_custom_translation", "enable_forward_interaction", "style",
}  # fmt: skip
_HEADER = {
    "title", "subtitle", "text_tag_list", "i18n_text_tag_list", "template", "icon", "padding",
}  # fmt: skip
_LAYOUT = {
    "direction", "padding", "horizontal_spacing", "horizontal_align", "vertical_spacing",
    "vertical_align",
}  # fmt: skip
_TEXT = {
    "tag", "content", "i18n_content", "text_size", "text_align", "text_color", "lines",
}  # fmt: skip
_EVERY = {"tag", "element_id", "margin"}
ELEMENTS: dict[str, set[str]] = {
    "markdown": {"content", "i18n_content", "text_align", "text_size", "icon"},
    "div": {"text", "icon", "width"},
    "hr": set(),
    "img": {
        "img_key", "alt", "title", "corner_radius", "scale_type", "size", "transparent", "preview",
    },
    "button": {
        "type", "size", "text", "width", "icon", "hover_tips", "disabled", "disabled_tips",
        "confirm", "behaviors", "name", "required", "form_action_type",
    },
    "column_set": {
        "columns", "flex_mode", "horizontal_spacing", "horizontal_align", "background_style",
        "action",
    },
    "column": {"elements", "width", "weight", "background_style", "action", *_LAYOUT},
    "collapsible_panel": {
        "elements", "expanded", "header", "border", "background_color", *_LAYOUT,
    },
    "interactive_container": {
        "elements", "width", "height", "background_style", "has_border", "border_color",
        "corner_radius", "behaviors", "hover_tips", "disabled", "disabled_tips", "confirm",
        *_LAYOUT,
    },
    "form": {"elements", "name", "confirm", *_LAYOUT},
    "input": {
        "name", "required", "placeholder", "default_value", "disabled", "width", "max_length",
        "input_type", "label", "label_position", "value", "confirm", "behaviors", "rows",
    },
    "select_static": {
        "name", "required", "placeholder", "options", "type", "width", "initial_option",
        "initial_index", "disabled", "confirm", "behaviors",
    },
    "overflow": {"options", "width", "confirm", "behaviors", "value"},
    "table": {
        "columns", "rows", "page_size", "row_height", "row_max_height", "header_style",
        "freeze_first_column",
    },
    "chart": {"chart_spec", "aspect_ratio", "color_theme", "preview", "height"},
    "person": {"user_id", "size", "show_avatar", "show_name", "style"},
    "person_list": {"persons", "size", "show_avatar", "show_name", "lines", "drop_invalid_user_id"},
}  # fmt: skip
_REQUIRED = {
    "markdown": "content",
    "img": "img_key",
    "button": "text",
    "column_set": "columns",
    "collapsible_panel": "elements",
    "table": "columns",
    "chart": "chart_spec",
}
_PANEL_HEADER = {
    "title", "background_color", "vertical_align", "padding", "position", "width", "icon",
    "icon_position", "icon_expanded_angle",
}  # fmt: skip
_BEHAVIORS = {
    "callback": {"type", "value"},
    "open_url": {"type", "default_url", "android_url", "ios_url", "pc_url"},
    "form_action": {"type", "behavior"},
}
_COLUMN_OF_TABLE = {
    "name", "display_name", "data_type", "width", "horizontal_align", "vertical_align", "format",
    "date_format",
}  # fmt: skip


def check_card(card: object, images: set[str]) -> None:
    """Refuses what Feishu's documentation of JSON 2.0 does not allow."""
    root = _only(card, _ROOT, "card")
    if root.get("schema") != "2.0":
        raise bad_card(PARSE, "schema must be 2.0")
    config = _only(root.get("config", {}), _CONFIG, "config")
    if not config.get("update_multi", True):
        raise bad_card(PARSE, "update_multi must be true")
    if config.get("width_mode", "default") not in ("default", "compact", "fill"):
        raise bad_card(PARSE, "width_mode")
    _only(config.get("summary", {}), {"content", "i18n_content"}, "summary")
    _check_header(root.get("header"))
    body = _only(root.get("body"), {"elements", *_LAYOUT}, "body")
    elements = list(_walk(body.get("elements"), "body"))
    if len(elements) > MOST_COMPONENTS:
        raise bad_card(TOO_MANY_ELEMENTS, "element exceeds the limit")
    if sum(_tables(one) for one in elements) > MOST_TABLES:
        raise bad_card(TOO_MANY_TABLES, "card table number over limit")
    ids = [one["element_id"] for one in elements if "element_id" in one]
    if len(set(ids)) < len(ids):
        raise bad_card(ELEMENT_ID, "element_id is not unique")
    if any(not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,19}", str(one)) for one in ids):
        raise bad_card(ELEMENT_ID, "element_id: a letter, then letters, digits, _; 20 at most")
    unknown = [one["img_key"] for one in elements if one["tag"] == "img"]
    if set(unknown) - images:
        raise bad_card(PARSE, "img_key does not exist")


def text_of(card: dict[str, Any]) -> str:
    """The markdown of a card, in order: the only place where a mention reaches anybody."""
    return "\n".join(
        part
        for one in _walk(card.get("body", {}).get("elements", []), "body")
        for part in (one.get("content"), (one.get("text") or {}).get("content"))
        if isinstance(part, str) and (one["tag"] == "markdown" or _is_markdown(one))
    )


def _tables(element: dict[str, Any]) -> int:
    """Those in markdown count as well."""
    if element["tag"] == "markdown":
        return len(_RULE_OF_TABLE.findall(element["content"]))
    return int(element["tag"] == "table")


def _is_markdown(element: dict[str, Any]) -> bool:
    text = element.get("text")
    return element["tag"] == "div" and isinstance(text, dict) and text.get("tag") == "lark_md"


def _walk(elements: object, where: str) -> Iterator[dict[str, Any]]:
    if not isinstance(elements, list):
        raise bad_card(PARSE, f"{where}: elements must be a list")
    for element in elements:
        yield from _walk_one(element, where)


def _walk_one(element: object, where: str) -> Iterator[dict[str, Any]]:
    tag = element.get("tag") if isinstance(element, dict) else None
    if not isinstance(tag, str) or tag not in ELEMENTS or (tag == "column") != (where == "columns"):
        raise bad_card(PARSE, f"not support tag: {tag} in {where}")
    found = _only(element, _EVERY | ELEMENTS[tag], tag)
    if tag in _REQUIRED and _REQUIRED[tag] not in found:
        raise bad_card(PARSE, f"{tag}: {_REQUIRED[tag]} is required")
    _check_element(tag, found)
    yield found
    if tag == "column_set":
        yield from _walk(found["columns"], "columns")
    elif tag != "table" and "elements" in found:
        yield from _walk(found["elements"], tag)


def _check_header(header: object) -> None:
    if header is None:
        return
    found = _only(header, _HEADER, "header")
    if found.get("template", "default") not in TEMPLATES:
        raise bad_card(PARSE, "header: template")
    _check_text(found.get("title"), "title")
    if "subtitle" in found:
        _check_text(found["subtitle"], "subtitle")
    for one in found.get("text_tag_list", []):
        _only(one, {"tag", "text", "color", "element_id"}, "text_tag")


def _check_element(tag: str, found: dict[str, Any]) -> None:
    if tag == "markdown" and not isinstance(found["content"], str):
        raise bad_card(PARSE, "markdown: content must be a string")
    if tag in ("button", "div"):
        _check_text(found.get("text"), tag)
    if isinstance(found.get("confirm"), dict):
        _only(found["confirm"], {"title", "text"}, "confirm")
        _check_text(found["confirm"].get("title"), "confirm")
    for behavior in found.get("behaviors", []):
        kind = behavior.get("type") if isinstance(behavior, dict) else None
        if kind not in _BEHAVIORS:
            raise bad_card(PARSE, f"behaviors: type {kind}")
        _only(behavior, _BEHAVIORS[str(kind)], "behaviors")
    if tag == "collapsible_panel":
        header = _only(found.get("header"), _PANEL_HEADER, "collapsible_panel header")
        title = header.get("title")
        if not isinstance(title, dict) or title.get("tag") not in ("plain_text", "markdown"):
            raise bad_card(PARSE, "collapsible_panel: title")
    if tag == "chart" and not isinstance(found["chart_spec"], dict):
        raise bad_card(PARSE, "chart_spec must be an object")
    if tag == "table":
        names = [_only(one, _COLUMN_OF_TABLE, "column").get("name") for one in found["columns"]]
        for row in found.get("rows", []):
            _only(row, {str(name) for name in names}, "row")


def _check_text(text: object, where: str) -> None:
    found = _only(text, _TEXT, f"{where} text")
    if found.get("tag") not in ("plain_text", "lark_md"):
        raise bad_card(PARSE, f"{where}: text tag {found.get('tag')}")
    if not isinstance(found.get("content"), str):
        raise bad_card(PARSE, f"{where}: content must be a string")


def _only(given: object, allowed: set[str], where: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise bad_card(PARSE, f"{where} must be an object")
    unknown = sorted(set(given) - allowed)
    if unknown:
        raise bad_card(PARSE, f"unknown property: {where}.{', '.join(unknown)}")
    return given


def callback_values(card: dict[str, Any]) -> list[Any]:
    """What each button of a card would call back with."""
    return [
        behavior.get("value")
        for one in _walk(card.get("body", {}).get("elements", []), "body")
        for behavior in one.get("behaviors", [])
        if behavior["type"] == "callback"
    ]
