"""The consensus game on a player's phone: what I know, what I may say, and in the end what came of it.

A page shows what one seat has heard and nothing else; who lies is on the page of the liar only until the round is over.
"""

from __future__ import annotations

from typing import Final

from minichain.course.classroom.pages import Pages
from minichain.course.classroom.register import Declined, Learner
from minichain.course.game import COMMIT, OVER, PREPARE, PROPOSE, SILENT, SPLIT, VALUES, Game, judge

HEARD_IN: Final = {PREPARE: (PROPOSE,), COMMIT: (PROPOSE, PREPARE), OVER: (PROPOSE, PREPARE, COMMIT)}


class GamePages(Pages):
    """Pages of the game in one language."""

    def place(self, learner: Learner, game: Game | None, why: Declined | None = None) -> str:
        """Show somebody the game from their seat."""
        title = self.say("game_title")
        if game is None or learner.did not in game.seats:
            told = self.say("game_none" if game is None else "game_not_in")
            return self.page(title, f"{self.why(why)}<p>{told}</p>{self._home()}", again=why is None)
        seat = game.seat(learner.did)
        asks = self._asks(game, seat)
        rest = asks or (self._end(game) if game.phase == OVER else self._wait(game))
        body = (self.why(why), self._role(game, seat), self._phase(game), self._heard(game, seat), rest)
        return self.page(title, "".join(body) + self._home(), again=not asks and why is None and game.phase != OVER)

    def _home(self) -> str:
        return f'<p><a href="/me">{self.say("in_title")}</a></p>'

    def _role(self, game: Game, seat: int) -> str:
        said = "game_liar" if seat in game.liars else "game_honest"
        proposer = f" {self.say('game_proposer')}" if seat == game.proposer else ""
        where = self.say("game_seat", seat=seat + 1, of=len(game.seats))
        return f"<p>{where}{proposer}</p><p><strong>{self.say(said)}</strong></p>"

    def _phase(self, game: Game) -> str:
        return f"<h2>{self.say(f'game_{game.phase}')}</h2><p>{self.say(f'game_{game.phase}_what')}</p>"

    def _heard(self, game: Game, seat: int) -> str:
        rows = [self._counted(game, seat, phase) for phase in HEARD_IN.get(game.phase, ())]
        return f"<ul>{''.join(f'<li>{row}</li>' for row in rows)}</ul>" if rows else ""

    def _counted(self, game: Game, seat: int, phase: str) -> str:
        """Say how many have told this seat what in a phase."""
        heard = list(game.heard(seat, phase).values())
        first, second = (self.say("game_count", count=heard.count(one), value=self.value(one)) for one in VALUES)
        return self.say("game_heard", phase=self.say(f"game_{phase}"), first=first, second=second)

    def value(self, value: str) -> str:
        """Return what an entry says."""
        return self.say(f"game_value_{value}")

    def _asks(self, game: Game, seat: int) -> str:
        """Offer what may be said; each is a button."""
        if seat in game.said[game.phase]:
            return ""
        return "".join(
            f'<form method="post" action="/game"><input type="hidden" name="phase" value="{game.phase}">'
            f'<button name="choice" value="{choice}">{self._choice(game, choice)}</button></form>'
            for choice in game.choices(seat)
        )

    def _choice(self, game: Game, choice: str) -> str:
        if choice == SILENT:
            return self.say("game_silent")
        if choice == SPLIT:
            halves = game.halves()
            seats = [", ".join(str(at + 1) for at, said in enumerate(halves) if said == value) for value in VALUES]
            return self.say("game_split", first=seats[0], second=seats[1])
        return self.say("game_choice", phase=self.say(f"game_{game.phase}"), value=self.value(choice))

    def _wait(self, game: Game) -> str:
        return f'<p role="status">{self.say("game_wait", answered=len(game.said[game.phase]))}</p>'

    def _end(self, game: Game) -> str:
        verdict = judge(game)
        results = [self.value(final) if final else self.say("game_nothing") for final in verdict.finals]
        finals = [self.say("game_final", seat=at, value=result) for at, result in enumerate(results, 1)]
        lied = self.say("game_lied", liars=", ".join(str(at + 1) for at in verdict.liars) or "-")
        listed = "".join(f"<li>{final}</li>" for final in finals)
        return f"<p>{self.say(f'game_where_{verdict.where}')}</p><p>{lied}</p><ul>{listed}</ul>"
