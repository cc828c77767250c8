"""What coding agents are told about tasklib: a section for AGENTS.md, and a skill. Pure."""
