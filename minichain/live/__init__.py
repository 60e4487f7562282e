"""The live world: every validator a process of its own, talking over encrypted sockets."""
