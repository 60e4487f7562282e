"""The command line: parsing and printing, nothing else.

Exit codes: 0 done; 1 the answer is no; 2 wrong use; 3 it could not be done, and the message says what to do.
"""

from __future__ import annotations

import json
import os
import re
import sys
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from msgspec import to_builtins
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from minichain import __version__
from minichain.crypto import KEY_SIZE, KeyPair, Passphrase, Secret, did_of
from minichain.errors import ConfigError, DecodeError, LanguageError, MinichainError, ProofError, UsageError
from minichain.ledger.profiles import PROFILES

NO, COULD_NOT = 1, 3
_LONG_MS = 100  # what took longer is told

screen = Console(emoji=False)
notes = Console(stderr=True, emoji=False)

with_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
with_home = click.option(
    "--home", type=click.Path(path_type=Path, file_okay=False), help="Directory of the network [~/.minichain]."
)

_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)
PASSPHRASE = "MINICHAIN_PASSPHRASE"
with_passphrase = click.option(
    "--passphrase-file",
    type=_EXISTING,
    help=f"The passphrase is the first line of this file [that of the variable {PASSPHRASE}, or asked for].",
)


def _passphrase(file: Path | None, what: str = "Passphrase", *, is_new: bool = False) -> Passphrase:
    """Get a passphrase, never from the command line."""
    from minichain.live import keyfile

    told: Passphrase = click.get_current_context().find_root().obj
    if file is not None:
        return keyfile.read_passphrase(file)
    if not told.reveal():
        told = Passphrase(click.prompt(what, hide_input=True, confirmation_prompt=is_new))
    return keyfile.require_passphrase(told)


def show(as_json: bool, content: Any, print_for_people: Callable[[], None]) -> None:
    """Print a result in one of its two forms."""
    if as_json:
        click.echo(json.dumps(content, ensure_ascii=False, default=_as_text))
    else:
        print_for_people()


def _plain(value: Any) -> str:
    """Write what somebody else chose so that it can neither style nor steer the terminal."""
    return escape(_plain_line(value))


def _plain_line(value: Any) -> str:
    return "".join(char if char.isprintable() else "�" for char in str(value))


def _as_text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


class _Group(click.Group):
    """Turns minichain's own errors into a message and an exit code; a bug keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (MinichainError, OSError) as error:  # a file or a disk is the user's to mend, too
            notes.print(f"[bold red]{type(error).__name__}[/]", end=": ")
            notes.print(str(error), markup=False, highlight=False, soft_wrap=True)
            ctx.exit(COULD_NOT)


@click.group(cls=_Group)
@click.version_option(__version__)
@click.pass_context
def main(context: click.Context) -> None:
    """A compact ledger for teaching and governance."""
    context.obj = Passphrase(os.environ.pop(PASSPHRASE, ""))  # no process started from here finds it in its environment


# --- the network -------------------------------------------------------------------------------------------------


@main.command()
@with_home
@click.option("--validators", type=click.IntRange(1, 100), help="How many, for a new chain [4].")
@click.option(
    "--shards",
    type=click.IntRange(1, 64),
    help="A new network of so many chains and one that coordinates them, each with so many validators.",
)
@click.option("--chain-id", help="What other chains call a new one [minichain-local].")
@click.option("--fit", is_flag=True, help="Make a new network as small as this computer needs it, and say so.")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    help="Kind of a new chain [its own: validators agree by votes, anybody writes].",
)
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the dashboards [8866, or any free one].")
@click.option("--fresh", is_flag=True, help="Delete the chain in this directory and begin a new one.")
@click.option("--empty", is_flag=True, help="Do not put the example cases on a new chain.")
@click.option("--no-dashboards", is_flag=True, help="Start the validators only.")
@click.option("--no-browser", is_flag=True, help="Do not open the dashboards in a browser.")
@click.option("--encrypt-keys", is_flag=True, help="Encrypt the keys of this directory with a passphrase from now on.")
@with_passphrase
@with_json
def up(
    home: Path | None,
    validators: int | None,
    shards: int | None,
    chain_id: str | None,
    fit: bool,
    profile: str | None,
    port: int | None,
    fresh: bool,
    empty: bool,
    no_dashboards: bool,
    no_browser: bool,
    encrypt_keys: bool,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Start a network and its dashboards, and say where they are; refuse where the computer has no room for it.

    Where the keys of its directory are encrypted, it asks for the passphrase; its dashboards then have no wallets.
    """
    from minichain.client.network import Network
    from minichain.live import supervisor
    from minichain.live.home import Home

    is_encrypted = Home(home).is_encrypted
    needed = encrypt_keys or is_encrypted or passphrase_file is not None
    passphrase = _passphrase(passphrase_file, is_new=not is_encrypted) if needed else None
    place = Home(home, passphrase)
    named = {
        "--validators": validators,
        "--shards": shards,
        "--chain-id": chain_id,
        "--profile": profile,
        "--port": port,
    }
    flags = {"--no-dashboards": no_dashboards, "--fresh": fresh, "--fit": fit}
    options = [text for name, value in named.items() if value is not None for text in (name, str(value))]
    options += [name for name, is_set in flags.items() if is_set]
    with notes.status("starting validators and dashboards"):
        running = supervisor.spawn(place, options)
    if not empty and not running.chains:
        from minichain.scenarios import examples

        with Network.attach(home, passphrase) as net, notes.status("putting the example cases on the chain") as status:
            examples.load(net, status.update)
    content = {
        "home": str(place.path),
        "dashboards": running.dashboards,
        "nodes": {node.name: node.address for node in running.nodes},
        "chains": {chain_id: str(place.part(chain_id).path) for chain_id in running.chains},
        "note": running.note,
        "pid": running.pid,
    }
    show(as_json, content, lambda: _print_up(content))
    if running.dashboards and not no_browser and not as_json:
        webbrowser.open(running.dashboards)


