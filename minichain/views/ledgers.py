"""What a comparison found, in plain words: one line for each figure, a verdict for each need, a story for each attack.

Everything comes from the figures of a run; nothing is known here about a kind of ledger but its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from minichain.views.i18n import _, ngettext, number
from minichain.views.parts import State

Figures = Mapping[str, Any]
Attempt = Mapping[str, Any]

SECOND_MS: Final = 1_000
KILO: Final = 1_000
QUICK_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: its value with the unit, and what it means here."""

    value: str
    words: str = ""


# --- names -------------------------------------------------------------------------------------------------------


def names() -> dict[str, str]:
    """Return what people call each kind, in the order from one owner to everybody."""
    return {
        "database": _("Ordinary database"),
        "private": _("Private chain"),
        "alliance": _("Alliance chain"),
        "open_alliance": _("Open alliance chain"),
        "public_consortium": _("Public consortium"),
        "public": _("Public chain"),
    }


def descriptions() -> dict[str, str]:
    """Say in a few words what each kind is."""
    return {
        "database": _("One owner, one computer."),
        "private": _("One owner, several computers."),
        "alliance": _("Members run it and use it."),
        "open_alliance": _("Members run it, anybody uses it."),
        "public_consortium": _("Elected members run it for the public."),
        "public": _("Anybody runs it, by work."),
    }


def letter(owner: str) -> str:
    """Return the letter of an owner on the map; one who is alone is A."""
    return owner.removeprefix("owner ") if owner.startswith("owner ") else "A"


# --- amounts with their units ------------------------------------------------------------------------------------


def time(ms: int) -> str:
    """Write a time."""
    if ms < SECOND_MS:
        return _together(_("{count} ms").format(count=number(ms)))
    return _together(_("{count} s").format(count=f"{ms / SECOND_MS:,.1f}"))


def size(count: int) -> str:
    """Write an amount of bytes."""
    if count < KILO:
        return _together(_("{count} bytes").format(count=number(count)))
    return _together(_("{count} kB").format(count=f"{count / KILO:,.1f}"))


def _together(words: str) -> str:
    """Keep a number and its unit on one line."""
    return words.replace(" ", "\N{NO-BREAK SPACE}")


def share(few: int, all_of_them: int) -> str:
    """Write how many owners of all."""
    return _("{few} of {all}").format(few=number(few), all=number(all_of_them))


# --- figures -----------------------------------------------------------------------------------------------------


def _owners(figures: Figures) -> int:
    return len({owner for _name, owner in figures["members"]})


def _latency(figures: Figures) -> Line:
    words = _("half of all; nine of ten within {time}")
    return Line(time(figures["latency_p50_ms"]), words.format(time=time(figures["latency_p90_ms"])))


def _final(figures: Figures) -> Line:
    count, undone = figures["final_after_blocks"], figures["undone_blocks"]
    if not count:
        return Line(_("at once"), _("if its owner leaves it as it is"))
    value = ngettext("{count} block", "{count} blocks", count).format(count=number(count))
    if figures["engine"] != "pow":
        return Line(value, _("and then nothing is undone"))
    words = ngettext("{count} of {made} was undone on the way", "{count} of {made} were undone on the way", undone)
    return Line(value, words.format(count=number(undone), made=number(undone + figures["blocks"])))


def _messages(figures: Figures) -> Line:
    count = figures["messages_per_transaction"]
    if not count:
        return Line("0", _("there is nobody to agree with"))
    words = _("between {count} computers, together {size}")
    filled = words.format(count=number(figures["copies"]), size=size(figures["bytes_per_transaction"]))
    return Line(f"{count:,.1f}", filled)


def _storage(figures: Figures) -> Line:
    each, copies = figures["stored_bytes_per_transaction"], figures["copies"]
    if copies == 1:
        return Line(size(each), _("in the only copy"))
    words = _("{size} in each of {count} copies")
    return Line(size(each * copies), words.format(size=size(each), count=number(copies)))


def _energy(figures: Figures) -> Line:
    tries = figures["tries_per_transaction"]
    if not tries:
        return Line("0", _("nobody has to prove work"))
    return Line(number(tries), _("so many hashes were tried for each transaction"))


