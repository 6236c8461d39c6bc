"""From a match's news to phones: intake (when), planner (to whom), sender (delivery), and what runs beside them."""
