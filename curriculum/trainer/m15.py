"""M15: what stays with the trainer."""

KEYS = {}