def _print_up(content: dict[str, Any]) -> None:
    screen.print(f"[bold green]{len(content['nodes'])} validators are running.[/]")
    if content["note"]:
        screen.print(f"[bold yellow]{content['note']}[/]", highlight=False)
    if content["dashboards"]:
        of = " (of the coordinating chain)" if content["chains"] else ""
        screen.print(f"Dashboards: [bold]{content['dashboards']}[/]{of}")
    for chain_id, path in content["chains"].items():
        screen.print(f"  {chain_id}  is a network of its own for other commands: --home {path}", highlight=False)
    for name, address in content["nodes"].items():
        screen.print(f"  {name}  {address}", highlight=False)
    screen.print("See `minichain status`; stop everything with `minichain down`.", highlight=False)


@main.command()
@with_home
@with_json
def status(home: Path | None, as_json: bool) -> None:
    """Say how the network is doing."""
    from minichain.client.network import Network
    from minichain.live.home import Home

    running = Home(home).find()
    if running is None:
        show(as_json, {"running": False}, lambda: screen.print("No network is running. Start one with `minichain up`."))
        sys.exit(NO)
    parts = [Home(home).part(chain_id).path for chain_id in running.chains] or [Home(home).path]
    nodes, members = [], {}
    for part in parts:
        with Network.attach(part) as net:
            found = _nodes_of(net)
            known = [member.name for member in net.members()] if any(node["up"] for node in found) else None
        nodes += found
        members[net.genesis.spec.chain_id] = known
    join = {place.name: f"{place.public}@{place.address.removeprefix('tcp://')}" for place in running.nodes}
    content = {
        "running": True,
        "dashboards": running.dashboards,
        "pid": running.pid,
        "nodes": nodes,
        "join": join,
        "members": members if running.chains else next(iter(members.values())),
    }
    if running.chains:
        content |= {"chains": list(running.chains), "relay": running.relay}
    told = [f"{chain}: {_names(known)}" if running.chains else _names(known) for chain, known in members.items()]
    caption = f"Members now: {'; '.join(told)}\nDashboards: {running.dashboards or 'none'}"
    show(as_json, content, lambda: _print_table(nodes, caption))


def _names(members: list[str] | None) -> str:
    return "unknown while no node answers" if members is None else ", ".join(map(_plain, members))


def _nodes_of(net: Any) -> list[dict[str, Any]]:
    """Return how the nodes of a network are."""
    return [
        {
            "chain": net.genesis.spec.chain_id,
            "name": report.name,
            "up": report.is_up,
            "height": report.height if report.is_up else None,
            "state_root": report.state_root or None,
            "waiting": report.status.waiting if report.status else None,
            "evidence": report.status.evidence if report.status else None,
            "memory_mb": round(report.memory / 1e6, 1) if report.memory else None,
        }
        for report in net.status()
    ]


def _print_table(rows: list[dict[str, Any]], caption: str = "") -> None:
    table = Table(caption=caption, caption_justify="left")
    for name in rows[0]:
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(*("-" if value is None else _plain(value) for value in row.values()))
    screen.print(table)


@main.command()
@with_home
@with_json
def down(home: Path | None, as_json: bool) -> None:
    """Stop the network and the dashboards; the chain stays on the disk."""
    from minichain.live import supervisor
    from minichain.live.home import Home

    place = Home(home)
    running = place.find()
    if running is not None:
        with suppress(MinichainError):  # what does not listen any more is ended by force
            supervisor.ask_to_stop(place, running)
        supervisor.stop(place, running)
    stopped = "Stopped. The chain is kept: `minichain up` goes on with it."
    text = "No network was running." if running is None else stopped
    show(as_json, {"stopped": running is not None}, lambda: screen.print(text, highlight=False))


