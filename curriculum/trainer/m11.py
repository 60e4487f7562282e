"""M11: what stays with the trainer."""

KEYS = {}
