"""M12: what stays with the trainer."""

KEYS = {}
