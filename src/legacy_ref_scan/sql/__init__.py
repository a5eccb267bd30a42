"""The only package that calls the SQL parsers: cutting, parsing, resolving, and the witness."""
