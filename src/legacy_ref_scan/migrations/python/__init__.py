"""What the conventions share whose migrations are Python programs: their values, and the SQL that they stand for.

Nothing of a migration is executed: its syntax tree is read.
"""
