"""`python -m dev.demo`: a demo match day with two followers who are notified of its goals."""
