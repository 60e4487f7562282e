"""A chain met by another version than the one that made it: what is said, what goes on, and that nothing is lost."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from test_cli import COULD_NOT, run

from minichain import __version__
from minichain.contracts import system
from minichain.errors import ConfigError, MinichainError, UsageError
from minichain.live import chains, origin, supervisor
from minichain.live.cluster import Cluster, settled
from minichain.live.home import MARK, SETTINGS, Home

WAYS_ON = (
    "Nothing was changed or deleted: begin another chain in another directory with `--home`, or delete this one and "
    "begin anew with `--fresh`"
)
NOT_CANONICAL = "not the canonical form of this ChainSpec file, byte for byte"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose chain was made just now, and has not run yet."""
    made = Home(tmp_path / "home")
    [(_, genesis, keys)] = chains.chains_of(made, validators=2)
    Cluster(made.chain, genesis, keys)
    return made


def settings(home: Home) -> Path:
    return home.chain / SETTINGS


def made(home: Home) -> origin.Made:
    return msgspec.json.decode((home.chain / MARK).read_bytes(), type=origin.Made)


def remark(home: Home, **changes: str) -> None:
    changed = msgspec.structs.replace(made(home), **changes)
    (home.chain / MARK).write_bytes(msgspec.json.encode(changed))


def leave_a_setting_out(home: Home) -> None:
    """Write the settings as a version did that did not know the last of them, `identity_home`, yet."""
    listed = json.loads(settings(home).read_bytes())
    assert listed.pop() == ""
    settings(home).write_bytes(json.dumps(listed, separators=(",", ":")).encode())


def refusal(home: Home) -> str:
    """Let the command line go on with the chain, and return why it does not; whatever is there stays."""
    before = {path: path.read_bytes() for path in home.chain.rglob("*") if path.is_file()}
    done = run("up", "--no-dashboards", "--home", home.path, expect=COULD_NOT)
    assert {path: path.read_bytes() for path in home.chain.rglob("*") if path.is_file()} == before
    return done.stderr.strip()


def notice(home: Home) -> str:
    chosen = supervisor.read_options([str(home.path), "--no-dashboards"])
    with ExitStack() as held:
        prepared = supervisor.prepare(home, chosen, held)
        held.callback(prepared.close)
        return prepared.note


def test_the_version_that_made_a_chain_is_noted_beside_its_settings(home: Home) -> None:
    assert made(home).version == __version__
    assert notice(home) == ""
    (home.chain / MARK).unlink()
    assert notice(home) == "", "what older homes hold stays readable"
    assert not (home.chain / MARK).exists(), "nobody knows who made that one"


def test_settings_that_another_version_writes_in_another_way_are_refused_with_its_name(home: Home) -> None:
    leave_a_setting_out(home)
    remark(home, version="0.0.9", settings=origin.fingerprint(settings(home).read_bytes()))
    assert refusal(home) == (
        f"NetworkError: the chain in {home.chain} was made by minichain 0.0.9, which writes its settings in another "
        f"way than this version, minichain {__version__}: only that one can go on with it. {WAYS_ON}"
    )
    remark(home, version=__version__)
    assert f"was made by another revision of minichain {__version__}, which writes" in refusal(home)


def test_settings_of_an_older_home_are_another_versions_or_damaged(home: Home) -> None:
    leave_a_setting_out(home)
    (home.chain / MARK).unlink()
    assert refusal(home) == (
        f"NetworkError: {settings(home)}: {NOT_CANONICAL}. Another version than this, minichain {__version__}, made "
        f"this chain and can go on with it, or the file was damaged. {WAYS_ON}"
    )


def test_settings_that_are_lost_are_not_replaced_by_those_of_a_new_chain(home: Home) -> None:
    kept = settings(home).read_bytes()
    settings(home).unlink()
    assert refusal(home) == (
        f"NetworkError: {settings(home)} is missing, and without it nobody can tell which chain this was: put it back "
        f"from a copy, such as that of another member. {WAYS_ON}"
    )
    settings(home).write_bytes(kept)
    assert notice(home) == ""


def test_one_of_several_chains_that_lost_its_settings_is_not_left_out(tmp_path: Path) -> None:
    several = Home(tmp_path / "home")
    for part, genesis, _ in chains.chains_of(several, shards=2, validators=1):
        origin.keep(part.chain, genesis)
    settings(several.part("shard-1")).unlink()
    with pytest.raises(ConfigError) as refused:
        chains.chains_of(several)
    assert f"{settings(several.part('shard-1'))} is missing" in str(refused.value)


