"""Running outside tools on what was generated."""
