"""What rule packs would decide, for pages and lessons. The rules themselves are the text that contracts run.

A pack is read from `packs/NAME.toml`, where a track may be written as another one with other times or shares; what is
read here is a pack in full, as it is put on a chain.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from minichain.codec import Plain
from minichain.contracts.rulebook import CHOICES, check_pack, count, out_of_reach, standing, verdict
from minichain.errors import UsageError

__all__ = ["PACKS", "Decision", "check_pack", "compare", "decide", "member", "pack", "standing", "verdict"]

Pack = dict[str, Any]
Electorate = Sequence[Sequence[Any]]  # [name, did, weight, seat, population, delegate] of each member
FOLDER: Final = Path(__file__).with_name("packs")
PACKS: Final = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
USUAL: Final = {"measure": "weight", "seat": "", "blockers": 0}  # of a clause that does not say otherwise


class Decision(Plain):
    """What a pack makes of ballots: Active, Succeeded or Defeated, why, and the clause that made the difference.

    While it is open it `can_pass` or be blocked, as `can_block` says; `clauses` tell how each one stands.
    """

    pack: str
    status: str
    why: str
    clause: str
    can_pass: bool
    can_block: bool
    clauses: tuple[Mapping[str, Any], ...]
    lack: str = ""  # why these members could never decide by this pack, or use its veto


def pack(name: str, /, **changes: Any) -> Pack:
    """Return a pack by its name; `changes` are of the pack, or, where a track has such a field, of every track."""
    if name not in PACKS:
        raise UsageError(f"there is no rule pack {name!r}; there are {', '.join(PACKS)}")
    found = read((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    for field, value in changes.items():
        places = [found] if field in found else [track for track in found["tracks"].values() if field in track]
        if not places:
            raise UsageError(
                f"a rule pack has no {field!r}; it has {', '.join((*found, *found['tracks']['ordinary']))}"
            )
        for place in places:
            place[field] = value
    check_pack(found)
    return found


def read(text: str) -> Pack:
    """Read a pack from TOML and write it out in full; raises `UsageError` if it is not TOML, `Reverted` if unsound."""
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"this is not a rule pack in TOML: {error}") from None
    tracks: dict[str, Any] = {}
    for title, track in written.get("tracks", {}).items():
        tracks[title] = _in_full(title, track, tracks)
    found = {**written, "deposit": written.get("deposit", 0), "burns": written.get("burns", []), "tracks": tracks}
    check_pack(found)
    return found


def _in_full(title: str, track: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Write out a track that is like another one, with other times, other shares, or more clauses."""
    like = track.get("like")
    if like is not None and like not in others:
        raise UsageError(f"track {title} is like {like!r}, which does not stand above it")
    base = others[like] if like else {"clauses": []}
    shares = track.get("shares", {})
    clauses = [{**clause, "share": shares.get(clause["id"], clause["share"])} for clause in base["clauses"]]
    clauses += [{**USUAL, **clause, "whole": _whole(clause)} for clause in track.get("clauses", [])]
    if unknown := sorted(shares.keys() - {clause.get("id") for clause in clauses}):
        raise UsageError(f"track {title} gives a share to {unknown[0]}, which is none of its clauses")
    own = {field: value for field, value in track.items() if field not in ("like", "shares")}
    return {**base, **own, "clauses": clauses}


def _whole(clause: Mapping[str, Any]) -> Any:
    return [] if clause.get("whole") == "eligible" else clause.get("whole")


def member(name: str, weight: int = 1, seat: str = "", population: int = 0, delegate: str = "") -> list[Any]:
    """Return a member of an electorate that is only thought of: its name is its did."""
    return [name, name, weight, seat, population, delegate]


def decide(
    rules: Pack,
    electorate: Electorate,
    ballots: Mapping[str, str],
    recused: Iterable[str] = (),
    *,
    track: str = "ordinary",
    is_over: bool = True,
) -> Decision:
    """Tell what a pack makes of ballots {did: choice}, when the vote is over or while it is open.

    A choice that the pack does not have counts as the nearest one: a veto as no, an abstention as no vote.
    """
    heard = {did: _nearest(choice, rules["choices"]) for did, choice in ballots.items()}
    voters, absent = [list(row) for row in electorate], list(recused)
    tally, by = count(rules, voters, heard, absent), rules["tracks"][track]
    told = {**verdict(rules, by, tally, is_over), **standing(rules, by, tally)}
    return Decision(pack=rules["name"], lack=out_of_reach(rules, voters), **{**told, "clauses": tuple(told["clauses"])})


def _nearest(choice: str, choices: Sequence[str]) -> str:
    if choice not in CHOICES:
        raise UsageError(f"a ballot says {', '.join(CHOICES)}, not {choice!r}")
    return choice if choice in choices else {"veto": "no"}.get(choice, "")


def compare(
    electorate: Electorate, ballots: Mapping[str, str], names: Iterable[str] = PACKS, recused: Iterable[str] = ()
) -> tuple[Decision, ...]:
    """Put the same ballots under several packs, side by side."""
    absent = tuple(recused)
    return tuple(decide(pack(name), electorate, ballots, absent) for name in names)
