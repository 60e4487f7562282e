"""Ballots among institutions: open, sealed until they are shown, or secret with a count that anybody can check.

It is after Helios (Adida, USENIX Security 2008) and Belenios, with the chain as the board that all read. What a secret
ballot does not do: it hides how somebody voted and not that somebody did; a voter who keeps the seed of a ballot can
prove to others what is in it, so it protects nobody who is bought or forced; enough trustees together can read every
single ballot; and a device that lies is found out only by voters who ask it to open. It is not for public elections.
"""
