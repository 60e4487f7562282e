"""A class on one network: the trainer starts it and lets learners in; learners join, and hand in what they answered."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from minichain.catalogue import LOCALES
from minichain.cli.terminal import (
    EXISTING,
    FOLDER,
    NEW,
    NO,
    notes,
    passphrase_if,
    plain,
    plain_line,
    print_table,
    screen,
    show,
    with_home,
    with_json,
    with_passphrase,
)
from minichain.errors import NetworkError, TimedOut

if TYPE_CHECKING:
    from minichain.course.classroom.folder import Folder
    from minichain.course.classroom.member import Member
    from minichain.course.classroom.room import ClassRoom
    from minichain.live.home import Home, Running

START_S = 30.0
LOOPBACK = "127.0.0.1"
SUFFIX = ".handin"
TROUBLE = ("crash", "delay", "partition", "liar", "theft", "oracle")  # `trouble.KINDS`, which takes time to import

with_course = click.option(
    "--home", type=click.Path(path_type=Path, file_okay=False), help="Your folder of the course [~/.minichain/course]."
)


@click.group("class")
def class_() -> None:
    """Teach a class on one network, or learn in it."""


# --- the trainer -------------------------------------------------------------------------------------------------


@class_.command()
@with_home
@click.option("--lan", is_flag=True, help="Let other computers of the local network join, not this one only.")
@click.option("--address", help="With --lan: this computer's address there [found out].")
@click.option("--list", "listed", type=EXISTING, help="A file of names, one a line, that need no approval.")
@click.option(
    "--bundle",
    type=FOLDER,
    help="The lessons of the class: answers made with another release are refused.",
)
@click.option("--validators", type=click.IntRange(1, 100), help="How many, for a new chain [4].")
@click.option("--language", type=click.Choice(list(LOCALES)), help="Of what the desk says [en].")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the desk [8877, or any free one].")
@click.option("--no-dashboards", is_flag=True, help="Start validators and desk only.")
@with_passphrase
@with_json
def start(
    home: Path | None,
    lan: bool,
    address: str | None,
    listed: Path | None,
    bundle: Path | None,
    validators: int | None,
    language: str | None,
    port: int | None,
    no_dashboards: bool,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Start a network with its dashboards and the desk of a class, and say how to join; or go on with them.

    Stop it with `minichain down`. Who joined, and what they answered, stays.
    """
    from minichain.course.brought import read_brought
    from minichain.course.classroom import folder as classes
    from minichain.course.classroom.room import ClassRoom
    from minichain.live.home import Home

    if address and not lan:
        raise click.UsageError("--address is for a class on the local network: add --lan")
    names = [] if listed is None else list(filter(None, map(str.strip, read_brought(listed).splitlines())))
    place, folder = Home(home, passphrase_if(Home(home).is_encrypted, passphrase_file)), classes.Folder(home)
    running = place.find()
    if running:
        _require_desk(folder)
    else:
        settings = classes.chosen(folder, lan=lan, address=address, bundle=bundle, language=language, port=port)
        ClassRoom(home)  # what is damaged is told before anything starts
        running = _spawn(place, folder, settings.host, validators, no_dashboards)
    room = ClassRoom(home)
    if names:
        room.list_names(*names)
    _show_start(room, running.dashboards, as_json)


def _spawn(place: Home, folder: Folder, host: str, validators: int | None, no_dashboards: bool) -> Running:
    """Start the network with the desk of a class; returns when both are reached."""
    from minichain.live import chains, supervisor

    profile = None if chains.is_there(place) else "open_alliance"
    with notes.status("starting validators, dashboards and the desk"):
        running = supervisor.spawn(
            place, class_desk=True, host=host, profile=profile, validators=validators, no_dashboards=no_dashboards
        )
        _wait_for_desk(folder)
    return running


def _require_desk(folder: Folder) -> None:
    if folder.running() is None:
        raise NetworkError(
            f"a network runs in {folder.home.path} without the desk of a class: stop it with `minichain down`, "
            "then start the class"
        )


