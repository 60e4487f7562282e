"""Words that stand on the chain or in a plan in English, listed so that the catalogues have them.

What is on the chain is never translated there: only the page shows it in the viewer's language. A test compares this
list with the example day, the stories and the deadlines it is about.
"""

from __future__ import annotations

from minichain.views.i18n import _


def names() -> tuple[str, ...]:
    """Return the names of the example day's parties, and of what they carry."""
    return (
        _("office"),
        _("Street office A"),
        _("Street office B"),
        _("Vegetable market"),
        _("School kitchen"),
        _("Collection truck 7"),
        _("Collection truck 9"),
        _("Transfer station"),
        _("Composting plant"),
        _("Incineration plant"),
        _("kitchen waste"),
        _("residual waste"),
        _("paper and cardboard"),
    )


def deadlines() -> tuple[str, ...]:
    """Return the names of the clocks in the rules that an office may adopt."""
    return (
        _("not confirmed"),
        _("in transit too long"),
        _("receipt not confirmed in the system"),
        _("discrepancy not answered"),
        _("confirmation of receipt"),
        _("certificate of treatment"),
        _("missed pickup"),
        _("weight not explained"),
        _("not treated"),
        _("exception: ask"),
        _("exception: report"),
        _("facility copy"),
        _("discrepancy report"),
    )


def remarks() -> tuple[str, ...]:
    """Return what the stories write into a comment."""
    return (_("Explained in the private part of the document."),)


def rules() -> tuple[str, ...]:
    """Return what the contracts of the waste say of themselves: they have no room for a second language."""
    return (
        _(
            "Keep the custody of waste: manifests, signatures in their order, "
            "discrepancies, rejections and corrections."
        ),
        _("Write or rewrite a draft: it has a reference, and no tracking number yet."),
        _("Give a draft its tracking number; from now on it is a pending manifest."),
        _("Declare the manifest complete: permits and containers are checked, and the load may be picked up."),
        _("Cancel a manifest before the first transporter has taken the waste."),
        _("Hand the waste to the next party, whose signature moves the custody. The generator signs with this."),
        _("Sign as the next transporter: the waste is in your custody from now on."),
        _("Let the generator replace the transporters that have not signed yet."),
        _("Report something that happened to the load; it stays on the manifest."),
        _("Confirm that the load has arrived: custody moves to the destination."),
        _("Reject the whole load while its transporter is still there: the same manifest continues elsewhere."),
        _("Account for every line: what came, what was accepted, rejected, left as residue or lost, and why."),
        _("Sign as the destination: the manifest is complete; from now on it is corrected, never changed."),
        _("Answer an open discrepancy as the generator or a transporter, which closes it."),
        _("Certify that the accepted waste was treated or disposed of; `certificate` is the hash of the document."),
        _("Open a correction of a signed manifest; returns its number. Everybody on the manifest sees it."),
        _("Sign the open correction: it becomes the new version, and the old one is kept."),
        _("Withdraw the open correction: the signed version stays as it was."),
        _("Show a manifest with everything that was signed, what became of it, and what is late."),
        _("Show a draft."),
        _("Show an earlier version of a corrected manifest."),
        _("List the manifests of a party; for a regulator those from or to its jurisdiction; for nobody, all."),
        _("List what is overdue on a page of the watched manifests: for a party, a regulator, or all."),
        _("Show where the quantity of each line went; `difference` never arrived, or came in excess."),
        _("Know the parties, their permits and the rules; judge waste lines by them."),
        _("Adopt new rules; manifests that have a number keep the rules they were numbered under."),
        _("Register a party: its roles, its site, and the waste codes and methods of its permit (* is all)."),
        _("Suspend a party: it can take over no more waste until it is registered again."),
        _("Show what is registered about a party."),
        _("List the registered parties."),
        _("Tell whether a DID is the office."),
        _("Show where registered parties belong; refuses one that is not registered."),
        _("Refuse a party that may not take this waste now."),
        _("Show the rules in force, or an edition of them."),
        _("Refuse a tracking number of a wrong form; tells the edition of the rules in force."),
        _("Refuse a text that is empty, too long, or looks personal."),
        _("Complete new waste lines; refuses what breaks a rule of form."),
        _("Put the report of a facility into the lines; refuses what does not add up or has no permitted method."),
        _('Apply changes such as [{"line": 1, "quantity": 900}]; the result obeys the same rules as the first time.'),
        _("List the discrepancies of received lines; refuses one without a comment. `known` keep their answers."),
        _("List the clocks that have run out: the last day itself is still in time."),
    )


