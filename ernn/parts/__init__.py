"""What ernn builds for: families, parts and boards, each a small data file."""
