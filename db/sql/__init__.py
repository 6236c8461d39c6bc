"""History, accounts and follows in SQL. Rows stay in here: domain types go out."""
