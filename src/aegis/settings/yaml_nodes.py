"""A YAML file as nodes that know their line, read strictly.

Scalars are taken as they are written, so that `22:00` stays a time and `on` a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from aegis.model.errors import ConfigurationError

LARGEST_FILE = 1 << 20
_NULLS = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands; `path` such as `routes[2].chat`, empty at the top."""

    file: Path
    node: yaml.Node
    path: str = ""

    def wrong(self, message: str) -> ConfigurationError:
        line = self.node.start_mark.line + 1
        where = f"{self.file}, line {line}"
        return ConfigurationError(
            f"{where}: {self.path}: {message}" if self.path else f"{where}: {message}"
        )

    def fields(self, *known: str) -> dict[str, Place]:
        """The entries of a mapping; other keys than the known ones are refused."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.wrong(f"must be a mapping with the keys {', '.join(known)}")
        found: dict[str, Place] = {}
        for key, value in self.node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            here = Place(self.file, key, f"{self.path}.{name}" if self.path else name)
            if name not in known:
                raise here.wrong(f"is no key here; known are {', '.join(known)}")
            if name in found:
                raise here.wrong("is there twice")
            if not (isinstance(value, yaml.ScalarNode) and _is_null(value)):
                found[name] = Place(self.file, value, here.path)
        return found

    def items(self) -> list[Place]:
        """The entries of a list; something that is no list is the only entry of one."""
        if not isinstance(self.node, yaml.SequenceNode):
            return [self]
        return [
            Place(self.file, one, f"{self.path}[{number}]")
            for number, one in enumerate(self.node.value, start=1)
        ]

    def text(self) -> str:
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value.strip():
            raise self.wrong("must be a text")
        return str(self.node.value).strip()

    def flag(self) -> bool:
        text = self.text().lower()
        if text not in ("true", "false"):
            raise self.wrong(f"must be true or false, is {text!r}")
        return text == "true"


def _is_null(node: yaml.ScalarNode) -> bool:
    return node.style is None and node.value in _NULLS


def read_yaml(setting: str, path: Path) -> Place:
    """The top of the file; ConfigurationError names the setting or the line."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
        if len(raw) > LARGEST_FILE:
            raise ConfigurationError(f"{setting}: {path} has more than {LARGEST_FILE} bytes")
        text = raw.decode("utf-8-sig")
        if any(isinstance(one, yaml.AliasToken) for one in yaml.scan(text)):
            raise ConfigurationError(f"{setting}: {path} uses aliases (*name), which are refused")
        node = yaml.compose(text, yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{setting}: {path} cannot be read: {error}") from None
    except (yaml.YAMLError, RecursionError) as error:
        told = " ".join(str(error).split())[:200]
        raise ConfigurationError(f"{setting}: {path} is no YAML: {told}") from None
    if node is None:
        raise ConfigurationError(f"{setting}: {path} is empty")
    return Place(path, node)
