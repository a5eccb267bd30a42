"""What Go's ORMs and mappers make of structs: names of tables and columns, struct tags, models, generated code."""