def _fee(figures: Figures) -> Line:
    fee = figures["fee_per_transaction"]
    if fee:
        return Line(number(fee), _("units, paid by the sender"))
    if not figures["quota_transactions"]:
        return Line(_("none"), "")
    words = _("up to {count} like these for each account, in {blocks} blocks")
    allowed = {"count": number(figures["quota_transactions"]), "blocks": number(figures["quota_blocks"])}
    return Line(_("none"), words.format(**allowed))


def _proof(figures: Figures) -> Line:
    length = figures["proof_bytes"]
    if not length:
        return Line(_("none"), _("a stranger has to believe the owner"))
    return Line(size(length), _("with it a stranger checks one entry, alone"))


def _halt(figures: Figures) -> Line:
    all_of_them, few = _owners(figures), figures["concentration"]["owners_to_halt"]
    if all_of_them == 1:
        return Line(share(few, 1), _("its only owner can stop it"))
    words = ngettext("owner could stop this system", "owners could stop this system together", few)
    return Line(share(few, all_of_them), words)


def _rewrite(figures: Figures) -> Line:
    all_of_them, few = _owners(figures), figures["concentration"]["owners_to_rewrite"]
    if all_of_them == 1:
        return Line(share(few, 1), _("its only owner can change the past"))
    words = ngettext("owner could change the past", "owners could change the past together", few)
    return Line(share(few, all_of_them), words)


def _fork(figures: Figures) -> Line:
    all_of_them, few = _owners(figures), figures["concentration"]["owners_to_fork"]
    words = ngettext("owner who lies could split it", "owners who lie could split it together", few)
    return Line(share(few, all_of_them), words)


def _blocks(figures: Figures) -> Line:
    if not figures["blocks"]:
        return Line(_("none"), _("rows in a table"))
    words = _("in {count} blocks").format(count=number(figures["blocks"]))
    return Line(f"{figures['transactions_per_block']:,.1f}", words)


def _nakamoto(figures: Figures) -> Line:
    few = figures["concentration"]["nakamoto"]
    words = ngettext("owner holds more than half", "owners hold more than half", few)
    return Line(share(few, _owners(figures)), words)


def _gini(figures: Figures) -> Line:
    measured = figures["concentration"]
    words = _("0 is equal; the ten largest hold {percent} %")
    return Line(f"{measured['gini']:.2f}", words.format(percent=f"{measured['top10_percent']:g}"))


def _who(figures: Figures, right: str) -> Line:
    word = figures["rules"][right]
    if word == "members" and _owners(figures) == 1:
        word = "owner"
    return Line(
        {
            "anyone": _("anybody"),
            "members": _("members, and whom they admit"),
            "owner": _("whom the owner lets"),
        }[word]
    )


def _validators(figures: Figures) -> Line:
    word = "owner" if _owners(figures) == 1 else figures["rules"]["validates"]
    return Line({"anyone": _("anybody who works"), "members": _("the members"), "owner": _("the owner")}[word])


def _joins(figures: Figures) -> Line:
    return Line(
        {
            "work": _("by doing work"),
            "vote": _("by a vote of the members"),
            "election": _("by election"),
            "stake": _("by a stake"),
            "owner": _("if the owner wants it"),
        }[figures["rules"]["joins"]]
    )


Rule = Callable[[Figures], Line]


def first_rows() -> dict[str, Rule]:
    """Return what is compared first, under the names that people read."""
    return {
        _("Final after"): _latency,
        _("Blocks to wait for"): _final,
        _("Messages for one transaction"): _messages,
        _("Stored for one transaction"): _storage,
        _("Work for one transaction"): _energy,
        _("Enough to stop it"): _halt,
        _("Enough to change the past"): _rewrite,
    }


