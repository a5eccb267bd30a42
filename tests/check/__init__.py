"""What new migrations take away."""
