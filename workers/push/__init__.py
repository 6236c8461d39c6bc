"""From a match's news to phones: intake (when), planner (to whom), sender (out), and what goes beside it."""