@main.command()
@click.option(
    "--home",
    "homes",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="A running network; give two or more, or one of several chains [~/.minichain].",
)
@click.option("--name", default="relay", show_default=True, help="The wallet that pays for what is brought.")
@with_passphrase
def relay(homes: tuple[Path, ...], name: str, passphrase_file: Path | None) -> None:
    """Carry whatever is due between the connected chains of running networks, until Ctrl-C.

    Nobody has to trust a relayer, and several do no harm; a network of shards has one of its own.
    """
    import threading

    from minichain.client import relaying
    from minichain.live.home import Home

    chosen = homes or (None,)
    is_encrypted = any(Home(home).is_encrypted for home in chosen)
    passphrase = _passphrase(passphrase_file) if is_encrypted or passphrase_file else None
    rounds = relaying.begin(chosen, name, passphrase)
    notes.print(f"Carrying between {', '.join(map(_plain, rounds.chains))}. Stop it with Ctrl-C.", highlight=False)
    with suppress(KeyboardInterrupt):
        relaying.run(rounds, threading.Event(), lambda line: notes.print(_plain(line), highlight=False))


@main.command()
@with_home
@with_json
def doctor(home: Path | None, as_json: bool) -> None:
    """Look for what keeps a network from running, and say how to mend it."""
    from minichain.live.doctor import examine
    from minichain.live.home import Home

    findings = examine(Home(home))
    rows = [{"what": f.what, "found": f.found, "fix": f.fix or None} for f in findings]
    show(as_json, {"findings": rows}, lambda: _print_table(rows))
    sys.exit(NO if any(finding.fix for finding in findings) else 0)