@pytest.mark.parametrize("profile", ["public", "private"])
def test_shards_are_of_members_who_vote_and_nothing_is_begun_with_others(tmp_path: Path, profile: str) -> None:
    with pytest.raises(UsageError, match=f"those of the profile {profile} agree in another way: leave --profile out"):
        chains.chains_of(Home(tmp_path), shards=2, profile=profile)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("gone", ["shard-0", "shard-1"])
def test_one_of_several_chains_that_is_gone_is_missed(tmp_path: Path, gone: str) -> None:
    several = Home(tmp_path / "home")
    for part, genesis, _ in chains.chains_of(several, shards=2, validators=1):
        origin.keep(part.chain, genesis)
    assert len(chains.chains_of(several)) == 3
    several.part(gone).path.rename(tmp_path / "elsewhere")
    for shards in (None, 1, 2):
        with pytest.raises(ConfigError, match=f"is missing, with the chain {gone} of this network: put it back"):
            chains.chains_of(several, shards)
    (tmp_path / "elsewhere").rename(several.part(gone).path)
    assert len(chains.chains_of(several)) == 3
    several.forget_chain()
    assert len(chains.chains_of(several, shards=1, validators=1)) == 2, "a new network has its own"


def test_a_copy_that_somebody_keeps_beside_a_chain_is_no_chain_of_the_network(tmp_path: Path) -> None:
    several, alone = Home(tmp_path / "several"), Home(tmp_path / "alone")
    for home, shards in ((several, 1), (alone, None)):
        for part, genesis, _ in chains.chains_of(home, shards=shards, validators=1):
            origin.keep(part.chain, genesis)
    shutil.copytree(several.path / "shard-0", several.path / "shard-0-old")
    shutil.copytree(alone.chain, alone.path / "old" / "chain")
    assert [part.path.name for part, _, _ in chains.chains_of(several)] == ["coordinator", "shard-0"]
    assert [part for part, _, _ in chains.chains_of(alone)] == [alone]
    for home in (several, alone):
        home.forget_chain()
    assert (several.path / "shard-0-old" / "chain").exists(), "what is not the network's is not deleted with it"
    assert (alone.path / "old" / "chain").exists()


def test_whoever_was_moved_away_beside_the_others_is_no_validator(tmp_path: Path) -> None:
    for name in ("node-0", "node-12", "node-0-old", "node-007", "node-"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "chain.sqlite").touch()
    assert settled(tmp_path) == ["node-0", "node-12"]


@pytest.mark.parametrize("left", [None, bytes(32)], ids=["lost", "of another network"])
def test_a_secret_that_is_not_right_is_never_written_over_its_copies(tmp_path: Path, left: bytes | None) -> None:
    several = Home(tmp_path / "home")
    for part, genesis, _ in chains.chains_of(several, shards=1, validators=1):
        origin.keep(part.chain, genesis)
    copies = [several.part(chain_id).path / "root" for chain_id in several.chains]
    right = copies[0].read_bytes()
    (several.path / "root").unlink()
    if left:
        (several.path / "root").write_bytes(left)
    with pytest.raises(MinichainError, match="is not the one" if left else f"{re.escape(str(copies[0]))} is one"):
        chains.chains_of(several)
    assert [copy.read_bytes() for copy in copies] == [right, right]
    (several.path / "root").write_bytes(right)
    copies[1].unlink()
    assert len(chains.chains_of(several)) == 2
    assert copies[1].read_bytes() == right


def test_settings_that_were_changed_after_the_chain_was_made_are_told_apart(home: Home) -> None:
    for changed, why in ((b" ", NOT_CANONICAL), (b"]", "not a valid ChainSpec file: JSON is malformed")):
        whole = settings(home).read_bytes()
        settings(home).write_bytes(whole + changed)
        told = refusal(home)
        assert told.startswith(f"NetworkError: {settings(home)}: {why}")
        assert told.endswith(f". It was changed after the chain was made: put it back as it was. {WAYS_ON}")
        settings(home).write_bytes(whole)
    assert notice(home) == ""


def test_a_chain_whose_system_contracts_have_another_text_goes_on_with_its_own(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "IDENTITY", system.IDENTITY + "\n# a later version says more\n")
    assert notice(home) == (
        f"Made by another revision of minichain {__version__}, with other system contracts than those of this version: "
        "minichain-local. It goes on with its own. A node can join with `--snapshot`; from the first block on, only "
        "with the version that made it."
    )
    remark(home, version="0.0.9")
    assert notice(home).startswith("Made by minichain 0.0.9, with other system contracts")


def test_a_directory_holds_one_chain(home: Home, tmp_path: Path) -> None:
    [(_, other, keys)] = chains.chains_of(Home(tmp_path / "other"), validators=1)
    with pytest.raises(ConfigError, match="holds another chain"):
        Cluster(home.chain, other, keys)
