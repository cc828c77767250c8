"""The repository's own provisioning tool: `python3 dev <command>`. Not part of the shipped package."""
