"""Ballots among institutions: open, sealed until they are shown, or secret with a count that anybody can check.

It is after Helios (Adida, USENIX Security 2008) and Belenios, with the chain as the board that all read. What a secret
ballot does not do: it hides how somebody voted, and not that somebody did, when, and how often anew; it stays on the
chain for ever, to be read by whoever later gets enough of the trustees' keys, or breaks the group; a voter who keeps
the seed of a ballot can prove to others what is in it, so it protects nobody who is bought or forced; enough trustees
together can read every single ballot; and a device that lies is found out only by voters who ask it to open. Who has
sealed a vote may keep it after others were shown. It is not for public elections.
"""
