"""How many made-up stories are told: 300, with `make faults` 5,000. What else is random is told in proportion."""

import os

STORIES = int(os.environ.get("STORIES", "300"))
