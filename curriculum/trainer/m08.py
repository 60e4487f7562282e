"""M8: what stays with the trainer."""

KEYS = {}
