"""A proof passport: one page that carries a proof and checks it in any browser, with no network and no outside request.

Its program is our own and small: `hashes.js`, `ed25519.js`, `encoding.js` (with the shapes of minichain's own types),
`proof.js` (the rules of `crosschain.proofs`), `page.js`. The page lets nothing else run, and asks nobody anything. It
holds the proof in the ledger's own encoding, so that a browser needs to know only one.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import inspect

from minichain.codec import MAX_VALUE_DEPTH
from minichain.crosschain import proofs
from minichain.crosschain.gate import BRIDGE, Received, Sent
from minichain.errors import ProofError
from minichain.ledger import committee, genesis, types
from minichain.views.i18n import translate

_FOLDER: Final = Path(__file__).parent
_SCRIPTS: Final = ("hashes.js", "ed25519.js", "encoding.js", "proof.js", "page.js")
_BEGINS: Final = b"<!doctype html>"
_CARRIED: Final = re.compile(rb'<script type="text/plain" id="proof">([A-Za-z0-9+/=]*)</script>')
_WORDS: Final = re.compile(r'\b_\("((?:[^"\\]|\\.)*)"')

_RULES: Final = {
    "version": proofs.VERSION,
    "members": committee.MAX_MEMBERS,
    "weight": committee.MAX_WEIGHT,
    "name": committee.MAX_NAME,
    "supply": str(genesis.MAX_SUPPLY),
    "difficulty": genesis.MAX_DIFFICULTY,
    "block": genesis.MAX_BLOCK_BYTES,
    "setting": str(genesis.MAX_SETTING),
    "clocks": genesis.CLOCKS,
    "engines": genesis.ENGINES,
    "readers": genesis.READERS,
    "mayBeZero": sorted(genesis.MAY_BE_ZERO),
    "calls": types.MAX_CALLS,
    "depth": MAX_VALUE_DEPTH,
    "bridge": BRIDGE,
}
_SHAPES: Final = {
    "proof": tuple[int, proofs.AnyProof],
    "transaction": types.SignedTransaction,
    "receipt": types.Receipt,
    "sent": Sent,
    "received": Received,
}


def page(proof: proofs.AnyProof) -> str:
    """Return the page of a proof; it must have been verified, and the page will check it again."""
    script, style = _script(), _read("page.css")
    policy = f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}"
    parts = {
        "policy": f"{policy}; base-uri 'none'; form-action 'none'",
        "style": style,
        "proof": b64encode(proofs.pack(proof)).decode(),
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _read("page.html"))


def carried(data: bytes) -> proofs.AnyProof:
    """Return the proof in a proof file or in a passport; raises `ProofError`."""
    if not data.startswith(_BEGINS):
        return proofs.read(data)
    if len(data) > 2 * proofs.MAX_FILE_BYTES:
        raise ProofError("this page is too large for a proof passport")
    found = _CARRIED.findall(data)
    if len(found) != 1 or b64encode(packed := _decoded(found[0])) != found[0]:
        raise ProofError("this page carries no proof that can be read: it is no passport, or was changed")
    return proofs.unpack(packed)


def _decoded(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _script() -> str:
    source = "\n".join(map(_read, _SCRIPTS))
    tables = {
        "RULES": _RULES,
        "SHAPES": {name: shape(inspect.type_info(type_)) for name, type_ in _SHAPES.items()},
        "CHINESE": translations(source),
    }
    told = "\n".join(f"const {name} = {_json(table)};" for name, table in tables.items())
    return f'"use strict";\n(() => {{\n{told}\n{source}}})();\n'


def translations(source: str) -> dict[str, str]:
    """Return the Chinese of each text that a script shows: the first argument of each `_(...)`."""
    texts = sorted({json.loads(f'"{text}"') for text in _WORDS.findall(source)})
    return {text: translate(text, "zh") for text in texts}


def _json(table: Any) -> str:
    return json.dumps(table, ensure_ascii=False).replace("<", "\\u003c")


def shape(info: Any) -> Any:
    """Describe a type to the script: a word, or an object that `encoding.js` goes by."""
    match info:
        case inspect.StructType():
            fields = [[field.encode_name, shape(field.type)] for field in info.fields]
            return {"tag": info.tag, "keyed": not info.array_like, "fields": fields}
        case inspect.UnionType():
            return {"either": [shape(one) for one in info.types]}
        case inspect.VarTupleType() | inspect.ListType():
            return {"list": shape(info.item_type)}
        case inspect.TupleType():
            return {"row": [shape(one) for one in info.item_types]}
        case inspect.LiteralType():
            return {"choice": list(info.values)}
    return _PLAIN[type(info)]


_PLAIN: Final[dict[type[msgspec.Struct], str]] = {
    inspect.IntType: "int",
    inspect.StrType: "str",
    inspect.BytesType: "bytes",
    inspect.BoolType: "bool",
    inspect.NoneType: "none",
    inspect.DictType: "map",
    inspect.AnyType: "any",
}
