"""M6: what stays with the trainer."""

KEYS = {}
