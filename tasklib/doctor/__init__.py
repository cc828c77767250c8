"""What in a project breaks the patterns: rules that find it, say why, and repair it by small edits."""
