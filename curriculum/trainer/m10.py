"""M10: what stays with the trainer."""

KEYS = {}
