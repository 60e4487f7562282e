"""Networks of this computer: started, looked at, connected, stopped; and one node, by itself or joining."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from minichain.cli.proofs import read_hash
from minichain.cli.terminal import (
    DIRECTORY,
    NO,
    notes,
    passphrase_if,
    plain,
    print_table,
    screen,
    show,
    with_home,
    with_json,
    with_passphrase,
)
from minichain.crypto import did_of
from minichain.errors import MinichainError
from minichain.ledger.profiles import PROFILES


@click.command()
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
@click.option(
    "--scheduler", metavar="ADDRESS", help="Run the validators on the machines of this Dask cluster: tcp://HOST:PORT."
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
    empty: bool,
    no_browser: bool,
    encrypt_keys: bool,
    passphrase_file: Path | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Start a network and its dashboards, and say where they are; refuse where the computer has no room for it.

    Where the keys of its directory are encrypted, it asks for the passphrase; its dashboards then have no wallets.
    """  # what is `chosen` is for the supervisor, which has options of these names
    from minichain.client.network import Network
    from minichain.live import supervisor
    from minichain.live.home import Home

    is_other_kind = encrypt_keys or any(chosen[name] for name in ("shards", "profile", "fit"))
    if chosen["scheduler"] is not None and is_other_kind:
        raise click.UsageError(
            "--scheduler is for one chain that anybody writes: leave the options of another kind out"
        )
    passphrase = passphrase_if(Home(home).is_encrypted, passphrase_file, encrypt=encrypt_keys)
    place = Home(home, passphrase)
    with notes.status("starting validators and dashboards"):
        running = supervisor.spawn(place, **chosen)
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
        import webbrowser

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


@click.command()
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
    show(as_json, content, lambda: print_table(nodes, caption))


def _names(members: list[str] | None) -> str:
    return "unknown while no node answers" if members is None else ", ".join(map(plain, members))


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


@click.command()
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


@click.command()
@click.option(
    "--home",
    "homes",
    multiple=True,
    type=DIRECTORY,
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
    passphrase = passphrase_if(any(Home(home).is_encrypted for home in chosen), passphrase_file)
    rounds = relaying.begin(chosen, name, passphrase)
    notes.print(f"Carrying between {', '.join(map(plain, rounds.chains))}. Stop it with Ctrl-C.", highlight=False)
    with suppress(KeyboardInterrupt):
        relaying.run(rounds, threading.Event(), lambda line: notes.print(plain(line), highlight=False))


@click.command()
@with_home
@with_json
def doctor(home: Path | None, as_json: bool) -> None:
    """Look for what keeps a network from running, and say how to mend it."""
    from minichain.live.doctor import arrival_code, examine
    from minichain.live.home import Home

    findings = examine(Home(home))
    rows = [{"what": f.what, "found": f.found, "fix": f.fix or None} for f in findings]
    code = arrival_code(findings)
    show(as_json, {"findings": rows, "arrival": code}, lambda: print_table(rows, f"Arrival code: {code}"))
    sys.exit(NO if any(finding.fix for finding in findings) else 0)


@click.command()
@click.argument("config", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("--join", "where", help="Join here: KEY@HOST:PORT, see `join` in `minichain status --json`.")
@click.option("--genesis", help="The genesis hash, in hexadecimal, that the chain must have.")
@click.option("--name", default="joiner", show_default=True, help="How a joining node calls itself in its log.")
@click.option("--home", type=DIRECTORY, help="A joining node's own directory.")
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
    expected = None if genesis is None else read_hash(genesis).hex()
    invitation = joining.read_invitation(where)
    passphrase = passphrase_if(keyfile.is_key_file(home / "key"), passphrase_file, encrypt=encrypt_key)
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
