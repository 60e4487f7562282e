"""M5: what stays with the trainer."""

KEYS = {}
