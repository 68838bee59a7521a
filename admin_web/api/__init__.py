"""The door for other programs: tills and shops of the chain's own. JSON in, JSON out, a key for each program."""
