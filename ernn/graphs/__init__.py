"""What is computed, as data: descriptions that every floor above reads and none writes again."""