@main.command()
@click.argument("config", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("--join", "where", help="Join here: KEY@HOST:PORT, see `join` in `minichain status --json`.")
@click.option("--genesis", help="The genesis hash, in hexadecimal, that the chain must have.")
@click.option("--name", default="joiner", show_default=True, help="How a joining node calls itself in its log.")
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="A joining node's own directory.")
@click.option("--snapshot", is_flag=True, help="Begin with the checked state of today instead of with the first block.")
@click.option("--encrypt-key", is_flag=True, help="Encrypt a joining node's key with a passphrase from now on.")
@with_passphrase
@with_json
def node(
    config: str | None,
    where: str | None,
    genesis: str | None,
    name: str,
    home: Path | None,
    snapshot: bool,
    encrypt_key: bool,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Run one validator from its config file, or join a running network.

    A joining node follows the chain, and is a member once the members have voted so; on a chain of work it mines, and
    needs nobody's vote. Both run until their standard input ends, a joining one also until Ctrl-C.
    """
    from minichain.live import joining, keyfile, process

    if (config is None) == (where is None):
        raise click.UsageError("give either a config file, or --join with --home")
    if config is not None:
        sys.exit(process.main(config))
    if home is None or where is None:
        raise click.UsageError("--join needs --home, a directory of its own for the new node")
    expected = None if genesis is None else _read_hash(genesis).hex()
    invitation = joining.read_invitation(where)
    is_encrypted = keyfile.is_key_file(home / "key")
    needed = encrypt_key or is_encrypted or passphrase_file is not None
    passphrase = _passphrase(passphrase_file, is_new=not is_encrypted) if needed else None
    place, chain, key = joining.settle(home, name, invitation, expected, passphrase)
    height = joining.begin_with_snapshot(place, chain, invitation, key) if snapshot else 0
    with joining.running(home, place, key) as child:
        content = {
            "did": did_of(key.public),
            "chain": chain.spec.chain_id,
            "genesis": chain.hash.hex(),
            "clients": f"tcp://{place.host}:{child.place.client_port}",
            "snapshot": height,
            "mines": chain.spec.engine == "pow",
        }
        show(as_json, content, lambda: _print_node(content))
        with suppress(KeyboardInterrupt):
            sys.stdin.read()


def _print_node(content: dict[str, Any]) -> None:
    role = "It mines as" if content["mines"] else "To be a member it needs the members' vote for:"
    screen.print(f"[bold green]Following[/] {content['chain']}. {role}")
    screen.print(f"  {content['did']}", soft_wrap=True, highlight=False)
    screen.print("Stop it with Ctrl-C.", highlight=False)


# --- keys --------------------------------------------------------------------------------------------------------


@main.group("key")
def key_group() -> None:
    """Make and keep keys in files that a passphrase encrypts."""


@key_group.command("new")
@click.argument("file", type=_NEW)
@click.option("--name", default="me", show_default=True, help="What the wallet is called; people read it.")
@with_passphrase
@with_json
def new_key(file: Path, name: str, passphrase_file: Path | None, as_json: bool) -> None:
    """Draw a key and write it to a file, which must not exist yet."""
    from minichain.live import keyfile

    if file.exists():
        raise UsageError(f"{file} exists already: choose another name, or move that file away")
    pair = KeyPair(Secret(os.urandom(KEY_SIZE)))
    keyfile.save(file, keyfile.Held(name, pair.did, pair), _passphrase(passphrase_file, is_new=True))
    _show_key(file, as_json)


@key_group.command("show")
@click.argument("file", type=_EXISTING)
@with_json
def show_key(file: Path, as_json: bool) -> None:
    """Show what is public of a key file; that needs no passphrase."""
    _show_key(file, as_json)


def _show_key(path: Path, as_json: bool) -> None:
    from minichain.live import keyfile

    found = keyfile.show(path)
    content = {"file": str(path), "name": found.name, "account": found.account, "key": found.key}
    show(as_json, content, lambda: _print_table([{"": what, " ": value} for what, value in content.items()]))


@key_group.command("change-passphrase")
@click.argument("file", type=_EXISTING)
@with_passphrase
@click.option("--new-passphrase-file", type=_EXISTING, help="The new one is the first line of this file [asked for].")
@with_json
def change_passphrase(
    file: Path, passphrase_file: Path | None, new_passphrase_file: Path | None, as_json: bool
) -> None:
    """Encrypt a key file anew, with another passphrase."""
    from minichain.live import keyfile

    held = keyfile.load(file, _passphrase(passphrase_file))
    keyfile.save(file, held, _passphrase(new_passphrase_file, "New passphrase", is_new=True), replace=True)
    _show_key(file, as_json)


# --- the main job ------------------------------------------------------------------------------------------------


@main.group("demo")
def demo() -> None:
    """Carry a real case through a network of its own."""


@demo.command()
@click.option(
    "--manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="EPA e-Manifest JSON [an example]."
)
@click.option("--world", type=click.Choice(["live", "sim"]), default="live", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Fixes every key.")
@click.option(
    "--proof",
    type=click.Path(dir_okay=False, path_type=Path, resolve_path=True),
    default="waste-proof.json",
    show_default=True,
    help="Where to write the proof.",
)
@with_json
def waste(manifest: Path | None, world: str, seed: int, proof: Path, as_json: bool) -> None:
    """Carry a waste manifest through its whole life, with a validator killed half way."""
    from minichain.scenarios import demo
    from minichain.scenarios.waste import SCENARIO

    with notes.status("starting") as progress:
        document = manifest or SCENARIO.samples["full_electronic"]
        result = demo.run(SCENARIO, document, world, seed, proof, progress.update)
    show(as_json, result, lambda: _print_story(result))


@demo.command()
@click.option("--world", type=click.Choice(["live", "sim"]), default="live", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Fixes every key.")
@click.option(
    "--proof",
    type=click.Path(dir_okay=False, path_type=Path, resolve_path=True),
    default="crossing-proof.json",
    show_default=True,
    help="Where to write the proof.",
)
@with_json
def crossing(world: str, seed: int, proof: Path, as_json: bool) -> None:
    """Let units and calls cross between two shards and a side chain, while relayer and validators are killed."""
    from minichain.scenarios.crossings import demo

    with notes.status("starting") as progress:
        result = demo.run(world, seed, proof, progress.update)
    show(as_json, result, lambda: _print_crossings(result))


def _print_crossings(result: dict[str, Any]) -> None:
    names = ("from", "to", "number", "units", "call", "outcome", "reason")
    crossed = [*result["delivered"], *result["refunded"]]
    _print_table([{name: one.get(name) or None for name in names} for one in crossed])
    for chain_id, before in result["supply_before"].items():
        screen.print(f"{chain_id}: {before} units before, {result['supply_after'][chain_id]} after", highlight=False)
    screen.print(f"Proof: {result['proof']}  (check it with `minichain verify {result['proof']}`)", soft_wrap=True)


def _print_story(result: dict[str, Any]) -> None:
    _print_table(result["steps"])
    roots = set(result["state_roots"].values())
    screen.print(f"{len(result['state_roots'])} validators agree on state root {min(roots)}", soft_wrap=True)
    screen.print(f"Proof: {result['proof']}  (check it with `minichain verify {result['proof']}`)", soft_wrap=True)


@main.command()
@click.argument("proof", type=_EXISTING)
@click.option(
    "--genesis",
    multiple=True,
    metavar="FILE|HASH",
    help="A chain it may speak of: its genesis.json, or its genesis hash in hexadecimal. Two for a crossing. [any]",
)
@click.option("--passport", type=_NEW, help="Also write a page to this file that checks the proof in any browser.")
@with_json
def verify(proof: Path, genesis: tuple[str, ...], passport: Path | None, as_json: bool) -> None:
    """Check a proof file, or a proof passport, with no network: of a transaction, a value of the state, a crossing."""
    from minichain.crosschain import proofs
    from minichain.views import passport as passports

    known = [_read_genesis(text) for text in genesis]
    try:
        held = passports.carried(proof.read_bytes())
        found = proofs.verify(held, *known)
    except ProofError as error:
        text = str(error)
        told = f"[bold red]Refused[/]: {_plain(text)}"
        show(as_json, {"valid": False, "reason": text}, lambda: screen.print(told, soft_wrap=True))
        sys.exit(NO)
    if passport is not None:
        passport.write_text(passports.page(held), encoding="utf-8", newline="\n")
    content = {"valid": True, **_content(found), "passport": str(passport) if passport else None}
    show(as_json, content, lambda: _print_verified(content))


def _content(found: Any) -> dict[str, Any]:
    """Say what a proof proves."""
    from minichain.crosschain.proofs import ProvenValue, Verified

    match found:
        case Verified():
            return {
                "kind": "transaction",
                **_standing(found),
                "sender": found.sender,
                "calls": [{"contract": call.contract, "action": call.action} for call in found.transaction.calls],
                "outcome": found.receipt.outcome,
                "events": [{"contract": e.contract, "name": e.name, "data": e.data} for e in found.receipt.events],
            }
        case ProvenValue():
            value, is_there = found.value, found.value is not None
            return {"kind": "value", **_standing(found), "key": found.key, "present": is_there, "value": value}
    return {
        "kind": "crossing",
        "number": found.number,
        "sent": _standing(found.sent),
        "decided": _standing(found.decided),
        "message": to_builtins(found.message),
        "outcome": found.answer.outcome,
        "reason": found.answer.reason,
        "result": found.answer.result,
    }


def _standing(block: Any) -> dict[str, Any]:
    return {
        "chain": block.chain_id,
        "genesis": block.genesis.hex(),
        "height": block.height,
        "time_ms": block.time_ms,
        "signers": list(block.signers),
        "confirmations": block.depth.confirmations if block.depth else None,
        "work": block.depth.work if block.depth else None,
    }


def _read_genesis(text: str) -> bytes:
    """Return the genesis hash that an option gives, or that of the chain in the file it names."""
    from minichain.codec import from_json
    from minichain.ledger.genesis import ChainSpec, Genesis

    if not Path(text).is_file():
        return _read_hash(text)
    try:
        return Genesis(from_json(Path(text).read_bytes(), ChainSpec)).hash
    except (DecodeError, ConfigError) as error:
        raise UsageError(f"--genesis {text} is not the genesis file of a chain: {error}") from None


def _read_hash(text: str) -> bytes:
    # An empty one, such as that of a script's unset variable, must not mean "any chain".
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        told = f"--genesis {text!r} is not 64 hexadecimal digits"
        raise UsageError(f"{told}: copy it from `minichain verify` of a proof you trust")
    return bytes.fromhex(text)


_PROVED = {
    "transaction": "It is proved who signed what, and that the chain made it final",
    "value": "It is proved what the chain's state held after a block",
    "crossing": "It is proved that one chain sent a message, and what the other one decided",
}


def _print_verified(content: dict[str, Any]) -> None:
    def line(text: str) -> None:
        screen.print(f"  {text}", soft_wrap=True, highlight=False)

    screen.print(f"[bold green]Valid.[/] {_PROVED[content['kind']]}:")
    match content["kind"]:
        case "transaction":
            calls = ", ".join(f"{call['contract']}.{call['action']}" for call in content["calls"])
            line(_plain(f"{calls} by {content['sender']}: {content['outcome']}"))
        case "value":
            value = f"the value {content['value'].hex()}" if content["present"] else "no value"
            line(f"key {content['key'].hex()}: {value}")
        case "crossing":
            message = content["message"]
            what = f"{message['amount']} units" if message["kind"] == "units" else f"the call {message['action']}"
            line(_plain(f"message {content['number']}: {what} from {message['sender']} to {message['to']}"))
            line(_plain(f"decided: {content['outcome']} {content['reason']}".rstrip()))
    for block in (content["sent"], content["decided"]) if content["kind"] == "crossing" else (content,):
        behind = f"signed by {_plain(', '.join(block['signers']))}"
        if block["work"]:
            behind = f"under {block['confirmations']} blocks that took about {block['work']} tries"
        line(f"block {block['height']} of {block['chain']}, {behind}")
        line(f"genesis {block['genesis']}")
    if content["passport"]:
        line(f"Passport: {_plain(content['passport'])} (it checks itself in any browser, with no network)")


# --- the workshop ------------------------------------------------------------------------------------------------


@main.command()
@click.option("--engine", default="bft", show_default=True, help="bft, raft or pow.")
@click.option("--validators", type=click.IntRange(1, 100), default=4, show_default=True)
@click.option("--seeds", metavar="A:B", help="The seeds from A up to, but not including, B. [0:1]")
@click.option("--seed", type=click.IntRange(0), help="One seed; as --seeds SEED:SEED+1.")
@click.option("--faults", default="all", show_default=True, metavar="all|NAME,...", help="Which faults may occur.")
@click.option("--jobs", type=click.IntRange(0), default=0, help="How many processes [one for each core].")
@click.option("--timeline", type=_EXISTING, help="Play this file; it says which engine, validators and seed.")
@click.option(
    "--twins", type=_EXISTING, help="Play this file's twins scenarios: leaders, partitions, members run twice."
)
@click.option("--scenario", type=click.IntRange(1), help="Only this one of the twins scenarios, counted from 1.")
@click.option("--crossing", is_flag=True, help="Search between chains: three of them, and what crosses.")
@click.option("--minimise", is_flag=True, help="Shorten the first timeline or scenario that fails.")
@click.option(
    "--write", type=_NEW, help="Write what fails first, or the only run's timeline or scenario, to this file."
)
@click.option("--trace", type=_NEW, help="Write every event of the only run to this file.")
@with_json
def sim(
    engine: str,
    validators: int,
    seeds: str | None,
    seed: int | None,
    faults: str,
    jobs: int,
    timeline: Path | None,
    twins: Path | None,
    scenario: int | None,
    crossing: bool,
    minimise: bool,
    write: Path | None,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Search for faults of the ledger: each seed draws a timeline of trouble, and every event of it is checked."""
    if crossing and minimise:
        raise UsageError("--minimise shortens the timeline of one chain: leave it out with --crossing")
    hunt = _hunt_of(engine, validators, seeds, seed, faults, timeline, twins, scenario, crossing=crossing)
    if trace is not None:
        trace.write_text("\n".join(hunt.trace()) + "\n", encoding="utf-8")
    with notes.status("running") as progress:
        reports = hunt.run(jobs, progress.update, lambda line: click.echo(line, err=True))
        if minimise:
            progress.update("shortening")
        shown = hunt.shown(reports, shorten=minimise)
    if write is not None and shown is not None:
        write.write_text(str(shown), encoding="utf-8")
    content = hunt.summary(reports, shown, write)
    show(as_json, content, lambda: _print_hunt(content))
    sys.exit(NO if content["violations"] or content["stalls"] else 0)


def _hunt_of(
    engine: str,
    validators: int,
    seeds: str | None,
    seed: int | None,
    faults: str,
    timeline: Path | None,
    twins: Path | None,
    scenario: int | None,
    *,
    crossing: bool,
) -> Any:
    """Choose what to look at; refuse options that something else already says."""
    from minichain.scenarios.crossings.hunt import CrossingHunt
    from minichain.sim.hunt import Hunt, TwinsHunt, read_seeds

    chosen = read_seeds(seeds or f"{seed or 0}:{(seed or 0) + 1}")
    if crossing and (timeline, twins, scenario, engine, validators, faults) != (None, None, None, "bft", 4, "all"):
        raise UsageError("--crossing draws the chains and what befalls them: add only --seeds or --seed")
    if crossing:
        return CrossingHunt(chosen)
    if timeline is not None and (seeds is not None or seed is not None):
        raise UsageError("--timeline is one run with its own seed: leave --seeds and --seed out")
    if timeline is not None and (engine, validators, faults) != ("bft", 4, "all"):
        raise UsageError("--timeline says itself which engine, validators and faults: leave these options out")
    if twins is not None and (timeline, seeds, engine, validators, faults) != (None, None, "bft", 4, "all"):
        raise UsageError(
            "--twins is of bft, and its file says the rest: add only --scenario or --seed, for other delays"
        )
    if twins is None and scenario is not None:
        raise UsageError("--scenario is one of a file of twins scenarios: add --twins FILE")
    if twins is not None:
        return TwinsHunt(twins, scenario, seed or 0)
    if timeline is not None:
        return Hunt.of_file(timeline)
    return Hunt(engine, validators, chosen, faults)


def _print_hunt(content: dict[str, Any]) -> None:
    """Print the timeline of a single run, the figures, and each failure with its command."""
    failures = [("violation", one) for one in content["violations"]] + [("stall", one) for one in content["stalls"]]
    figures = {**content, "violations": len(content["violations"]), "stalls": len(content["stalls"])}
    text = figures.pop("timeline")
    if text:
        click.echo(text)
    _print_table([{"figure": name, "value": value} for name, value in figures.items()])
    for what, failure in failures:
        run = f"scenario {failure['scenario']}" if "scenario" in failure else f"seed {failure['seed']}"
        screen.print(f"[bold red]{what}[/] {run}: {_plain(failure['words'])}", soft_wrap=True)
        click.echo(f"  {failure['replay']}")


@main.command()
@click.argument("file", type=_EXISTING)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Play on the network that runs there [on one of its own].",
)
@with_json
def play(file: Path, home: Path | None, as_json: bool) -> None:
    """Let the faults of a timeline happen to real processes, and say whether the chain stayed safe and live.

    It is the file that `minichain sim --timeline` plays in the simulation. Only the network's owner can do this, and no
    root is needed. At the end every fault ends. `minichain fault` lists what may happen.
    """
    from minichain.client import playing
    from minichain.client.network import Network
    from minichain.faults.timeline import parse
    from minichain.live.faults import require_playable
    from minichain.sim.hunt import read_file

    timeline = read_file(file, parse)
    net = Network.attach(home) if home else playing.network_of(timeline)
    require_playable(timeline, net.genesis.spec)  # before anything starts
    with net:
        outcome = playing.play(net, timeline, (lambda line: None) if as_json else _print_line)
    content = to_builtins(outcome)
    show(as_json, content, lambda: _print_outcome(content))
    sys.exit(0 if outcome.is_safe and outcome.is_live else NO)


