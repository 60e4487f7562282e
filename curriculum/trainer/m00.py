"""M0: what stays with the trainer."""

KEYS = {}
