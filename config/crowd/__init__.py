"""The rehearsal's crowd: fans who come to a sale over HTTP, behave as fans do, and misbehave as fans do.

`plans` says who does what, `fan` does it with a `browser`, `tally` notes what it met, `scene` prepares the sale, `run`
lets everyone go.
"""
