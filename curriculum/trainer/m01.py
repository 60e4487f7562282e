"""M1: what stays with the trainer."""

KEYS = {}
