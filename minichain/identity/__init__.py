"""Who somebody is, what others say of them, and who may read what is kept of them. Personal data are never on chain."""
