"""Who the validators are, and whose turn it is to propose."""