def more_rows() -> dict[str, Rule]:
    """Return the rest of what is compared."""
    return {
        _("Who may read"): lambda figures: _who(figures, "reads"),
        _("Who may write"): lambda figures: _who(figures, "writes"),
        _("Who validates"): _validators,
        _("How one becomes a validator"): _joins,
        _("Fee or quota"): _fee,
        _("Proof for a stranger"): _proof,
        _("Transactions in a block"): _blocks,
        _("Enough to split it by lying"): _fork,
        _("Enough for more than half"): _nakamoto,
        _("Inequality of shares (Gini)"): _gini,
    }


def rows(found: Sequence[Figures]) -> list[dict[str, str]]:
    """Return a table for a terminal: one row for each figure, one column for each kind."""
    columns = names()
    return [
        {_("figure"): name, **{columns[one["kind"]]: rule(one).value for one in found}}
        for name, rule in {**first_rows(), **more_rows()}.items()
    ]


# --- a design, before anything runs ------------------------------------------------------------------------------


def warning(outline: Figures) -> tuple[State, str]:
    """Say in a few words how few owners can stop a design."""
    all_of_them, few = _owners(outline), outline["concentration"]["owners_to_halt"]
    if all_of_them == 1:
        return "bad", _("1 owner decides")
    words = _("{all} owners, {few} can halt").format(all=number(all_of_them), few=number(few))
    return ("bad" if few == 1 else "ok"), words


def map_words(outline: Figures) -> str:
    """Say who owns how many validators."""
    counted: dict[str, int] = {}
    for _name, owner in outline["members"]:
        counted[letter(owner)] = counted.get(letter(owner), 0) + 1
    words = _("owner {letter}: {count}")
    return " · ".join(words.format(letter=owner, count=number(count)) for owner, count in counted.items())


# --- needs -------------------------------------------------------------------------------------------------------

Need = Callable[[Figures], bool]

NEEDS: Final[dict[str, Need]] = {
    "read": lambda figures: figures["rules"]["reads"] == "anyone",
    "write": lambda figures: figures["rules"]["writes"] == "anyone",
    "closed": lambda figures: figures["rules"]["reads"] != "anyone",
    "rewrite": lambda figures: figures["concentration"]["owners_to_rewrite"] > 1,
    "halt": lambda figures: figures["concentration"]["owners_to_halt"] > 1,
    "lie": lambda figures: figures["concentration"]["owners_to_fork"] > 1,
    "proof": lambda figures: figures["proof_bytes"] > 0,
    "quick": lambda figures: figures["latency_p90_ms"] <= QUICK_MS,
    "free": lambda figures: figures["fee_per_transaction"] == 0,
    "cool": lambda figures: figures["tries"] == 0,
    "small": lambda figures: figures["copies"] == 1,
}
FIRST_NEEDS: Final = frozenset({"read", "rewrite", "quick", "free"})


def needs() -> dict[str, str]:
    """Return what people may need, in words."""
    return {
        "read": _("Everybody can read it"),
        "write": _("Everybody can write to it"),
        "closed": _("Only those admitted can read it"),
        "rewrite": _("No single owner can change the past"),
        "halt": _("No single owner can stop it"),
        "lie": _("One lying owner does no harm"),
        "proof": _("A stranger can check an entry alone"),
        "quick": _("Final within 2 seconds"),
        "free": _("No fees"),
        "cool": _("No electricity for work"),
        "small": _("One computer is enough"),
    }


def unmet(figures: Figures, chosen: frozenset[str]) -> list[str]:
    """List the needs that a ledger does not meet, by its figures."""
    return [need for need, is_met in NEEDS.items() if need in chosen and not is_met(figures)]


def verdict(found: Mapping[str, Figures], chosen: frozenset[str]) -> str:
    """Say which kinds meet everything."""
    fitting = [kind for kind, figures in found.items() if not unmet(figures, chosen)]
    if not chosen:
        return _("Choose what you need.")
    if not fitting:
        return _("None of them meets all you chose. Which need could you give up?")
    listed = " · ".join(names()[kind] for kind in fitting)
    if "database" in fitting:
        words = _("An ordinary database meets all you chose: you may not need a chain. Fitting are: {names}.")
        return words.format(names=listed)
    return _("These meet all you chose: {names}.").format(names=listed)


# --- attacks -----------------------------------------------------------------------------------------------------


