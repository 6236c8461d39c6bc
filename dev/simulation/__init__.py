"""A match day of 50 million viewers, computed: who sees a goal when, and what reaches the origin."""
