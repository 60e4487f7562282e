"""A class on one network: learners join as institutions with their own keys, and hand in what they answered.

letters    what a learner's computer says to the desk, signed
register   who is in the class and what was handed in: entries in, entries out, no clock, no disk, no socket
grid       what a trainer sees of a register
desk       the register with its file, its judge and its network; `server` lets it be reached
member     the learner's end; nothing there is ever waited for by a notebook
room       the trainer's end, for a console

Names and scores are in the trainer's directory, and never on a chain.
"""