def attacks() -> dict[str, tuple[str, str]]:
    """Return each attack's name and what is done in it."""
    return {
        "edit": (
            _("The owner changes the past"),
            _("The largest owner makes another history, with its own computers and keys only."),
        ),
        "stop": (
            _("The largest owner leaves"),
            _("It switches all its computers off. Does the ledger go on?"),
        ),
        "lie": (
            _("One owner lies"),
            _("While the others work, it tells them what is not so."),
        ),
        "collude": (
            _("A majority colludes"),
            _("Just enough owners make another history together."),
        ),
    }


def tried(attempt: Attempt) -> str:
    """Say what was tried."""
    facts, key = attempt["facts"], (attempt["attack"], attempt["happened"])
    match key:
        case ("stop", _):
            words = ngettext(
                "{machines} of {validators} computer was switched off",
                "{machines} of {validators} computers were switched off",
                facts["validators"],
            )
        case (_, "changed"):
            words = _("the owner wrote another balance over the old one")
        case (_, "two answers"):
            words = _("the owner changed a balance for one reader, and changed it back")
        case ("lie", _) if facts["lie"] == "equivocator":
            words = _("one of {validators} validators proposed two different blocks")
        case ("lie", _) if facts["lie"] == "colluder":
            words = _("{machines} of {validators} validators of one owner told each half of the others another block")
        case ("lie", _):
            words = _("one of {validators} validators sent damaged messages and noise")
        case (_, ("kept" | "undone")):
            words = _("a shop was paid, while {machines} of {validators} computers worked on another past in secret")
        case _:
            words = _("another block {height} was signed with {machines} of {validators} keys")
    return words.format(**_shown(facts))


def _shown(facts: Mapping[str, Any]) -> dict[str, str]:
    shown = {name: number(fact) if isinstance(fact, int) else str(fact) for name, fact in facts.items()}
    return {**shown, "time": time(int(facts.get("waited_ms", 0)))}


def told(attempt: Attempt) -> str:
    """Say what happened."""
    facts = attempt["facts"]
    sentences = [_happened(attempt)]
    if attempt["attack"] == "lie" and facts.get("owners_to_fork") == 1:
        sentences.append(_("Only this lie was tried: by its rules, one owner who lies with all it has could split it."))
    if facts.get("signed_both"):
        sentences.append(_("Whoever compares them sees that {signed_both} validators signed both."))
    if facts.get("fewer"):
        sentences.append(
            _("{fewer} of the owners could do it, too, with luck.")
            if facts["fewer_succeeded"]
            else _("{fewer} of the owners could not.")
        )
    return " ".join(sentences).format(**_shown(facts))


def _happened(attempt: Attempt) -> str:
    match attempt["happened"], attempt["kind"]:
        case "stopped", "database":
            return _("nobody could read or write, for there is no other copy.")
        case "borne", _ if attempt["facts"]["evidence"]:
            return _("all others stayed agreed, finished {final} transactions, and kept {evidence} proofs of the lie.")
    return {
        "stopped": _("nothing became final any more; after {time} we gave up."),
        "went on": _("the others went on; a payment was final after {time}."),
        "both accepted": _("two readers who trust only the genesis accept both blocks, and cannot tell which is true."),
        "refused": _("every reader refuses it, for these signatures are too few."),
        "kept": _("more work stood behind the public history; the payment stayed."),
        "undone": _("the payment had been final and is gone; {undone} blocks were undone."),
        "changed": _("readers see {after} in the place of {before}, and nothing shows it."),
        "two answers": _("one reader saw {before}, the other {after}; neither can prove anything."),
        "borne": _("the others counted {refused} faulty messages and finished {final} transactions."),
        "split": _("two honest validators have different final blocks."),
        "stuck": _("nothing became final any more."),
    }[attempt["happened"]]


def line(attempt: Attempt) -> str:
    """Tell an attack in one line for a terminal."""
    words = _("{name}, {attack}. Tried: {tried}. Happened: {told}")
    attack = attacks()[attempt["attack"]][0]
    return words.format(name=names()[attempt["kind"]], attack=attack, tried=tried(attempt), told=told(attempt))
