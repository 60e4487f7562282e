"""M14: what stays with the trainer."""

KEYS = {}
