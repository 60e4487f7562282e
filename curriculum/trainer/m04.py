"""M4: what stays with the trainer."""

KEYS = {}
