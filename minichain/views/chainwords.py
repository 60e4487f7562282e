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