def _show_start(room: ClassRoom, dashboards: str | None, as_json: bool) -> None:
    content = {
        "class": room.settings.id,
        "link": room.link,
        "token": room.settings.token,
        "dashboards": dashboards,
        "console": room.console(dashboards) if dashboards else None,
        "home": str(room.folder.home.path),
        "lan": room.settings.host != LOOPBACK,
    }
    show(as_json, content, lambda: _print_start(content))


def _wait_for_desk(folder: Folder) -> None:
    deadline = time.monotonic() + START_S
    while folder.running() is None:
        if time.monotonic() > deadline:
            raise TimedOut(f"the desk did not start within {START_S:.0f} s: see {folder.home.path / 'desk.log'}")
        time.sleep(0.1)


def _print_start(content: dict[str, Any]) -> None:
    screen.print(f"[bold green]Class {content['class']} is open.[/]")
    _print_link(content["link"])
    screen.print(f"Token:      [bold]{content['token']}[/]", highlight=False)
    screen.print(f"Dashboards: {content['dashboards'] or 'none'}", highlight=False)
    if content["console"]:
        screen.print(f"Console:    [bold]{plain(content['console'])}[/]", highlight=False, soft_wrap=True)
        screen.print("            for you only: whoever has this link is the trainer", highlight=False)
    where = "the local network" if content["lan"] else "this computer only; add --lan for others"
    screen.print(f"Open to {where}. Let learners in: minichain class approve NAME, or --all-listed.", highlight=False)


def _print_link(link: str) -> None:
    import segno

    segno.make(link, error="m").terminal(compact=True)
    screen.print(f"Link:       [bold]{plain(link)}[/]", highlight=False, soft_wrap=True)


@class_.command()
@with_home
@with_json
def status(home: Path | None, as_json: bool) -> None:
    """Say who is in the class, who waits, how far they are, and what many believe just now."""
    from minichain.course.classroom.room import ClassRoom

    content = ClassRoom(home).status()
    show(as_json, content, lambda: _print_status(content))


def _print_status(content: dict[str, Any]) -> None:
    rows = [
        {
            "number": one["number"] or None,
            "name": one["name"],
            "state": one["state"],
            "as": one["role"],
            **{state: sum(was == state for was in one["exercises"].values()) for state in ("done", "trying", "stuck")},
        }
        for one in content["learners"]
    ]
    held = "; ".join(f"{one['id']} {one['belief']} ({len(one['learners'])})" for one in content["misconceptions"])
    caption = f"Waiting: {', '.join(content['waiting']) or 'nobody'}\nBelieved just now: {held or 'nothing wrong'}"
    if rows:
        print_table(rows, plain(caption.replace("\n", " · ")))
    else:
        screen.print("Nobody has joined yet.")
    screen.print("open" if content["open"] else "The desk does not run: minichain class start", highlight=False)


@class_.command()
@click.argument("names", nargs=-1)
@click.option("--all-listed", "everybody", is_flag=True, help="Everybody on the list of those who wait.")
@with_home
@with_json
def approve(names: tuple[str, ...], everybody: bool, home: Path | None, as_json: bool) -> None:
    """Let these NAMES in."""
    from minichain.course.classroom.room import ClassRoom

    if bool(names) == everybody:
        raise click.UsageError("give names, or --all-listed")
    said = ClassRoom(home).approve(*names)
    show(as_json, {"approved": said}, lambda: click.echo(plain_line(f"In: {said or 'nobody waited'}")))


@class_.command()
@click.argument("name")
@with_home
def dismiss(name: str, home: Path | None) -> None:
    """Do not let NAME in, or no longer."""
    from minichain.course.classroom.room import ClassRoom

    ClassRoom(home).dismiss(name)


@class_.command()
@click.argument("name")
@click.argument("what", default="")
@with_home
def reset(name: str, what: str, home: Path | None) -> None:
    """Let NAME begin again with WHAT: a module (m06), an exercise (m06.e1), or everything."""
    from minichain.course.classroom.room import ClassRoom

    ClassRoom(home).reset(name, what)


