"""One sans-IO node: it takes an event and the time and returns effects, and cannot tell which world it is in."""
