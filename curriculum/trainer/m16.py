"""M16: what stays with the trainer."""

KEYS = {}