@class_.command("let-happen")
@click.argument("kind", type=click.Choice(TROUBLE))
@click.option("--node", default="", help="To which node: one crashes or lies.")
@with_home
@with_json
def let_happen(kind: str, node: str, home: Path | None, as_json: bool) -> None:
    """Let something happen to the network of the class, as the console does; `recover` ends it.

    What is written on the chain stays there: a stolen key's transfer, a false reading.
    """
    from minichain.course.classroom.room import ClassRoom

    blocks = ClassRoom(home).let_happen(kind, node)
    content = {"what": kind, "node": node, "blocks": blocks}
    told = f": see block {', '.join(map(str, blocks))}" if blocks else ""
    show(as_json, content, lambda: click.echo(plain_line(f"It has happened{told}. End it: minichain class recover")))


@class_.command()
@with_home
def recover(home: Path | None) -> None:
    """End all that was let happen to the network of the class."""
    from minichain.course.classroom.room import ClassRoom

    ClassRoom(home).recover()


@class_.command()
@click.argument("folder", type=FOLDER)
@with_home
@with_json
def collect(folder: Path, home: Path | None, as_json: bool) -> None:
    """Take the files that learners have handed in without a network: those of FOLDER. The exit code is 1 if one of
    them, or an answer in it, was refused.
    """
    from minichain.course.classroom import folder as classes
    from minichain.course.classroom.collecting import collect_folder

    files = sorted(folder.glob(f"*{SUFFIX}"))
    if files and not classes.Folder(home).exists:
        classes.chosen(classes.Folder(home))
    rows = collect_folder(home, files) if files else []
    lines = [f"{row['file']}: {row['name'] or '-'}: {row['kept']} kept{_because(row)}" for row in rows]
    lines = lines or [f"there is no file *{SUFFIX} in {folder}"]
    show(as_json, {"files": rows}, lambda: click.echo("\n".join(map(plain_line, lines))))
    if any(row["refused"] for row in rows):
        sys.exit(NO)


def _because(row: dict[str, Any]) -> str:
    return "".join(f"; refused: {said}" for said in row["refused"])


@class_.command()
@with_home
@click.confirmation_option(prompt="Delete who was in this class, and all that they answered?")
def wipe(home: Path | None) -> None:
    """Delete all that is known of the people of a class that is over; its chain knows none of it."""
    from minichain.course.classroom.folder import Folder

    Folder(home).wipe()


@class_.command()
@with_home
def link(home: Path | None) -> None:
    """Show the link of the class again, with its QR code."""
    from minichain.course.classroom.room import ClassRoom

    _print_link(ClassRoom(home).link)


@class_.command()
@click.argument("name")
@click.option("--as", "kind", type=click.Choice(["operator", "builder"]), required=True, help="What it is for.")
@click.option(
    "--marks", type=EXISTING, required=True, help="Your table of marks: name,quiz,tasks,fit,trust,rights,evidence."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=".", show_default=True, help="Folder.")
