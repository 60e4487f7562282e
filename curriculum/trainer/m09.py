"""M9: what stays with the trainer."""

KEYS = {}
