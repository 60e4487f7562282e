"""Ballots among institutions: open, sealed until they are shown, or secret with a count that anybody can check."""