@click.option("--no-chain", is_flag=True, help="Put no digest on the chain of the class.")
@with_home
@with_passphrase
@with_json
def certificate(
    name: str,
    kind: str,
    marks: Path,
    out: Path,
    no_chain: bool,
    home: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Certify what NAME has reached: a file that `minichain verify` checks with no network, and a page to print.

    It is refused to who has not reached what is asked. A salted digest of it goes onto the chain of the class.
    """
    from minichain.course import certificate as certificates
    from minichain.course.classroom import awarding
    from minichain.course.classroom.room import ClassRoom
    from minichain.live.home import Home

    room, given = ClassRoom(home), certificates.read_marks(marks)
    place = None if no_chain else Home(home, passphrase_if(Home(home).is_encrypted, passphrase_file))
    found = awarding.award(room, name, kind, given, place)
    paths = awarding.write(found, name, out, room.settings.language)
    issuer, files = awarding.class_key(room.settings).did, list(map(str, paths))
    content = {"name": name, "as": kind, "issuer": issuer, "digest": found.digest, "files": files}
    lines = [*files, "", f"Signed by {issuer}"]
    show(as_json, content, lambda: click.echo("\n".join(map(plain_line, lines))))


# --- the learner -------------------------------------------------------------------------------------------------


@class_.command()
@click.argument("link", default="", envvar="MINICHAIN_CLASS")
@click.option("--name", required=True, help="Your institution in the class; not your own name.")
@click.option("--as", "role", type=click.Choice(["light", "validator"]), default="light", show_default=True)
@with_course
@with_json
def join(link: str, name: str, role: str, home: Path | None, as_json: bool) -> None:
    """Join a class by its LINK (or MINICHAIN_CLASS, or that of your lessons), with the key that signs your answers.

    It waits until the trainer lets you in. Joining again is coming back. As a validator it goes on until Ctrl-C.
    """
    from minichain.course import place
    from minichain.course.classroom import member

    with notes.status("waiting for your trainer to let you in"):
        found = member.join(link or place.bundle().desk, name, role, home)
    where = found.place()
    if where.genesis:
        with notes.status("writing your institution down"):
            found.found()
    content = {
        "name": where.name,
        "number": where.number,
        "institution": where.institution,
        "did": found.key.did,
        "as": role,
        "genesis": where.genesis,
    }
    show(as_json, content, lambda: screen.print(f"You are in: {plain(where.name)}, number {where.number}."))
    if role == "validator":
        _run_node(found, where.node)


def _run_node(member: Member, node: str) -> None:
    from minichain.course.classroom import validating

    def tell(said: str) -> None:
        notes.print(plain(said), highlight=False)

    with validating.running(member, node, tell) as height:
        notes.print(f"Your node follows, at block {height}. Stop it with Ctrl-C.", highlight=False)
        with suppress(KeyboardInterrupt):
            sys.stdin.read()


@class_.command()
@with_course
def leave(home: Path | None) -> None:
    """Leave the class; what you handed in stays, and you can join again."""
    from minichain.course.classroom.member import Member

    Member(home).leave()


@class_.command("hand-in")
@click.argument("file", type=NEW)
@click.option("--name", default="", help="Your institution, where you have joined no class.")
@with_course
def hand_in(file: Path, name: str, home: Path | None) -> None:
    """Write all your answers into one small FILE, to carry it to your trainer where there is no network."""
    from minichain.course.classroom.member import file_of

    if file.suffix != SUFFIX:
        file = file.with_name(file.name + SUFFIX)
    content = file_of(home, name)
    file.write_bytes(content)
    click.echo(plain_line(f"{file}: {len(content) // 1000 + 1} kB. Give it to your trainer."))


@class_.command()
@click.option("--learners", type=click.IntRange(1, 200), default=30, show_default=True)
@click.option("--profile", type=click.Choice(["mixed", "strong", "lost"]), default="mixed", show_default=True)
@click.option("--modules", help="These only, with commas: m02,m04 [all].")
@click.option(
    "--loss", type=click.IntRange(0, 90), default=10, show_default=True, help="Percent of letters, and answers."
)
@click.option("--restart", is_flag=True, help="Kill the desk half way, and start it again.")
@click.option("--seed", type=int, default=0, show_default=True)
@with_json
def simulate(
    learners: int, profile: str, modules: str | None, loss: int, restart: bool, seed: int, as_json: bool
) -> None:
    """Let made-up learners go through the course against a real desk, and count what was lost. The exit code is 1 if
    anything was.
    """
    from minichain.course.classroom import rehearsal

    wanted = tuple(modules.split(",")) if modules else ()
    plan = rehearsal.Plan(learners, profile, wanted, loss, restart, seed)
    with notes.status("the class is at work") as said:
        found = rehearsal.run(plan, said.update)
    show(as_json, found, lambda: print_table([{name: value for name, value in found.items() if name != "beliefs"}]))
    if found["lost"]:
        sys.exit(NO)
