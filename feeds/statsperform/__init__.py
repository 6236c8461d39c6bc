"""Stats Perform (Opta): MA1 and MA3 documents, and the push messages of its SDDP."""
