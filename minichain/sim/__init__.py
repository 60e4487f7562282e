"""The simulated world: the same nodes in one process, under virtual time, on a network that a seed makes unkind."""