def _print_line(line: Any) -> None:
    late = line.done_ms - line.begun_ms
    took = f"  ({late} ms)" if late >= _LONG_MS else ""
    screen.print(f"{line.begun_ms:8} ms  {_plain(line.words)}{took}", highlight=False, soft_wrap=True)


def _print_outcome(content: dict[str, Any]) -> None:
    heights = ", ".join(f"{name} {height}" for name, height in content["heights"].items())
    if content["is_safe"]:
        screen.print(
            f"[bold green]Safe[/]: the correct members have one chain ({heights}).", highlight=False, soft_wrap=True
        )
    for words in content["contradictions"]:
        screen.print(f"[bold red]Not safe[/]: {_plain(words)}", soft_wrap=True, highlight=False)
    of = f"of {content['submitted']} transactions"
    if content["is_live"]:
        screen.print(
            f"[bold green]Live[/]: all {of} are final, {content['calm_ms']} ms after the calm.", highlight=False
        )
    else:
        screen.print(f"[bold red]Not live[/]: {content['missing']} {of} are not final everywhere.", highlight=False)


@main.command()
@click.argument("words", nargs=-1)
@with_home
@with_json
def fault(words: tuple[str, ...], home: Path | None, as_json: bool) -> None:
    """Let one thing happen to the running network, such as `pause node-2`, `loss 10` or `calm`.

    Without words: list everything that may happen. In a shell, put "node-0 -> node-1" in quotes.
    """
    from minichain.client.network import Network
    from minichain.faults.timeline import VERBS, VOTED

    if not words:
        rows = [
            {"fault": f"{name} {verb.form}".strip(), "what happens": verb.does, "ended by": verb.ended_by or None}
            for name, verb in VERBS.items()
            if name not in ("submit", *VOTED)
        ]
        show(as_json, {"faults": rows}, lambda: _print_table(rows))
        return
    with Network.attach(home) as net:
        net.fault(" ".join(words))
    show(as_json, {"done": " ".join(words)}, lambda: screen.print("Done. `minichain fault calm` ends every fault."))


