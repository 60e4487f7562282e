"""M13: what stays with the trainer."""

KEYS = {}
