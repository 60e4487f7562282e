"""Several chains that share the work of one: what belongs where, who certifies what, and what that buys and costs."""
