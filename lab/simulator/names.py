"""Names for the services and operations of a world.

A world draws one style, so names tell a person which world it is and the engine nothing: most
styles never say what a service does, and a datastore only sometimes looks like one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NOUNS = """
account address audit banner basket billing booking campaign card carrier catalog claim comment
contact content coupon courier currency customer delivery device discount document dispatch
event export feed fleet forecast fraud gift history identity image import index invoice item
label lead ledger listing loyalty mail media member menu message offer order parcel partner
party payout photo plan playlist policy price product profile promo quote rating receipt refund
region report review reward risk role route schedule seat segment session shelf stock store
survey tariff tax ticket token tour track user vendor voucher wallet
"""
CODENAMES = """
alder amber anvil arrow aspen badger basalt beacon birch bison borax bramble cedar cobalt condor
copper coral crane cypress delta dune ember falcon fennel flint fjord garnet ginger granite
harbor hazel heron indigo iris ivory jasper juniper kestrel lagoon lark lichen linden lotus lynx
magpie maple marble marlin meadow mica moss nectar onyx opal orchid osprey otter pebble petrel
pine plover poppy quail quartz raven reed saffron sage slate sparrow spruce teal thistle topaz
tundra umber vega walnut willow wren yarrow zephyr zinnia
"""
VERBS = ("get", "list", "find", "create", "update", "check", "reserve", "quote", "render", "sync")
WRITING = ("create", "update", "reserve")
"""Verbs of operations that change what a store holds."""
STYLES = ("kebab", "camel", "prefix", "suffix", "codename", "dotted", "snake", "arn")


@dataclass(frozen=True, slots=True)
class Naming:
    """How one world writes names. `tells_role` lets datastores be called as what they are."""

    style: str
    operation_style: str
    tells_role: bool
    environment: str

    @staticmethod
    def draw(rng: np.random.Generator) -> Naming:
        return Naming(
            style=str(rng.choice(STYLES)),
            operation_style=str(rng.choice(("rest", "verb_rest", "grpc", "method"))),
            tells_role=bool(rng.random() < 0.4),
            environment=str(rng.choice(("prod", "prd", "eu1", "blue", "live"))),
        )

    def service_words(self, rng: np.random.Generator, count: int) -> list[str]:
        """`count` different words to build service names from."""
        words = (CODENAMES if self.style == "codename" else NOUNS).split()
        return [str(word) for word in rng.permutation(np.array(words))[:count]]

    def service(self, word: str, role: str) -> str:
        """The name of a service of this world."""
        hint = {"datastore": "db", "external": "ext", "consumer": "worker", "cache": "cache"}.get(
            role, ""
        )
        stem = f"{word}-{hint}" if hint and self.tells_role else word
        match self.style:
            case "camel":
                return "".join(part.capitalize() for part in stem.split("-")) + "Service"
            case "prefix":
                return f"svc-{stem}"
            case "suffix":
                return f"{stem}-{self.environment}"
            case "dotted":
                return f"{self.environment}.{stem.replace('-', '.')}"
            case "snake":
                return stem.replace("-", "_") + "_api"
            case "arn":
                return f"{stem.capitalize()}::{self.environment}::Task"
            case "codename":
                return stem
        return f"{stem}-service"

    def operation(self, word: str, verb: str, role: str) -> str:
        """The name of an operation as its spans carry it."""
        if role == "cache":
            return f"{'MGET' if verb == 'list' else 'GET'} {word}:{verb}"
        if role == "datastore":
            statement = "UPDATE" if verb in WRITING else "SELECT"
            return f"{statement} {word}s"
        noun = word.capitalize()
        match self.operation_style:
            case "rest":
                return f"/api/v1/{word}s/{verb}"
            case "verb_rest":
                method = "POST" if verb in ("create", "update", "reserve", "apply") else "GET"
                return f"{method} /{word}s/{{id}}/{verb}"
            case "grpc":
                return f"{self.environment}.{noun}Service/{verb.capitalize()}{noun}"
        return f"{noun}Controller.{verb}{noun}"
