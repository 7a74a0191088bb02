"""A third pair of domains: a traveller and a team with channels. Written before it was run, and run once before the rules changed."""
