"""The safeguards of contribution points and the harms they keep away, in words that the catalogues have.

The clauses stand in the contracts and the harms in their stories; a test compares. A figure in a harm is a {}.
"""

from __future__ import annotations

import re
from typing import Final

from minichain.views.i18n import _

_FIGURE: Final = re.compile(r"-?\d+")


def harm_words(harm: str) -> str:
    """Say what was seen without a safeguard."""
    words = _(_FIGURE.sub("{}", harm)).format(*_FIGURE.findall(harm))
    return words[:1].upper() + words[1:]


def clauses() -> tuple[str, ...]:
    """Return what each safeguard promises."""
    return (
        _("A rule is adopted by another member of the committee than the one who proposed it."),
        _("A rule begins when it is adopted or later: nobody is judged by a rule that was not there."),
        _("Whatever takes something away rests on a law, with its reference and a severity that has a term."),
        _("A scheme that people join of their own will rewards, and does nothing else."),
        _("What somebody did concerns nobody else: not the family, not the building."),
        _("Nobody takes part without a consent of their own, which is kept outside under this commitment."),
        _("Whoever is under age takes part only with a guardian who has agreed."),
        _("An account is a key and nothing else: a name or a number would stand on the chain for ever."),
        _("Once a resident has withdrawn, nothing more is recorded, offered or asked."),
        _("Only who has agreed to it is offered services."),
        _("Points are asked for only within the purpose of the scheme, and never for a basic right."),
        _("A weight counts only from an enrolled device whose calibration is valid."),
        _("A drop is verified only when the load it went into has arrived and is accounted for."),
        _("One piece of evidence counts once, under whatever event it comes again."),
        _("An event is a code: no telephone number or name may come onto the chain in its place."),
        _("Who recorded does not verify."),
        _("What looks impossible is looked at by a human being before it counts; it is not punished by itself."),
        _("Nothing is taken away by a machine: a human being has decided, in a document, and signs."),
        _("No entry has an effect before the resident has been told, with reasons."),
        _("No entry has an effect before the time to object is over."),
        _("An entry that is objected to has no effect until the objection is decided."),
        _("Who objects never comes off worse for it."),
        _("A rule gives so much a day and a month and no more: nobody farms points."),
        _("An account holds no more than the ceiling of the scheme."),
        _("A balance never falls below nothing: nobody owes points."),
        _("A total over few residents is not shown: it could be one of them."),
        _("A minor entry is nobody's business but the resident's."),
        _("A negative entry ends by itself, whether or not anybody thinks of it."),
        _("Who recorded, verified or decided before does not decide about it again."),
        _("A decision has reasons, which the resident can read."),
        _("After the deadline nobody decides against the resident any more."),
        _("A panel has an odd number of members, so that it cannot end in a tie."),
        _("A person decides and signs: no program does it instead."),
        _("What everybody has a right to is not a reward: nobody is refused it for lack of points."),
        _("No more is promised than there is."),
        _("Only points that have taken effect are spent: those that are waiting or objected to are not."),
        _("Who promises the money does not hand out the goods."),
    )


def harms() -> tuple[str, ...]:
    """Return what happens without them, each once."""
    return (
        _("one person alone has made a rule for everybody"),
        _("what happened a month before the rule was made is judged by it: {} points"),
        _("points are taken away on no law"),
        _("who joined for a reward is punished"),
        _("a family answers for what one of them did"),
        _("somebody takes part who never agreed"),
        _("a child is recorded and no guardian knows"),
        _("a telephone number stands on the chain"),
        _("somebody who has withdrawn is recorded still"),
        _("somebody is pressed who asked to be left alone"),
        _("points are asked for when somebody looks for work"),
        _("points come from a scale that nobody has checked"),
        _("points are given for waste that never arrived anywhere"),
        _("one sheet of hours is paid twice"),
        _("a telephone number stands on the chain for ever"),
        _("one clerk alone makes points for a friend"),
        _("somebody was in two places at once, and nobody looked"),
        _("a program alone takes points away"),
        _("points are gone and the resident was never told"),
        _("points are gone on the day of the notice, with no time to object"),
        _("points are gone while the objection lies on a desk"),
        _("who objected to {} points has {} now"),
        _("{} points in one month, where {} are allowed"),
        _("{} points, where {} are allowed"),
        _("a resident owes points: {}"),
        _("the total of one resident is that resident's"),
        _("a minor matter is shown to everybody"),
        _("a record of a year ago is shown still"),
        _("a clerk has judged the own mistake"),
        _("an objection is refused and nobody says why"),
        _("an objection is refused after most of a year"),
        _("both have voted, and the appeal is Appealed still"),
        _("a program has refused the objection"),
        _("a visit to the clinic costs {} points"),
        _("goods are promised that nobody can pay for"),
        _("suspended points were spent: the balance is {}"),
        _("one clerk alone moves money out of the pool"),
    )