@main.command()
@click.argument(
    "what",
    type=click.Choice(
        [
            *("throughput", "latency", "idle", "start", "recovery", "simulator"),
            *("committee", "miners", "public", "tree", "contracts", "shards", "delivery", "split"),
        ]
    ),
)
@click.option(
    "--validators", type=click.IntRange(1, 100), help="How many [4; for recovery 7, for split 8]; of each shard."
)
@click.option("--transfers", type=click.IntRange(1_000), help="For throughput [20000] and split [8000].")
@click.option(
    "--rounds", type=click.IntRange(2), default=20, show_default=True, help="For recovery: kill two so often."
)
@click.option(
    "--page",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="For shards: write a page with a table and a picture into this directory.",
)
@with_json
def bench(
    what: str, validators: int | None, transfers: int | None, rounds: int, page: Path | None, as_json: bool
) -> None:
    """Measure this machine; every figure comes with its formula."""
    from minichain import bench as benches

    if page is not None and what != "shards":
        raise click.UsageError(f"--page is for shards: there is no page of {what}")
    has_validators = what not in ("tree", "miners", "public", "contracts", "delivery")
    options = {"validators": validators} if has_validators and validators is not None else {}
    if what in ("throughput", "split") and transfers is not None:
        options["transfers"] = transfers
    if what == "recovery":
        options["rounds"] = rounds
    with notes.status(f"measuring {what}"):
        content = benches.BENCHES[what](**options)
    if page is not None:
        from minichain.views import capacity_page

        capacity_page.write(content, page)
    show(as_json, content, lambda: _print_figures(content))
    sys.exit(0 if content.get("passed", True) else NO)


