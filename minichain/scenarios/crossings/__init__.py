"""What crosses between chains: searched for faults, and shown."""
