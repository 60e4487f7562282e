"""M7: what stays with the trainer."""

KEYS = {}