def _print_figures(content: dict[str, Any]) -> None:
    """Print figures with their names, and each that has rows and columns of its own as a table."""
    tables = {name: rows for name, rows in content.items() if _has_rows(rows)}
    _print_table([{"figure": name, "value": value} for name, value in content.items() if name not in tables])
    for name, rows in tables.items():
        _print_table([{name: row, **{str(key): value for key, value in cells.items()}} for row, cells in rows.items()])


def _has_rows(value: Any) -> bool:
    return isinstance(value, dict) and value != {} and all(isinstance(cells, dict) for cells in value.values())


@main.command()
@click.option(
    "--profiles", default="all", show_default=True, metavar="all|NAME,...", help="Which; database is one too."
)
@click.option("--transactions", type=click.IntRange(1, 2_000), default=200, show_default=True)
@click.option("--validators", type=click.IntRange(4, 13), default=4, show_default=True)
@click.option("--owners", type=click.IntRange(1, 13), help="Who share the validators [each has its own].")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Fixes everything.")
@click.option("--attacks", is_flag=True, help="Attack each of them, too.")
@with_json
def compare(
    profiles: str, transactions: int, validators: int, owners: int | None, seed: int, attacks: bool, as_json: bool
) -> None:
    """Do the same work on each kind of chain, and on a database, in the simulator; say what it took."""
    from minichain.scenarios import comparison

    kinds = comparison.KINDS if profiles == "all" else tuple(profiles.split(","))
    designs = [comparison.Design(kind, validators, owners, transactions, seed) for kind in kinds]
    tried = comparison.ATTACKS if attacks else ()
    content: dict[str, Any] = {"figures": [], "attempts": []}
    with notes.status("running") as progress:
        for design in designs:
            progress.update(f"running {design.kind}")
            content["figures"].append(comparison.content(comparison.measure(design)))
            content["attempts"] += [comparison.content(comparison.attempt(design, attack)) for attack in tried]
    show(as_json, content, lambda: _print_comparison(content))


