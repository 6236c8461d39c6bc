"""What to say, in which words and when. Pure: facts and the time come in, messages come out."""
