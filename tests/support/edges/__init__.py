"""Small readers of the vendors' files: what would each vendor do with a request, by its own documented rules?"""