def others() -> tuple[str, ...]:
    """Return what contracts say of themselves that were written before a second language was asked for.

    To write it into them would give every chain that begins with them another first state.
    """
    return (
        _("Who the members of an alliance are, decided by vote of the members."),
        _("Propose to admit a member; returns the number of the proposal."),
        _("Propose to remove a member; returns the number of the proposal."),
        _("Propose another weight for a member; returns the number of the proposal."),
        _("Vote on an open proposal, once; returns what has become of the proposal."),
        _("List the members as [name, did, weight]."),
        _("List those who certify the block of a height, past or to come, as [name, did, weight]."),
        _("List the committees to come as [first height, members]."),
        _("Show a proposal, and how much weight is still needed to accept or to reject it."),
        _("List the proposals in the order in which they were made."),
        _('List who may vote on a proposal as [name, did, weight, "yes", "no" or "not yet"].'),
        _("Who the members are where holders elect them: the candidates with most votes, epoch by epoch."),
        _("Give free units to another holder."),
        _("Give free units to a candidate as votes."),
        _("Take votes back: the units are free again."),
        _("Take votes from one candidate and give them to another."),
        _("Stand for a seat, with own units as the first votes; the first time, with a name."),
        _("Stand no longer; votes stay where they are until their holders take them back."),
        _("Carry a change of seats on into the next epoch, when `turnover` has held it back; anybody may."),
        _("List who would sit in the next epoch by the votes of now, as [name, did, 1]."),
        _("List who stands for a seat as [name, did, votes], the most votes first."),
        _("Show the units of a holder: free, and given to candidates."),
        _("List the units of each holder as [did, units], to measure concentration."),
        _("List those who certify the block of a height, as far as it is known now, as [name, did, weight]."),
        _("Keys, guardians, organisations and devices: who may act for a did, and since when."),
        _("Who the members of a public chain are: the largest stakes, epoch by epoch."),
        _("Give free units to another account."),
        _("Put free units at stake; the first time, with the name under which to stand for a seat."),
        _("Take units out of the stake; returns the height from which on they can be withdrawn."),
        _("Make units free whose unbonding is over; returns how many."),
        _("Take a part of a stake for proven misbehaviour, once for each height; for the ledger only."),
        _("Pay the member that made a block, in new free units; for the ledger only."),
        _("List who stands for a seat as [name, did, stake], the largest stake first."),
        _("Show the units of an account: free, bonded, and leaving as [units, height from which on they are free]."),
        _("List the units of each account as [did, units], to measure concentration."),
        _("Keep how many kilograms each resident has brought."),
        _("Add what the caller has brought, from 1 to 50 kilograms; return what that makes together."),
        _("Return what somebody has brought so far."),
        _("Keep short notes, each signed by an institution that the desk of the class has let in."),
        _("List the newest notes, the newest first."),
        _("Tell whether an institution may sign notes."),
        _("Count what each caller adds, up to 9 at once."),
        _("Add to the caller's count; return the total."),
    )


def steps() -> tuple[str, ...]:
    """Return the sentences that tell what each step of a story does."""
    return (
        _("The office registers a party: its roles, its site and what its permit covers."),
        _("The generator drafts the manifest; names and telephone numbers stay outside, under a commitment."),
        _("The facility drafts a new manifest for what it rejected; it names the old one."),
        _("The draft gets its tracking number."),
        _("The manifest is complete: permits and containers are checked."),
        _("The generator signs and hands the load to the first transporter."),
        _("The facility signs in the place of the generator and hands the load over."),
        _("The transporter signs: the load is in its custody."),
        _("The transporter hands the load over; custody moves when the next party signs."),
        _("The facility rejects the whole load while the truck waits; the same manifest goes on."),
        _("The generator takes its load back and signs."),
        _("The destination confirms that the load has arrived."),
        _("The destination accounts for every line: accepted, rejected, residue, loss."),
        _("The destination signs; from now on the manifest is corrected, never changed."),
        _("The generator answers the discrepancy."),
        _("The facility proposes a correction; everybody on the manifest sees it."),
        _("The generator signs the correction; the old version is kept."),
        _("The facility certifies the treatment with the hash of its certificate."),
    )
