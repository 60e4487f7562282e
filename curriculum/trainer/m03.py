"""M3: what stays with the trainer."""

KEYS = {}
