"""Shapes of what programs send and are told of a fan's way."""
