"""Alliance voting: decisions among institutions. Not for public elections."""