def _print_comparison(content: dict[str, Any]) -> None:
    """Print one column for each ledger, and one sentence for each attack."""
    from minichain.views import ledgers

    _print_table(ledgers.rows(content["figures"]), "Times are those of the simulation.")
    for attempt in content["attempts"]:
        screen.print(ledgers.line(attempt), soft_wrap=True, highlight=False)


@main.group()
def contract() -> None:
    """Work on contracts."""


@contract.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_json
def check_contract(file: Path, as_json: bool) -> None:
    """List where a file leaves the contract language: line, code, explanation. Or tell what the contract offers."""
    from minichain.contracts import check, describe
    from minichain.contracts.explain import explain, outline

    try:
        source = file.read_text(encoding="utf-8")
    except UnicodeError:
        raise LanguageError(f"{file} is not UTF-8 text") from None
    found = [
        {"line": v.line, "code": v.code, "explanation": v.explanation, "instead": v.suggestion} for v in check(source)
    ]
    if found:
        show(as_json, {"violations": found}, lambda: _print_table(found))
        sys.exit(NO)
    abi = describe(source)
    lines = [f"{file} is in the contract language.", "", *map(_plain_line, explain(abi))]
    show(as_json, {"violations": [], "contract": outline(abi)}, lambda: click.echo("\n".join(lines)))


@contract.command("try")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--setup", default="{}", help="Arguments of its setup, as JSON; Ann, Bea and Cy stand for accounts.")
@with_json
def try_contract(file: Path, setup: str, as_json: bool) -> None:
    """Let Ann, Bea and Cy call its actions at random: how the calls end, the gas they use, and what never runs."""
    from minichain.contracts.testing import explore

    try:
        given = json.loads(setup)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise click.UsageError(f'--setup takes a JSON object such as \'{{"keeper": "Ann"}}\', not {setup[:80]}')

    def deployed(box: Any) -> Any:
        args = {key: box.account(value) if value in box.people.values() else value for key, value in given.items()}
        return box.deploy(file, sender=box.account("Ann"), **args)

    explored = explore(deployed)
    rows = explored.rows()
    unseen = [line.number for line in explored.report().lines if line.runs == 0]
    end = f"Lines that never ran: {', '.join(map(str, unseen)) or 'none'}."
    show(as_json, {"actions": rows, "never_ran": unseen}, lambda: _print_table(rows, end))
